"""The journal on a real engine: no gap, one chain, and time that only grows."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph import clock, journal
from graph.database import Database, Row, Transaction
from graph.errors import Duplicate
from graph.ids import Kind, new_id
from tests.support.graphs import connected, statement
from tests.support.house import Address

pytestmark = pytest.mark.anyio

CHANGES = statement("MATCH (c:Change) WHERE c.feed = $feed AND c.number > 0 RETURN c {.*} AS change ORDER BY c.number")
HEAD = statement("MATCH (f:Feed {id: $feed}) RETURN f.number AS number, f.hash AS hash, f.at AS at, f.epoch AS epoch")
AUTHOR = journal.Author("anna", "deposit", "op_1")
WRITERS = 32


async def new_feed(database: Database) -> str:
    """The id of a feed that has no record yet."""
    feed = new_id(Kind.GROUP)

    async def work(transaction: Transaction) -> None:
        await journal.create_feed(transaction, feed)

    await database.write(work, queue=feed)
    return feed


async def record(database: Database, feed: str, *effects: str, fails: bool = False) -> list[str]:
    """Adds a record for each effect, in one transaction; their instants."""

    async def work(transaction: Transaction) -> list[str]:
        recorder = await journal.take_feed(transaction, feed, AUTHOR)
        instants = [recorder.add("POSTED", [effect], None, {"effect": effect}) for effect in effects]
        await recorder.write(transaction)
        if fails:
            raise ZeroDivisionError
        return instants

    while True:
        try:
            return await database.write(work, queue=feed)
        except Duplicate:  # ArcadeDB's word for a number that another process took first: it had no effect
            continue


async def changes(database: Database, feed: str) -> list[Row]:
    """The feed's records in order."""
    return [row["change"] for row in await database.run(CHANGES, feed=feed)]


async def require_chain(database: Database, feed: str) -> list[Row]:
    """The feed's records, which are without a gap, chained, in time, and end at the feed's head."""
    found = await changes(database, feed)
    previous, at = journal.NO_HASH, ""
    for number, change in enumerate(found, 1):
        assert change["number"] == number
        assert change["previousHash"] == previous
        assert change["hash"] == journal.record_hash(change)
        assert change["at"] > at
        previous, at = change["hash"], change["at"]
    head = (await database.run(HEAD, feed=feed))[0]
    assert (head["number"], head["hash"]) == (len(found), previous)
    assert {change["epoch"] for change in found} <= {head["epoch"]}
    return found


async def test_writers_at_once_leave_no_gap(engine: Address, database: Database) -> None:
    feed = await new_feed(database)
    async with AsyncExitStack() as stack:
        processes = [database, *[await stack.enter_async_context(connected(engine)) for _ in range(3)]]
        writers = (record(processes[number % 4], feed, f"{number}a", f"{number}b") for number in range(WRITERS))
        await asyncio.gather(*writers)
    found = await require_chain(database, feed)
    assert sorted(change["nodes"][0] for change in found) == sorted(
        f"{n}{part}" for n in range(WRITERS) for part in "ab"
    )
    # The records of one transaction stand together.
    assert all(a["nodes"][0][:-1] == b["nodes"][0][:-1] for a, b in zip(found[::2], found[1::2], strict=True))


async def test_a_transaction_that_fails_leaves_no_gap(database: Database) -> None:
    feed = await new_feed(database)
    await record(database, feed, "first")
    with pytest.raises(ZeroDivisionError):
        await record(database, feed, "lost", fails=True)
    await record(database, feed, "second")
    assert [change["nodes"] for change in await require_chain(database, feed)] == [["first"], ["second"]]


async def test_the_instant_is_known_before_the_record_is_complete(database: Database) -> None:
    feed = await new_feed(database)

    async def work(transaction: Transaction) -> tuple[str, str, str]:
        recorder = await journal.take_feed(transaction, feed, AUTHOR)
        foretold = recorder.next_at()
        first = recorder.add("POSTED", ["a"], None, None)
        second = recorder.add("POSTED", ["b"], None, None)
        await recorder.write(transaction)
        return foretold, first, second

    foretold, first, second = await database.write(work, queue=feed)
    assert foretold == first < second
    assert [change["at"] for change in await require_chain(database, feed)] == [first, second]


async def test_a_clock_that_goes_back_does_not_take_time_back(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = await new_feed(database)
    await record(database, feed, "a")
    past = clock.from_text("2001-01-01T00:00:00.000000Z")
    monkeypatch.setattr(clock, "now", lambda: past)
    await record(database, feed, "b", "c")
    assert len(await require_chain(database, feed)) == 3


async def test_a_record_tells_who_did_what_and_the_values_before_and_after(database: Database) -> None:
    feed = await new_feed(database)

    async def work(transaction: Transaction) -> None:
        recorder = await journal.take_feed(transaction, feed, AUTHOR)
        recorder.add("MOVED", ["acc_1", "grp_1"], {"parent": "grp_0"}, {"parent": "grp_1", "name": "Ä"})
        await recorder.write(transaction)

    await database.write(work, queue=feed)
    (change,) = await require_chain(database, feed)
    told = {name: change[name] for name in ("actor", "action", "operation", "kind", "nodes", "feed", "payload")}
    assert told == {
        "actor": "anna",
        "action": "deposit",
        "operation": "op_1",
        "kind": "MOVED",
        "nodes": ["acc_1", "grp_1"],
        "feed": feed,
        "payload": '{"after":{"name":"Ä","parent":"grp_1"},"before":{"parent":"grp_0"}}',
    }


async def test_the_same_effect_has_another_hash_each_time(database: Database) -> None:
    feed = await new_feed(database)
    await record(database, feed, "same")
    await record(database, feed, "same")
    first, second = await require_chain(database, feed)
    assert first["salt"] != second["salt"]
    assert first["hash"] != second["hash"]


@given(st.sampled_from(["at", "actor", "payload", "number", "nodes", "salt", "previousHash"]))
def test_the_hash_covers_every_property(name: str) -> None:
    plain: Row = {
        "at": "t",
        "actor": "a",
        "payload": "p",
        "number": 1,
        "nodes": ["n"],
        "salt": "s",
        "previousHash": "h",
    }
    changed = {**plain, name: 2 if name == "number" else ["m"] if name == "nodes" else "other"}
    assert journal.record_hash(changed) != journal.record_hash(plain)
    assert journal.record_hash({**plain, "hash": "whatever"}) == journal.record_hash(plain)
