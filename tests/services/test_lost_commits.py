"""Mutations whose commit's answer is lost, or that two processes get at once: one effect, told by both alike."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from graph import accounts
from graph.database import Reader, Transaction
from graph.query import Query
from services.commands import Act
from services.desk import Desk
from services.ledger import Deposit, Withdraw
from services.pipeline import Outcome
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


async def test_a_repeat_that_its_own_effect_would_refuse_is_told_what_was_done(house: House, engine: Address) -> None:
    account_id = await account(house)
    await house.do(Deposit(operation_id=op(), account_id=account_id, amount="10"))
    command = Withdraw(operation_id=op(), account_id=account_id, amount="10")
    async with open_house(engine) as other:

        class Overtaken(Withdraw):
            async def plan(self, desk: Desk, reader: Reader, act: Act) -> Any:
                planned = await super().plan(desk, reader, act)
                if not isinstance(reader, Transaction):
                    first.append(await other.do(command))
                return planned

        first: list[Outcome] = []
        assert await house.do(Overtaken.model_validate(command.model_dump())) == first[0]
    assert (await accounts.find(house.desk.database, [account_id]))[account_id]["cash"] == 0
