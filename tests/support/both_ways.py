"""A request answered both ways: by the compiled read where there is one, and by the executor."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import orjson
from typing_extensions import override

from accountgraph.documents import graphql_schema
from accountgraph.execution import Caller, Execution, Work
from accountgraph.http import _encode
from accountgraph.incoming import Incoming
from accountgraph.limits import Limits
from graph import clock, users
from graph.compiled import NAME
from graph.database import Reader, Transaction
from graph.ids import Kind, new_id
from graph.query import Query
from graph.unmoved import UNMOVED, Quiet
from resolvers.compiling.reads import CompiledReads
from resolvers.context import Context
from schema.compiled import COMPILED
from services.access import token_hash, viewer_of_token
from services.guard import Guard
from services.permissions import Viewer
from tests.support.house import House
from tests.support.reads import schema

Asked = tuple[str, str, dict[str, Any]]
"""A document, the token of who asks it, and its variables."""
MOST_CHANGES = 5
"""How often the graph may change between two answers to one question."""


@dataclass(slots=True)
class Told:
    """One way's answer: its bytes, and what the metrics are told of it."""

    text: bytes
    kind: str | None
    operation: str | None


@dataclass(slots=True)
class BothWays:
    """Two executions over one house, of which one compiles what it can."""

    house: House
    limits: Limits = field(default_factory=Limits)
    quiet: Quiet | None = None
    """Which tenants are quiet, where answers are to be kept."""
    texts: set[str] = field(default_factory=set[str])
    """The texts of the compiled statements so far."""
    calls: list[str] = field(default_factory=list[str])
    """The names of the statements so far that the compiled way ran, and of its sign-ins."""
    _fast: Execution = field(init=False)
    _plain: Execution = field(init=False)

    def __post_init__(self) -> None:
        reads = CompiledReads(graphql_schema(schema()), COMPILED, _Listening(self), self.quiet)
        self._fast = self._execution(reads)
        self._plain = self._execution(None)

    def _execution(self, reads: CompiledReads | None) -> Execution:
        async def authenticate(token: str) -> Viewer | None:
            self.calls.append("users.by_session")
            return await viewer_of_token(self.house.desk.database, token)

        def context_of(caller: Caller) -> Context:
            desk, pipeline = self.house.desk, self.house.pipeline
            return Context(desk=desk, pipeline=pipeline, guard=Guard(), viewer=caller.viewer, refusal=caller.refusal)

        return Execution(schema(), context_of, authenticate, self.limits, compiled=reads)

    async def same(self, document: str, token: str, /, **variables: Any) -> bool:
        """Whether a compiled read answered it; fails where the two answers differ in a byte.

        The executor answers before and after the compiled read. Where it says something else the second time, the graph
        changed meanwhile, or an engine did not answer it, and all is asked again.
        """
        asked = document, token, variables
        before = await _told(self._plain, *asked)
        await _told(self._fast, *asked)  # which keeps the document, so that it is compiled
        seen: list[str] = []
        for _ in range(MOST_CHANGES):
            given = len(self.calls)
            fast = await _told(self._fast, *asked)
            compiled = "users.by_session" not in self.calls[given:]
            after = await _told(self._plain, *asked)
            seen += [f"compiled {fast}", f"executor before {before}", f"executor after  {after}"]
            if before == after:
                assert fast == after, "\n".join([document, str(variables), *seen])
                return compiled
            before = after
        raise AssertionError("\n".join(["the executor's own answers differ", document, str(variables), *seen]))

    async def alone(self, asked: Sequence[Asked]) -> list[Told]:
        """What the executor says to each, one after the other; each is compiled when it is asked for the next time."""
        told = [await _told(self._plain, *each) for each in asked]
        for each in asked:
            await _told(self._fast, *each)
        return told

    async def fast(self, document: str, token: str, /, **variables: Any) -> Any:
        """What the compiled way says, decoded."""
        return orjson.loads((await _told(self._fast, document, token, variables)).text)

    async def together(self, asked: Sequence[Asked]) -> list[Told]:
        """What the compiled way says to each, all at the same time."""
        return await asyncio.gather(*(_told(self._fast, *each) for each in asked))


async def _told(execution: Execution, document: str, token: str, variables: dict[str, Any]) -> Told:
    work = Work(request_id="x")
    answer = await execution.run(Incoming(document, variables), token, work)
    return Told(_encode(answer), work.kind, work.operation)


async def session_of(house: House, user: str, *, lasts: timedelta = timedelta(hours=1)) -> str:
    """The token of a new session of the user; an ended one where it lasts less than nothing."""
    token, now = uuid4().hex, clock.now()
    row = {"id": new_id(Kind.SESSION), "hash": token_hash(token), "user": user, "at": clock.to_text(now)}
    row["until"] = clock.to_text(now + lasts)

    async def work(transaction: Transaction) -> None:
        await transaction.run(users.CREATE_SESSION, properties=row)

    await house.desk.database.write(work, queue=user)
    return token


class _Listening(Reader):
    """The house's database, which tells of the compiled statements."""

    def __init__(self, ways: BothWays) -> None:
        self._ways = ways

    @override
    async def run(self, query: Query, **parameters: Any) -> list[dict[str, Any]]:
        assert query.name in {NAME, UNMOVED.name}
        self._ways.calls.append(query.name)
        if query.name == NAME:
            self._ways.texts.add(query.text)
        return await self._ways.house.desk.database.run(query, **parameters)

    @override
    async def run_alone(self, tenants: Sequence[str], query: Query, **parameters: Any) -> list[dict[str, Any]]:
        raise AssertionError("a compiled read waits for nothing")

    @override
    def holds(self, tenants: Collection[str]) -> bool:
        return self._ways.house.desk.database.holds(tenants)
