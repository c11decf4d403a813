"""The check of folded totals: silent on what the house wrote, and a line for each group whose totals are altered."""

import random

import pytest

from graph.database import Transaction
from graph.query import Query
from graph.totals import NOTHING
from services.findings import Report
from services.ledger import Deposit
from services.total_checks import check_totals
from tests.support.folding import History
from tests.support.house import House, op
from tests.support.tree import account

pytestmark = pytest.mark.anyio

SET_TOTAL = Query("test.totals.set", "MATCH (t:Total {id: $id}) SET t.state = $state")
SET_BRANCH = Query(
    "test.totals.branch",
    "MATCH (b:Branch {id: $id})-[e:WITHIN]->(:Branch) MATCH (p:Branch {id: $parent}) "
    "DELETE e CREATE (b)-[:WITHIN]->(p)",
)
SET_CASH = Query("test.totals.cash", "MATCH (a:Account {id: $id}) SET a.cash = $cash")
SPOIL = Query("test.totals.spoil", "MATCH (c:Change {feed: $feed, number: $number}) SET c.payload = $payload")


async def look(house: House) -> Report:
    """What the check says of the test's own tenant."""
    report = Report()
    await check_totals(house.desk.database, house.root, report)
    return report


async def alter(house: House, query: Query, **parameters: object) -> None:
    """Changes the graph behind the house's back."""

    async def work(transaction: Transaction) -> None:
        await transaction.run(query, **parameters)

    await house.desk.database.write(work, queue="test")


async def test_what_is_folded_is_what_is_there(house: House) -> None:
    history = History(house, random.Random(5))
    await history.change(40)
    report = await look(house)
    assert (report.findings, report.notes) == ([], [])


async def test_altered_totals_are_found_where_they_are(house: House) -> None:
    group = await house.group("Group")
    node = await account(house, group)
    await house.do(Deposit(operation_id=op(), account_id=node, amount="1"))
    assert (await look(house)).clean
    state = NOTHING.plus({"accounts": 1, "cash": 99}, 1).text
    await alter(house, SET_TOTAL, id=f"{group}/c:USD", state=state)
    totals = "its totals of c:USD are not those of what is in it"
    assert (await look(house)).findings == [f"group {house.root}: {totals}", f"group {group}: {totals}"]


async def test_an_account_altered_behind_the_journal_is_found(house: House) -> None:
    group = await house.group("Group")
    node = await account(house, group)
    await alter(house, SET_CASH, id=node, cash=1)
    assert (await look(house)).findings == [f"group {group}: its totals of c:USD are not those of what is in it"]


async def test_a_group_that_is_counted_elsewhere_is_found(house: House) -> None:
    one, two = await house.group("One"), await house.group("Two")
    assert (await look(house)).clean
    await alter(house, SET_BRANCH, id=two, parent=one)
    words = "its totals are counted to another group than the one that it is in"
    assert (await look(house)).findings == [f"group {two}: {words}"]


@pytest.mark.parametrize("payload", ["{}", "[]", "no JSON", '{"before":null,"after":{"parent":7}}'])
async def test_a_record_that_does_not_say_what_it_did_is_named(house: House, payload: str) -> None:
    await account(house)
    await alter(house, SPOIL, feed=house.root, number=2, payload=payload)
    told = f"feed {house.root}: record 2 does not say what it did, and totals end before it"
    assert (await look(house)).findings == [told]
