"""Lists as they are compiled: one text for equal lists, and a plan that begins at what is named."""

import random
from typing import Any

import neo4j
import pytest

from graph import reads_holdings, reads_nodes, reads_rollups, reads_statements
from graph.filters import AccountTest, accounts
from graph.listing import Listing, Window, page_query
from graph.query import NAMED, Query
from graph.reads_lists import BY_CREATION, BY_NAME, REACHABLE_ACCOUNTS
from graph.sort_keys import sort_key
from tests.support.house import Address, House
from tests.support.listings import statements

pytestmark = pytest.mark.anyio

# The labels that a page of accounts, groups or entries must never read from end to end.
SCANS = {"AllNodesScan", "NodeByLabelScan", "UnionNodeByLabelsScan", "IntersectionNodeByLabelsScan"}

READ_VALUES: dict[str, Any] = {"ids": ["a"], "after": "", "limit": 1, "spans": []}


async def test_every_statement_runs(house: House) -> None:
    names: set[str] = set()
    for query, values in statements():
        rows = await house.desk.database.run(query, **values)
        assert all(row.keys() - {"steady", "tenants"} == {"parent", query.name.rpartition(".")[2]} for row in rows)
        names.add(query.name)
    assert len(names) == 2 * 19
    assert not names & set(NAMED)


async def test_no_statement_reads_a_label_from_end_to_end(house: House, engine: Address) -> None:
    asked = {query.text: values for query, values in statements()}
    modules = (reads_holdings, reads_nodes, reads_rollups, reads_statements)
    reads = {query.text for module in modules for query in vars(module).values() if isinstance(query, Query)}
    assert len(reads) == 12
    asked |= dict.fromkeys(reads, READ_VALUES)
    driver = neo4j.AsyncGraphDatabase.driver(
        engine.uri, auth=(engine.username, engine.password), notifications_min_severity="OFF"
    )
    async with driver, driver.session(database=engine.database) as session:
        for text, values in asked.items():
            result = await session.run(neo4j.Query(f"EXPLAIN {text}"), values)  # pyright: ignore[reportArgumentType]
            plan = (await result.consume()).plan
            assert plan is not None
            if plan["operatorType"] != "ArcadeDB.OpenCypher.Plan":
                assert not _operators(plan) & SCANS, text


def _operators(plan: dict[str, object]) -> set[str]:
    found = {str(plan["operatorType"]).partition("@")[0]}
    children = plan.get("children", [])
    assert isinstance(children, list)
    for child in children:
        found |= _operators(child)
    return found


def test_equal_lists_have_equal_text_whatever_their_values() -> None:
    texts: set[str] = set()
    for number in range(200):
        chance = random.Random(number)
        test = AccountTest(
            kinds=tuple(chance.sample(["INDIVIDUAL", "STRATEGY", "COMPOSITE"], 2)),
            name_contains="x" * number,
            any_of=(AccountTest(simulated=chance.random() < 0.5), AccountTest(symbol=str(number))),
        )
        listing = Listing(REACHABLE_ACCOUNTS, BY_NAME, accounts(test), (("roots", ("a",) * number),))
        texts.add(page_query(listing, Window(number, ("x" * number, "y")))[0].text)
    assert len(texts) == 1


def test_no_value_gets_into_the_text() -> None:
    evil = "' OR 1=1 // \\ $x {"
    test = AccountTest(name_contains=evil, symbol=evil, within=evil, kinds=(evil,), tiers=(evil,))
    listing = Listing(REACHABLE_ACCOUNTS, BY_CREATION, accounts(test), (("roots", (evil,)),))
    query, values = page_query(listing, Window(1, (evil, evil)))
    assert evil not in query.text
    assert evil in values["roots"]
    assert list(values.values()).count(evil) == 5


def test_compiled_statements_may_share_a_name_and_are_not_registered() -> None:
    first, second = Query.compiled("test.same", "RETURN 1"), Query.compiled("test.same", "RETURN 2")
    assert (first.name, second.text) == ("test.same", "RETURN 2")
    assert "test.same" not in NAMED


def test_a_sort_key_orders_code_points_where_utf16_does_not() -> None:
    chance = random.Random(3)
    alphabet = "az\ud7ff\ue000\uee00\ufffd\ufffe\uffff\U00010000\U0001f600\U0010ffff"
    names = ["".join(chance.choices(alphabet, k=chance.randrange(1, 5))) for _ in range(2_000)]

    def key(name: str) -> str:
        return sort_key(name) or name

    assert sorted(names, key=lambda name: key(name).encode("utf-16-be")) == sorted(names)
    assert sorted(names, key=key) == sorted(names)
    assert sort_key("Zoë") is None
    assert len({key(name) for name in names}) == len(set(names))
