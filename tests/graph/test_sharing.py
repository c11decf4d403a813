"""Shared statements: who is put together, that each gets what it would get alone, and that nothing older is shown."""

import asyncio
from collections.abc import AsyncGenerator, Hashable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from graph.database import Database, Row, Transaction
from graph.errors import EngineUnavailable
from graph.ids import Kind, new_id
from graph.query import Query
from graph.sharing import LARGEST_CALL, MOST_CALLS, Sharing
from tests.support.graphs import connected, statement
from tests.support.house import Address

pytestmark = pytest.mark.anyio

CREATE = statement("UNWIND $ids AS id CREATE (g:Group {id: id, revision: 0, locks: ['name']})")
GROW = statement("MATCH (g:Group {id: $id}) SET g.revision = g.revision + 1")
FIND = Query.compiled(
    "test.find", "UNWIND $ids AS id MATCH (g:Group {id: id}) RETURN id, g {.revision, .locks} AS node", by="ids"
)
DIVIDE = Query.compiled("test.divide", "UNWIND $ids AS id RETURN id, 12 / size(id) AS part", by="ids")
PLACED = Query.compiled(
    "test.placed",
    "UNWIND range(size($ids) - 1, 0, -1) AS at WITH at, $ids[at] AS id RETURN at, id[0] + id[1] AS both",
    by="ids",
    of="at",
    placed=True,
)
ECHO = Query.compiled("test.echo", "UNWIND $ids AS id RETURN id, $word AS word", by="ids")


class Stage:
    """Sends statements to the engine, one by one where told so, and tells which ids each of them had."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.sharing = Sharing(self._run, self._carried)
        self.sent: list[list[str]] = []
        self.carried: list[int] = []
        self.returned = asyncio.Event()
        """Set when the engine has answered a statement that is held back."""
        self._open = asyncio.Event()
        self._open.set()

    def find(self, *ids: str) -> asyncio.Task[list[Row]]:
        """A call that is under way."""
        return self.ask(FIND, *ids)

    def ask(self, query: Query, *ids: Hashable, **others: Any) -> asyncio.Task[list[Row]]:
        """A call of any query that is under way."""
        return asyncio.create_task(self.sharing.run(query, {"ids": list(ids), **others}))

    @asynccontextmanager
    async def busy(self, *ids: str) -> AsyncGenerator[asyncio.Task[list[Row]]]:
        """A first statement for these ids that the engine has answered, and whose rows do not come before the end."""
        self._open.clear()
        first = self.find(*ids)
        await self.returned.wait()
        yield first
        self._open.set()

    async def _run(self, query: Query, parameters: Row) -> list[Row]:
        held = not self._open.is_set() and not self.returned.is_set()
        self.sent.append(list(parameters["ids"]))
        rows = await self._database.run(statement(query.text), **parameters)
        if held:
            self.returned.set()
            await self._open.wait()
        return rows

    def _carried(self, name: str, calls: int) -> None:
        assert name.startswith("test.")
        self.carried.append(calls)


@pytest.fixture
def stage(database: Database) -> Stage:
    """Sharing over the run's engine."""
    return Stage(database)


@pytest.fixture
async def groups(database: Database) -> list[str]:
    """The ids of some groups."""
    ids = [new_id(Kind.GROUP) for _ in range(5)]

    async def work(transaction: Transaction) -> None:
        await transaction.run(CREATE, ids=ids)

    await database.write(work, queue=ids[0])
    return ids


async def grow(database: Database, node_id: str) -> None:
    """Adds one to a group's revision."""

    async def work(transaction: Transaction) -> None:
        await transaction.run(GROW, id=node_id)

    await database.write(work, queue=node_id)


def row(node_id: str, revision: int = 0) -> Row:
    """What FIND tells of a group."""
    return {"id": node_id, "node": {"revision": revision, "locks": ["name"]}}


