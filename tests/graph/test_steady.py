"""Walks through the tree: each is of one moment, whatever moves meanwhile."""

import asyncio

import pytest

from graph import reads_rollups, steady
from graph.database import Database
from graph.query import Query
from graph.structure import locate
from services.groups import CreateGroup
from tests.support.house import Address, House, op
from tests.support.reads import PLACE, account_row, write
from tests.support.tree import account, beside, move

pytestmark = pytest.mark.anyio

COUNTS = Query("test.structure", "MATCH (s:Structure {id: $id}) RETURN s.revision AS revision, s.moves AS moves")
# What says of itself that it is not steady, always.
MOVING = Query.compiled(
    "test.moving",
    "UNWIND $ids AS id MATCH (s:Structure {id: id}) "
    "RETURN id, s.revision AS revision, false AS steady, [id, $other] AS tenants",
)


async def counts(database: Database, root: str) -> tuple[int, int]:
    ((revision, moves),) = [row.values() for row in await database.run(COUNTS, id=root)]
    return revision, moves


async def test_a_tenant_counts_its_moves(house: House) -> None:
    one, two = await house.group("One"), await house.group("Two")
    node = await account(house, one)
    assert (await counts(house.desk.database, house.root))[1] == 0
    await house.do(move(node, two))
    await house.do(move(one, two))
    assert (await counts(house.desk.database, house.root))[1] == 2


async def test_a_walk_that_moves_cross_is_begun_again_and_ends_while_they_wait(house: House, engine: Address) -> None:
    database = house.desk.database
    async with beside(house, engine) as other:
        tenants = [house.root, (await other.do(CreateGroup(operation_id=op(), name="Other"))).payload["group"]]
        before = [(await counts(database, root))[0] for root in tenants]
        crossing = (tenants, tenants[::-1])
        readers = (database, other.desk.database)
        rows = await asyncio.gather(
            *(
                steady.read(reader, MOVING, ids=ids[:1], other=ids[1])
                for reader, ids in zip(readers, crossing, strict=True)
            )
        )
        assert [row["revision"] > seen for (row,), seen in zip(rows, before, strict=True)] == [True, True]
        assert [(await counts(database, root))[0] for root in tenants] == [seen + 2 for seen in before]


async def test_what_moves_is_met_once_by_every_walk(house: House, engine: Address) -> None:
    tops = [await house.group(f"Top {number}") for number in range(6)]
    moved = await house.group("Moved", tops[0])
    rows = [account_row(house.root, cash=1) for _ in range(40)]
    await write(house, PLACE, rows=[{"parent": moved, "properties": row} for row in rows])
    accounts = [row["id"] for row in rows[:5]]
    async with beside(house, engine) as other:

        async def mover() -> None:
            for number in range(30):
                await other.do(move(moved, tops[(number + 1) % len(tops)]))

        moving = asyncio.create_task(mover())
        while not moving.done():
            (total,) = (await reads_rollups.cash(house.desk.database, [house.root]))[house.root]
            assert (total.accounts, total.cash) == (40, 40)
            places = await locate(house.desk.database, accounts)
            assert {place.path[-1] for place in places.values()} == {house.root}
        await moving
