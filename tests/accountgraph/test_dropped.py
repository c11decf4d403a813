"""Fields that are dropped since one beside them failed leave nothing behind that was never awaited."""

import asyncio
import gc
import sys
from collections.abc import Awaitable
from typing import cast

import pytest
import strawberry
from graphql import ExecutionResult, execute, parse

from accountgraph.answer_size import ANSWER_SIZE, AnswerSize, CountingExecutor
from accountgraph.documents import graphql_schema
from accountgraph.dropped import droppable

pytestmark = pytest.mark.anyio
DEEP = "{ leaf { a b leaf { a b leaves { a b leaf { a b } } } } bad(after: %d) }"
ASIDE = "{ leaf { maybe { a b leaf { a b now } x: leaf { a leaf { b a bad(after: %d) } } } } }"


async def failing(after: int) -> str:
    """Fails after so many turns of the loop."""
    for _ in range(after):
        await asyncio.sleep(0)
    raise ValueError("bad")


@strawberry.type
class Leaf:
    """A node whose fields are there at once, later, or never."""

    @strawberry.field
    async def a(self) -> str:
        """Is there in a moment."""
        return "a"

    @strawberry.field
    async def b(self) -> str:
        """As a."""
        return "b"

    @strawberry.field
    async def leaf(self) -> "Leaf":
        """Another one."""
        return Leaf()

    @strawberry.field
    async def leaves(self) -> "list[Leaf]":
        """Two others."""
        return [Leaf(), Leaf()]

    @strawberry.field
    async def maybe(self) -> "Leaf | None":
        """One that may be null."""
        return Leaf()

    @strawberry.field
    async def bad(self, after: int) -> str:
        """Fails later."""
        return await failing(after)

    @strawberry.field
    def now(self) -> str:
        """Fails at once."""
        raise ValueError("now")


@strawberry.type
class Query:
    """The fields of a query."""

    @strawberry.field
    async def leaf(self) -> Leaf:
        """A node."""
        return Leaf()

    @strawberry.field
    async def bad(self, after: int) -> str:
        """Fails later."""
        return await failing(after)


@pytest.mark.parametrize("document", [DEEP, ASIDE])
async def test_what_a_failure_drops_is_closed(document: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda fault: told.append(str(fault.exc_value)))
    schema = graphql_schema(strawberry.Schema(Query))
    for after in range(14):
        ANSWER_SIZE.set(AnswerSize(1_000, lambda: None))
        work = execute(schema, parse(document % after), executor_class=CountingExecutor)
        result = await cast("Awaitable[ExecutionResult]", work)
        assert len(result.errors or ()) == 1
        gc.collect()
    assert told == []


async def test_what_is_awaited_is_done_once() -> None:
    done: list[int] = []

    async def work() -> int:
        await asyncio.sleep(0)
        done.append(1)
        return 7

    assert await droppable(work()) == 7
    assert done == [1]
    assert droppable(7) == 7
