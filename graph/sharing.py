"""Shared statements: reads of the same query that arrive while one of them is in flight go to the database together.

The first call runs at once and alone, so an idle server adds no wait. What arrives meanwhile makes up the next
statement, which begins when the one in flight returns: each statement begins after the calls that it answers, and so
shows all that was committed before them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterator, Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, cast

from graph.query import Query

Row = dict[str, Any]
Run = Callable[[Query, Row], Awaitable[list[Row]]]
Carried = Callable[[str, int], None]

LARGEST_CALL = 100
"""A call for more ids than this runs alone: nobody shall wait for it."""
MOST_CALLS = 64
MOST_IDS = 500
"""What one statement takes at most; the rest makes up the next one."""
PATIENCE_SECONDS = 0.05
"""A statement that takes longer is no longer waited for, so that what is slow or stuck stalls nobody else."""


@dataclass(slots=True, eq=False)
class _Call:
    """A caller who waits: the ids asked for, where the rows go, and the context that the call was made in."""

    ids: Sequence[Hashable]
    answer: asyncio.Future[list[Row]]
    context: Context = field(default_factory=copy_context)


@dataclass(slots=True, eq=False)
class _Line:
    """The calls of one query with equal other parameters, while a statement of it is in flight that others wait for."""

    query: Query
    others: Row
    turn: int = 0
    """Which statement that is; one that took too long is not it any more."""
    waiting: list[_Call] = field(default_factory=list[_Call])
    timer: asyncio.TimerHandle | None = None


class Sharing:
    """Puts calls together and gives each its own rows. `run` sends a statement; `carried` is told its calls."""

    def __init__(self, run: Run, carried: Carried) -> None:
        self._run = run
        self._carried = carried
        self._lines: dict[Hashable, _Line] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, query: Query, parameters: Row) -> list[Row]:
        """The rows of a query that is shared `by` a list. Raises what the statement of this call alone would raise."""
        assert query.by is not None
        ids: Sequence[Hashable] = parameters[query.by]
        if len(ids) > LARGEST_CALL or len(set(ids)) < len(ids):
            return await self._alone(query, parameters)
        key = (query.text, *(_part(name, value) for name, value in parameters.items() if name != query.by))
        line = self._lines.get(key)
        if line is not None:
            return await self._together(key, line, ids)
        others = {name: value for name, value in parameters.items() if name != query.by}
        line = self._lines[key] = _Line(query, others)
        try:
            return await self._alone(query, parameters)
        finally:
            self._returned(key, line, 0)

    async def _alone(self, query: Query, parameters: Row) -> list[Row]:
        self._carried(query.name, 1)
        return await self._run(query, parameters)

    async def _together(self, key: Hashable, line: _Line, ids: Sequence[Hashable]) -> list[Row]:
        loop = asyncio.get_running_loop()
        call = _Call(ids, loop.create_future())
        line.waiting.append(call)
        if line.timer is None:
            line.timer = loop.call_later(PATIENCE_SECONDS, self._begin, key, line)
        return await call.answer

    def _returned(self, key: Hashable, line: _Line, turn: int) -> None:
        if line.turn == turn:
            self._begin(key, line)

    def _begin(self, key: Hashable, line: _Line) -> None:
        """Sends a statement for the first who wait, or forgets the line where nobody does."""
        line.turn += 1
        if line.timer is not None:
            line.timer.cancel()
            line.timer = None
        line.waiting = [call for call in line.waiting if not call.answer.done()]
        if not line.waiting:
            del self._lines[key]
            return
        calls = list(_first(line.waiting))
        line.waiting = line.waiting[len(calls) :]
        loop = asyncio.get_running_loop()
        task = loop.create_task(self._answer(key, line, calls, line.turn), context=calls[0].context)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if line.waiting:
            line.timer = loop.call_later(PATIENCE_SECONDS, self._begin, key, line)

    async def _answer(self, key: Hashable, line: _Line, calls: Sequence[_Call], turn: int) -> None:
        try:
            await self._answer_together(line, calls)
        finally:
            for call in calls:
                call.answer.cancel()  # only where this task was: each has its rows or its error otherwise
            self._returned(key, line, turn)

    async def _answer_together(self, line: _Line, calls: Sequence[_Call]) -> None:
        query = line.query
        assert query.by is not None
        wanted = list(dict.fromkeys(one for call in calls for one in call.ids))
        self._carried(query.name, len(calls))
        try:
            rows = await self._run(query, {**line.others, query.by: wanted})
            own = _apart([(wanted[row[query.of]] if query.placed else row[query.of], row) for row in rows], calls)
        except Exception as error:
            if len(calls) == 1:
                _fail(calls[0], error)
            else:
                await asyncio.gather(*(self._answer_alone(line, call) for call in calls))
            return
        for call, rows in zip(calls, own, strict=True):
            if not call.answer.done():
                call.answer.set_result(rows)

    async def _answer_alone(self, line: _Line, call: _Call) -> None:
        """Answers a call of a statement that failed: the fault may be another's."""
        if call.answer.done():
            return
        try:
            rows = await self._alone(line.query, {**line.others, cast("str", line.query.by): list(call.ids)})
        except Exception as error:
            _fail(call, error)
        else:
            if not call.answer.done():
                call.answer.set_result(rows)


def _fail(call: _Call, error: Exception) -> None:
    if not call.answer.done():
        call.answer.set_exception(error)


def _first(waiting: Sequence[_Call]) -> Iterator[_Call]:
    """The first of those who wait, as many as one statement takes, and one at least."""
    ids = 0
    for call in islice(waiting, MOST_CALLS):
        ids += len(call.ids)
        if ids > MOST_IDS:
            return
        yield call


def _apart(rows: Sequence[tuple[Hashable, Row]], calls: Sequence[_Call]) -> list[list[Row]]:
    """Each call's own rows, in their order; what several asked for is copied, so that none shares a row."""
    own: list[list[Row]] = [[] for _ in calls]
    asked: dict[Hashable, list[list[Row]]] = {}
    for call, found in zip(calls, own, strict=True):
        for one in call.ids:
            asked.setdefault(one, []).append(found)
    for one, row in rows:
        first, *more = asked[one]
        first.append(row)
        for found in more:
            found.append(_copied(row))
    return own


def _copied(value: Any) -> Any:
    """A copy of a value of the engine's: maps, lists, and what nobody can change."""
    if isinstance(value, dict):
        return {name: _copied(each) for name, each in cast("Row", value).items()}
    if isinstance(value, list):
        return [_copied(each) for each in cast("list[Any]", value)]
    return value


def _part(name: str, value: Any) -> Hashable:
    """A parameter as part of a key; values of different types differ, also where Python calls them equal."""
    return name, _frozen(value)


def _frozen(value: Any) -> Hashable:
    if isinstance(value, dict):
        return dict, tuple((name, _frozen(each)) for name, each in cast("Row", value).items())
    if isinstance(value, list | tuple):
        return list, tuple(_frozen(each) for each in cast("Sequence[Any]", value))
    return type(value), value
