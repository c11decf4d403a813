"""The plan of every named statement on a populated engine: it begins at an index or an id, never at a label."""

import importlib
import pkgutil
import re
from typing import cast

import neo4j
import pytest

from graph.listing import Condition, Window, page_query, total_query
from graph.query import NAMED
from resolvers import operations
from resolvers.operations import OperationTest
from services.ledger import Deposit, Transfer
from tests.support.checkout import PACKAGES
from tests.support.engines import chosen_engine
from tests.support.house import Address, House, op
from tests.support.tree import account

pytestmark = pytest.mark.anyio

GROUPS, ACCOUNTS = 6, 60
# Both engines print their operators; ArcadeDB prints those of a part of its statements only, so Neo4j's run decides.
SCAN = re.compile(r"\b\w*(?:AllNodes|ByLabels?|AllRelationships|ByTypes?|RelationshipTypes?)Scan\b")
# Each product module is imported, so that its statements are named; these two are programs.
PROGRAMS = {"accountgraph.__main__", "accountgraph.engine_process"}


def named() -> dict[str, str]:
    """The product's statements, by name."""
    for package in PACKAGES:
        for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            if module.name not in PROGRAMS:
                importlib.import_module(module.name)
    return {name: query.text for name, query in NAMED.items() if not name.startswith("test.")}


async def populate(house: House) -> None:
    """A tree of accounts with cash and entries, so that a plan has figures to choose by."""
    for number in range(GROUPS):
        group = await house.group(f"Group {number}")
        made = [await account(house, group) for _ in range(ACCOUNTS // GROUPS)]
        for each in made:
            await house.do(Deposit(operation_id=op(), account_id=each, amount="100.00"))
        await house.do(Transfer(operation_id=op(), from_id=made[0], to_id=made[1], amount="1.00"))


async def plans(engine: Address, texts: dict[str, str]) -> dict[str, str]:
    """What the engine tells of how it would run each statement, by name."""
    told: dict[str, str] = {}
    driver = neo4j.AsyncGraphDatabase.driver(
        engine.uri, auth=(engine.username, engine.password), notifications_min_severity="OFF"
    )
    async with driver, driver.session(database=engine.database) as session:
        for name, text in texts.items():
            result = await session.run(neo4j.Query(f"EXPLAIN {text}"))  # pyright: ignore[reportArgumentType]
            plan = (await result.consume()).plan
            assert plan is not None, name
            told[name] = cast("str", plan["args"]["string-representation"])
    return told


async def test_no_named_statement_scans_a_label(house: House, engine: Address) -> None:
    await populate(house)
    texts = named()
    assert len(texts) > 100
    scans = {name: SCAN.findall(plan) for name, plan in (await plans(engine, texts)).items()}
    assert {name: found for name, found in scans.items() if found} == {}


async def test_a_scan_would_be_seen(house: House, engine: Address) -> None:
    assert house.root
    texts = {"label": "MATCH (a:Account) WHERE a.description = 'x' RETURN a.id AS id"}
    (plan,) = (await plans(engine, texts)).values()
    assert SCAN.findall(plan) == ["NodeByLabelScan"]


async def test_what_is_not_finished_is_found_by_its_state(house: House, engine: Address) -> None:
    await populate(house)
    test = OperationTest(states=("AWAITING_APPROVAL", "PENDING"))
    texts: dict[str, str] = {}
    for name, roots, index in (("all", None, "(state, id)"), ("tenants", (house.root,), "(root, state, id)")):
        listing = operations._listing(test, Condition(), roots)
        texts[f"page of {name} by {index}"] = page_query(listing, Window(50))[0].text
        texts[f"total of {name} by {index}"] = total_query(listing)[0].text
    for name, plan in (await plans(engine, texts)).items():
        # ArcadeDB does not print what is inside a CALL.
        assert chosen_engine() != "neo4j" or f"n:Operation{name.partition(' by ')[2]}" in plan, plan
