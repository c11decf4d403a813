"""Reads and writes on a real engine: tried again where that is safe, and typed where it is not."""

import asyncio
import socket
from dataclasses import replace
from uuid import uuid4

import pytest
from neo4j.exceptions import CypherSyntaxError

from graph.database import Database, Transaction
from graph.errors import CommitUnknown, Duplicate, EngineUnavailable
from graph.ids import Kind, new_id
from tests.support.graphs import connected, statement
from tests.support.house import Address
from tests.support.proxy import Cut, proxied

pytestmark = pytest.mark.anyio

CREATE = statement("CREATE (g:Group {id: $id, revision: 0})")
FIND = statement("MATCH (g:Group {id: $id}) RETURN g.revision AS revision")
LOCK = statement("MATCH (g:Group {id: $id}) SET g.lock = $token RETURN g.revision AS revision")
GROW = statement("MATCH (g:Group {id: $id}) SET g.revision = $revision")
BAD = statement("MATCH (g:Group RETURN g")


async def create(database: Database, node_id: str) -> None:
    """Creates a group node of this id."""

    async def work(transaction: Transaction) -> None:
        await transaction.run(CREATE, id=node_id)

    await database.write(work, queue=node_id)


async def grow(database: Database, node_id: str, queue: str) -> int:
    """Adds one to the node's revision by reading it under its lock; the new revision."""

    async def work(transaction: Transaction) -> int:
        rows = await transaction.run(LOCK, id=node_id, token=uuid4().hex)
        revision = rows[0]["revision"] + 1
        await transaction.run(GROW, id=node_id, revision=revision)
        return revision

    return await database.write(work, queue=queue)


async def revisions(database: Database, node_id: str) -> list[int]:
    """The revision of each node of this id: one, or none."""
    return [row["revision"] for row in await database.run(FIND, id=node_id)]


async def test_a_read_gives_rows_by_column(database: Database) -> None:
    rows = await database.run(statement("UNWIND [1, 2] AS n RETURN n, {twice: n * 2, none: null} AS more"))
    assert rows == [{"n": 1, "more": {"twice": 2, "none": None}}, {"n": 2, "more": {"twice": 4, "none": None}}]


async def test_a_transaction_sees_what_it_wrote_and_others_do_not_until_it_commits(database: Database) -> None:
    node = new_id(Kind.GROUP)

    async def work(transaction: Transaction) -> list[int]:
        await transaction.run(CREATE, id=node)
        assert await revisions(database, node) == []
        return [row["revision"] for row in await transaction.run(FIND, id=node)]

    assert await database.write(work, queue=node) == [0]
    assert await revisions(database, node) == [0]


async def test_open_sessions_are_counted_until_they_end(database: Database) -> None:
    async def inner(transaction: Transaction) -> int:
        await transaction.run(FIND, id="nobody")
        return database.sessions

    async def outer(transaction: Transaction) -> tuple[int, int]:
        await transaction.run(FIND, id="nobody")
        return database.sessions, await database.write(inner, queue="inner")

    assert await database.write(outer, queue="outer") == (1, 2)
    with pytest.raises(CypherSyntaxError):
        await database.run(BAD)
    assert database.sessions == 0


async def test_work_that_fails_leaves_nothing(database: Database) -> None:
    node = new_id(Kind.GROUP)

    async def work(transaction: Transaction) -> None:
        await transaction.run(CREATE, id=node)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await database.write(work, queue=node)
    assert await revisions(database, node) == []


@pytest.mark.parametrize("same_queue", [True, False])
async def test_writers_of_one_node_lose_no_update(engine: Address, database: Database, same_queue: bool) -> None:
    node = new_id(Kind.GROUP)
    await create(database, node)
    async with connected(engine) as other:
        writers = (
            grow(each, node, "one" if same_queue else f"{number}") for number in range(16) for each in (database, other)
        )
        results = await asyncio.gather(*writers)
    assert sorted(results) == list(range(1, 33))
    assert await revisions(database, node) == [32]


async def test_the_same_id_again_is_a_duplicate_and_changes_nothing(database: Database) -> None:
    node = new_id(Kind.GROUP)
    await create(database, node)
    await grow(database, node, node)
    with pytest.raises(Duplicate):
        await create(database, node)
    assert await revisions(database, node) == [1]


async def test_of_two_who_create_one_id_at_once_one_is_a_duplicate(engine: Address, database: Database) -> None:
    node = new_id(Kind.GROUP)
    async with connected(engine) as other:
        outcomes = await asyncio.gather(create(database, node), create(other, node), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Duplicate", "NoneType"]
    assert await revisions(database, node) == [0]


async def test_a_wrong_statement_is_the_engine_s_own_error(database: Database) -> None:
    with pytest.raises(CypherSyntaxError):
        await database.run(BAD)


@pytest.mark.parametrize(("cut", "there"), [(Cut.BEFORE, []), (Cut.AFTER, [0])])
async def test_a_commit_without_an_answer_is_unknown(
    engine: Address, database: Database, cut: Cut, there: list[int]
) -> None:
    node = new_id(Kind.GROUP)
    async with proxied(engine) as (proxy, address), connected(address) as far:
        assert await far.ready()
        proxy.cut(cut)
        with pytest.raises(CommitUnknown):
            await create(far, node)
        assert proxy.done == [cut]
        assert await revisions(database, node) == there
        await create(far, new_id(Kind.GROUP))


async def test_nothing_that_listens_is_unavailable(engine: Address) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        gone = Address(f"bolt://127.0.0.1:{closed.getsockname()[1]}", engine.username, engine.password, engine.database)
        async with connected(gone) as database:
            assert not await database.ready()
            with pytest.raises(EngineUnavailable):
                await database.run(FIND, id="x")
            with pytest.raises(EngineUnavailable):
                await create(database, "x")


async def test_an_engine_that_refuses_the_user_is_unavailable(engine: Address) -> None:
    async with connected(replace(engine, username="nobody")) as database:
        with pytest.raises(EngineUnavailable):
            await database.run(FIND, id="x")
        with pytest.raises(EngineUnavailable):
            await create(database, "x")
        with pytest.raises(EngineUnavailable):
            await database.execute([CREATE.text])


async def test_connections_that_are_cut_are_made_anew(engine: Address) -> None:
    node = new_id(Kind.GROUP)
    async with proxied(engine) as (proxy, address), connected(address) as far:
        await create(far, node)
        await proxy.close()
        assert await revisions(far, node) == [0]
        await proxy.close()
        assert await grow(far, node, node) == 1


async def test_every_statement_is_observed_by_its_name(engine: Address) -> None:
    seen: list[tuple[str, str]] = []

    def observe(name: str, seconds: float, outcome: str) -> None:
        assert seconds >= 0
        seen.append((name, outcome))

    database = Database.connect(engine.uri, engine.username, engine.password, engine.database, observe)
    try:
        await database.run(FIND, id="x")
        with pytest.raises(CypherSyntaxError):
            await database.run(BAD)
        await create(database, new_id(Kind.GROUP))
    finally:
        await database.close()
    assert seen == [
        ("test.statement", "ok"),
        ("test.statement", "failed"),
        ("test.statement", "ok"),
        ("commit", "ended"),
    ]
