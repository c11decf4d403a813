"""The work that keeps totals close behind: what this process has written to, and what a reader found to be behind."""

import asyncio

import pytest
from structlog.testing import capture_logs

from graph import reads_totals
from graph.database import Database
from graph.ids import Kind, new_id
from services.folder import Folder
from services.worker import Worker
from tests.support.folding import require_folded
from tests.support.graphs import connected, statement
from tests.support.house import Address, House
from tests.support.reads import write
from tests.support.tree import account, counted

pytestmark = pytest.mark.anyio

HEAD = statement("MATCH (f:Feed {id: $id}) RETURN f.number AS number")
SPOIL = statement(
    "MATCH (f:Feed {id: $id}) MATCH (c:Change {feed: f.id}) WHERE c.number = f.number "
    "SET c.kind = $kind, c.payload = $payload, c.nodes = $nodes"
)
STATE = statement("MATCH (k:Fold {id: $id}) RETURN k.state AS state")


async def folded(house: House) -> tuple[int, int]:
    """How far the totals are folded, and settled."""
    rows = await house.desk.database.run(STATE, id=house.root)
    return (rows[0]["state"][1], rows[0]["state"][2]) if rows else (0, 0)


async def reads(database: Database, house: House) -> list[str]:
    """The statements that a read of the root's totals takes."""
    with counted(house) as names:
        await reads_totals.read(database, [house.root], held=False)
    return names


async def test_what_was_written_is_folded_without_a_reader(house: House) -> None:
    await account(house)
    database = house.desk.database
    assert house.root in database.stirred()
    database.stir(house.root)
    while stirred := database.stirred():
        for tenant in stirred:
            assert not await Folder(database).fold(tenant)
    assert await reads(database, house) == ["totals.cash"]
    assert database.stirred() == set()
    await require_folded(house, [house.root])


async def test_readers_walk_where_a_record_cannot_be_folded(house: House) -> None:
    await account(house)
    await write(house, SPOIL, id=house.root, kind="ACCOUNT_CREATED", payload="{}", nodes=[house.root])
    database = house.desk.database
    with capture_logs() as told:
        below = await reads_totals.read(database, [house.root], held=True)
    assert below == await reads_totals.walked(database, [house.root], held=True)
    assert [line["event"] for line in told] == ["fold_failed", "roll_ups_walked"]


async def test_what_is_not_there_yet_is_folded_later(house: House) -> None:
    await account(house)
    payload = '{"after":{"status":"CLOSED"},"before":{"status":"ACTIVE"}}'
    await write(house, SPOIL, id=house.root, kind="STATUS_CHANGED", payload=payload, nodes=[new_id(Kind.ACCOUNT)])
    house.desk.database.stirred()
    with capture_logs() as told:
        assert not await Folder(house.desk.database).fold(house.root)
    assert not told
    assert house.desk.database.stirred() == {house.root}


async def test_only_the_feeds_of_tenants_are_folded(house: House) -> None:
    database = house.desk.database
    database.stirred()
    for feed in ("migrations", f"fold:{house.root}", house.desk.installation):
        database.stir(feed)
    assert database.stirred() == set()


async def test_a_tenant_with_much_to_fold_is_folded_on(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.folder.TURNS", 1)
    monkeypatch.setattr("graph.folding.MOST_RECORDS", 2)
    for _ in range(3):
        await account(house)
    database = house.desk.database
    database.stirred()
    folder, told = Folder(database), list[tuple[bool, bool]]()
    while not told or told[-1] != (False, False):
        told.append((await folder.fold(house.root), database.stirred() == {house.root}))
    (head,) = await database.run(HEAD, id=house.root)
    full, rest = divmod(head["number"], 2)
    assert told == [*[(True, True)] * full, *[(False, True)] * rest, (False, False)]
    assert await folded(house) == (head["number"], head["number"])


async def test_a_tenant_that_cannot_be_folded_ends_nothing(house: House) -> None:
    async with connected(Address("bolt://127.0.0.1:9", "nobody", "nothing", "none")) as gone:
        assert not await Folder(gone).fold(house.root)
        assert gone.stirred() == {house.root}


async def test_the_worker_folds_until_it_is_stopped(house: House) -> None:
    await account(house)
    (head,) = await house.desk.database.run(HEAD, id=house.root)
    worker = Worker(house.pipeline)
    working = asyncio.create_task(worker.run())
    async with asyncio.timeout(20):
        while await folded(house) != (head["number"], head["number"]):
            pass
    worker.stop()
    await working
