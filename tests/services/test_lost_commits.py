"""Mutations whose commit's answer is lost: one effect, told as if nothing had happened."""

from collections.abc import AsyncGenerator

import pytest

from graph import accounts
from graph.query import Query
from services.ledger import Deposit
from tests.support.graphs import connected
from tests.support.house import Address, House, op, open_house
from tests.support.proxy import Cut, Proxy, proxied
from tests.support.tree import account

pytestmark = pytest.mark.anyio

ENTRIES = Query("test.entries_of_ledger", "MATCH (e:Entry) WHERE e.ledger = $id RETURN e.amount AS amount")

CHILDREN = Query("test.child_groups", "MATCH (:Group {id: $id})-[:CONTAINS]->(g:Group) RETURN g.id AS id")


@pytest.fixture
async def far(engine: Address) -> AsyncGenerator[tuple[Proxy, House]]:
    """A house whose way to the engine can be cut."""
    async with proxied(engine) as (proxy, address), open_house(address) as house:
        yield proxy, house


@pytest.mark.parametrize("cuts", [[Cut.BEFORE], [Cut.AFTER], [Cut.BEFORE, Cut.BEFORE], [Cut.BEFORE, Cut.AFTER]])
async def test_a_deposit_is_posted_once_whatever_becomes_of_the_answer(
    engine: Address, far: tuple[Proxy, House], cuts: list[Cut]
) -> None:
    proxy, house = far
    into = await account(house)
    command = Deposit(operation_id=op(), account_id=into, amount="12.34")
    proxy.cut(*cuts)
    first = await house.do(command)
    assert proxy.done == cuts
    assert await house.do(command) == first
    async with connected(engine) as database:
        assert (await accounts.find(database, [into]))[into]["cash"] == 1234
        assert await database.run(ENTRIES, id=into) == [{"amount": 1234}]


@pytest.mark.parametrize("cut", Cut)
async def test_a_group_is_made_once_whatever_becomes_of_the_answer(far: tuple[Proxy, House], cut: Cut) -> None:
    proxy, house = far
    proxy.cut(cut)
    made = await house.group("Made once")
    assert proxy.done == [cut]
    rows = await house.desk.database.run(CHILDREN, id=house.root)
    assert rows == [{"id": made}]