async def soon() -> None:
    """Lets what is ready run."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_calls_that_meet_nobody_run_at_once_and_alone(stage: Stage, groups: list[str]) -> None:
    a, b, *_ = groups
    assert await stage.find(a, b) == [row(a), row(b)]
    assert await stage.find(a) == [row(a)]
    assert stage.sent == [[a, b], [a]]
    assert stage.carried == [1, 1]


async def test_calls_that_arrive_meanwhile_go_together_and_each_gets_its_own(stage: Stage, groups: list[str]) -> None:
    a, b, c, *_ = groups
    nobody = new_id(Kind.GROUP)
    async with stage.busy(a) as first:
        calls = [stage.find(b), stage.find(b, c), stage.find(nobody), stage.find(a), stage.find()]
        await soon()
        assert stage.sent == [[a]]
    assert await first == [row(a)]
    found = await asyncio.gather(*calls)
    assert found == [[row(b)], [row(b), row(c)], [], [row(a)], []]
    assert stage.sent == [[a], [b, c, nobody, a]]
    assert stage.carried == [1, 5]


async def test_no_two_callers_have_a_row_in_common(stage: Stage, groups: list[str]) -> None:
    a, b, *_ = groups
    async with stage.busy(a):
        calls = [stage.find(b), stage.find(b)]
        await soon()
    (one,), (other,) = await asyncio.gather(*calls)
    one["node"]["locks"].append("changed")
    one["node"]["revision"] = 7
    assert other == row(b)


async def test_ids_of_several_values_are_told_by_their_place(stage: Stage) -> None:
    asked = ([("b", "a")], [("b", "c")], [("b", "a"), ("c", "a")], [("b", "a")])
    found = await asyncio.gather(*(stage.ask(PLACED, *ids) for ids in asked))
    assert [sorted(row["both"] for row in rows) for rows in found] == [["ba"], ["bc"], ["ba", "ca"], ["ba"]]
    assert stage.carried == [1, 3]


async def test_what_was_committed_before_a_call_is_seen_by_it(
    stage: Stage, database: Database, groups: list[str]
) -> None:
    a, *_ = groups
    async with stage.busy(a) as first:
        await grow(database, a)
        second = stage.find(a)
        await soon()
    assert await first == [row(a)]
    assert await second == [row(a, 1)]


async def test_calls_under_load_never_see_less_than_was_committed_before_them(
    engine: Address, database: Database, groups: list[str]
) -> None:
    carried: list[int] = []
    committed = dict.fromkeys(groups, 0)

    async def write(node: str) -> None:
        for _ in range(10):
            await grow(database, node)
            committed[node] += 1

    async def read(reading: Database, node: str) -> None:
        while committed[node] < 10:
            least = committed[node]
            (found,) = await reading.run(FIND, ids=[node])
            assert found["id"] == node
            assert found["node"]["revision"] >= least

    async with connected(engine, carried=lambda _, calls: carried.append(calls)) as reading:
        readers = [read(reading, node) for node in groups for _ in range(3)]
        await asyncio.gather(*(write(node) for node in groups), *readers)
    assert max(carried) > 1


@pytest.mark.parametrize("word", [1.0, True, "1", None, [1], {"a": 1}])
async def test_other_parameters_keep_calls_apart(stage: Stage, word: Any) -> None:
    gate = asyncio.gather(*(stage.ask(ECHO, "a", word=each) for each in (1, word)))
    (one,), (other,) = await gate
    assert (one["word"], other["word"]) == (1, word)
    assert (type(one["word"]), type(other["word"])) == (int, type(word))
    assert stage.carried == [1, 1]


async def test_equal_parameters_put_calls_together(stage: Stage) -> None:
    calls = [stage.ask(ECHO, each, word=["x", {"y": 1}]) for each in ("a", "b", "c")]
    assert await asyncio.gather(*calls) == [[{"id": each, "word": ["x", {"y": 1}]}] for each in ("a", "b", "c")]
    assert stage.carried == [1, 2]


async def test_a_fault_is_told_to_its_own_caller_alone(stage: Stage) -> None:
    calls = [stage.ask(DIVIDE, each) for each in ("xx", "xxx", "", "xxxx")]
    found = await asyncio.gather(*calls, return_exceptions=True)
    assert [found[0], found[1], found[3]] == [[{"id": "x" * size, "part": 12 // size}] for size in (2, 3, 4)]
    assert isinstance(found[2], Exception)
    assert stage.carried == [1, 3, 1, 1, 1]


async def test_an_id_that_cannot_be_sent_fails_alone(stage: Stage, groups: list[str]) -> None:
    a, b, *_ = groups
    async with stage.busy(a):
        calls = [stage.find(b), stage.find("\ud800")]
        await soon()
    found = await asyncio.gather(*calls, return_exceptions=True)
    assert found[0] == [row(b)]
    assert isinstance(found[1], Exception)


async def test_an_engine_that_is_gone_is_told_to_each(stage: Stage, database: Database, groups: list[str]) -> None:
    a, b, *_ = groups
    async with stage.busy(a):
        calls = [stage.find(b), stage.find(a)]
        await soon()
        await database.close()
    found = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(each) for each in found] == [EngineUnavailable, EngineUnavailable]
    assert found[0] is not found[1]


async def test_a_caller_who_goes_takes_nothing_from_the_others(stage: Stage, groups: list[str]) -> None:
    a, b, c, *_ = groups
    async with stage.busy(a) as first:
        gone, stays = stage.find(b), stage.find(c)
        await soon()
        gone.cancel()
        await soon()
        first.cancel()
        assert await stays == [row(c)]
    with pytest.raises(asyncio.CancelledError):
        await first
    assert gone.cancelled()
    assert stage.sent == [[a], [c]]


async def test_nobody_is_asked_for_when_all_have_gone(stage: Stage, groups: list[str]) -> None:
    a, b, *_ = groups
    async with stage.busy(a) as first:
        gone = stage.find(b)
        await soon()
        gone.cancel()
        await soon()
    await first
    assert stage.sent == [[a]]
    assert await stage.find(b) == [row(b)]
    assert stage.sharing._lines == {}


async def test_a_statement_takes_so_many_calls_and_the_rest_goes_after_it(stage: Stage, groups: list[str]) -> None:
    a, *_ = groups
    async with stage.busy(a):
        calls = [stage.find(a) for _ in range(MOST_CALLS + 3)]
        await soon()
    assert await asyncio.gather(*calls) == [[row(a)]] * len(calls)
    assert stage.carried == [1, MOST_CALLS, 3]


async def test_large_calls_and_those_that_name_an_id_twice_go_alone(stage: Stage, groups: list[str]) -> None:
    a, b, *_ = groups
    many = [b, *(f"nobody {number}" for number in range(LARGEST_CALL))]
    async with stage.busy(a):
        assert await stage.find(*many) == [row(b)]
        assert await stage.find(a, a) == [row(a), row(a)]
    assert stage.carried == [1, 1, 1]


async def test_nobody_waits_long_for_a_statement_that_is_stuck(stage: Stage, groups: list[str]) -> None:
    a, b, c, *_ = groups
    async with stage.busy(a) as stuck:
        assert await asyncio.gather(stage.find(b), stage.find(c)) == [[row(b)], [row(c)]]
        assert await stage.find(b) == [row(b)]
        assert not stuck.done()
    assert await stuck == [row(a)]
    assert stage.sent == [[a], [b, c], [b]]
    assert stage.sharing._lines == {}


async def test_a_transaction_s_own_reads_are_not_shared(engine: Address, groups: list[str]) -> None:
    seen: list[str] = []
    carried: list[int] = []
    observers = {"observe": lambda name, *_: seen.append(name), "carried": lambda _, calls: carried.append(calls)}
    a, *_ = groups

    async def work(transaction: Transaction) -> list[Row]:
        await transaction.run(GROW, id=a)
        return await transaction.run(FIND, ids=[a])

    async with connected(engine, **observers) as database:
        assert await database.write(work, queue=a) == [row(a, 1)]
        assert carried == []
        assert await asyncio.gather(*(database.run(FIND, ids=[each]) for each in groups)) == [
            [row(each, int(each == a))] for each in groups
        ]
    assert carried == [1, 4]
    assert seen == ["test.statement", "test.find", "commit", "test.find", "test.find"]
