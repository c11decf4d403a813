"""Walks through the tree: each is of one moment, whatever moves meanwhile."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from structlog.testing import capture_logs

from graph import clock, reads_rollups, steady
from graph.database import Database
from graph.query import Query
from graph.structure import locate
from services.groups import CreateGroup
from tests.support.house import Address, House, op
from tests.support.reads import PLACE, account_row, write
from tests.support.tree import beside, move

pytestmark = pytest.mark.anyio

REVISION = Query("test.structure", "MATCH (s:Structure {id: $id}) RETURN s.revision AS revision")
# What says of itself that it is not steady, always.
MOVING = Query.compiled(
    "test.moving",
    "UNWIND $ids AS id MATCH (s:Structure {id: id}) "
    "RETURN id, s.revision AS revision, false AS steady, [id, $other] AS tenants",
)

LONG_AGO = Query("test.long_ago", "MATCH (s:Structure {id: $id}) SET s.movingSince = '2026-01-01T00:00:00.000000Z'")
ENDED = Query("test.ended", "MATCH (s:Structure {id: $id}) SET s.moved = s.moving")


async def revision(database: Database, root: str) -> int:
    ((found,),) = [row.values() for row in await database.run(REVISION, id=root)]
    return found


async def is_steady(house: House) -> bool:
    (row,) = await house.desk.database.run(reads_rollups.CASH, ids=[house.root])
    return row["steady"]


async def test_no_walk_is_of_a_moment_while_a_move_is_announced(house: House) -> None:
    assert await is_steady(house)
    async with steady.announced(house.desk.database, house.root):
        assert not await is_steady(house)
        async with steady.announced(house.desk.database, house.root):
            assert not await is_steady(house)
        assert await is_steady(house)  # the last one that was announced ends all
    assert await is_steady(house)


async def test_an_earlier_move_does_not_end_a_later_one(house: House) -> None:
    async with AsyncExitStack() as later:
        async with steady.announced(house.desk.database, house.root):
            await later.enter_async_context(steady.announced(house.desk.database, house.root))
        assert not await is_steady(house)
    assert await is_steady(house)


async def test_what_was_announced_by_a_process_that_died_is_ended_by_a_walk(house: House) -> None:
    await write(house, steady.ANNOUNCE, root=house.root, at=clock.to_text(clock.now()))
    assert await reads_rollups.cash(house.desk.database, [house.root]) == {house.root: []}
    assert not await is_steady(house)  # it may be under way
    await write(house, LONG_AGO, id=house.root)
    assert await reads_rollups.cash(house.desk.database, [house.root]) == {house.root: []}
    assert await is_steady(house)


async def test_a_move_that_others_ended_is_announced_again(house: House, engine: Address) -> None:
    one, two = await house.group("One"), await house.group("Two")
    moved = await house.group("Moved", one)
    async with beside(house, engine) as other:

        async def ender() -> None:
            while not begun_again:
                await write(other, ENDED, id=house.root)

        with capture_logs() as begun_again:
            ending = asyncio.create_task(ender())
            for parent in (two, one) * 50:
                await house.do(move(moved, parent))
                if begun_again and parent == one:
                    break
            await ending
    assert {line["error"] for line in begun_again} == {"Outdated"}
    (place,) = (await locate(house.desk.database, [moved])).values()
    assert place.path == (moved, one, house.root)


async def test_a_walk_that_moves_cross_is_begun_again_and_ends_while_they_wait(house: House, engine: Address) -> None:
    database = house.desk.database
    async with beside(house, engine) as other:
        tenants = [house.root, (await other.do(CreateGroup(operation_id=op(), name="Other"))).payload["group"]]
        before = [await revision(database, root) for root in tenants]
        crossing = (tenants, tenants[::-1])
        readers = (database, other.desk.database)
        rows = await asyncio.gather(
            *(
                steady.read(reader, MOVING, ids=ids[:1], other=ids[1])
                for reader, ids in zip(readers, crossing, strict=True)
            )
        )
        assert [row["revision"] > seen for (row,), seen in zip(rows, before, strict=True)] == [True, True]
        assert [await revision(database, root) for root in tenants] == [seen + 2 for seen in before]


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
