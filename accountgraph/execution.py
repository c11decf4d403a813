"""From a client's request to the answer: who asks, what may be asked, and the operation itself."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from inspect import isawaitable
from typing import Any, Protocol, TypeGuard, cast

import orjson
from graphql import ExecutionResult, execute
from strawberry import Schema
from strawberry.execution import optimized_is_awaitable

from accountgraph import logs
from accountgraph.answer_size import ANSWER_SIZE, AnswerSize, CountingExecutor, surely_within
from accountgraph.documents import Document, DocumentRefused, Documents, Operation
from accountgraph.errors import (
    Code,
    ErrorBody,
    as_refusal,
    body,
    execution_errors,
    has_code,
    refused,
    variable_errors,
)
from accountgraph.incoming import HttpRefused, Incoming
from accountgraph.limits import Limits
from accountgraph.metrics import MAX_NAME_LENGTH
from graph.errors import EngineUnavailable
from resolvers.compiling.reads import CompiledReads
from services.problems import Refused

UNAUTHENTICATED = "Sign in first: a valid token belongs into the header Authorization, after the word Bearer."


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, for the context of the resolvers."""

    viewer: Any
    """What `authenticate` gave; None where the operation needs no sign-in."""
    request_id: str
    address: str | None
    kind: str
    """query, mutation or subscription."""
    operation: str | None
    """The operation's name, as the client's document has it."""
    refusal: Refused | None = None
    """Why it cannot be told who asks. A mutation answers it as its problem before it does anything."""


class Authenticate(Protocol):
    """Tells who holds a token."""

    async def __call__(self, token: str) -> Any | None:
        """The viewer, or None where the token is not valid. Raises Refused where that cannot be told."""
        ...


_is_awaitable = cast("Callable[[Any], TypeGuard[Awaitable[Any]]]", optimized_is_awaitable)
ContextFactory = Callable[[Caller], Any]


@dataclass(slots=True)
class Work:
    """What is known of a request while it is worked on."""

    request_id: str
    address: str | None = None
    kind: str | None = None
    operation: str | None = None
    must_finish: bool = False
    """True from the moment that a mutation begins."""


@dataclass(slots=True)
class Answer:
    """What is answered. Without data it is a request error; `status` None leaves the choice to the media type."""

    errors: list[ErrorBody] = field(default_factory=list[ErrorBody])
    data: Any = None
    has_data: bool = False
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


class Execution:
    """Runs operations of one schema."""

    def __init__(
        self,
        schema: Schema,
        context_factory: ContextFactory,
        authenticate: Authenticate,
        limits: Limits,
        *,
        sizes: Mapping[str, int] | None = None,
        read_seconds: float = 30.0,
        compiled: CompiledReads | None = None,
    ) -> None:
        self.documents = Documents(schema, limits, sizes)
        self._compiled = compiled
        self._context_factory = context_factory
        self._authenticate = authenticate
        self._limits = limits
        self._read_seconds = read_seconds
        self._encode = partial(surely_within, most=limits.answer_bytes)

    async def run(self, incoming: Incoming, token: str | None, work: Work) -> Answer:
        """The answer to a request. Raises HttpRefused for what HTTP itself has a status for."""
        if token is not None and (answer := await self._read(incoming, token, work)):
            return answer
        viewer, refusal = await self._viewer(token)
        try:
            if viewer is None and refusal is None:
                document, operation = self._for_stranger(incoming)
            else:
                document = self.documents.read(incoming.query)
                operation = document.operation(incoming.operation_name)
            self._check(document, operation, incoming)
        except DocumentRefused as problem:
            return Answer(errors=problem.errors)
        if viewer is not None:
            self.documents.keep(document)
        self._name(operation, work)
        if refusal and operation.kind == "query" and not operation.is_open:
            return Answer(errors=[refused(refusal)])
        caller = Caller(viewer, work.request_id, work.address, operation.kind, operation.name, refusal)
        return await self._execute(document, operation, incoming, caller, work)

    async def _read(self, incoming: Incoming, token: str, work: Work) -> Answer | None:
        """The answer by a compiled read, which asks itself who holds the token; None where it is to be executed."""
        document = self.documents.known(incoming.query)
        if self._compiled is None or document is None:
            return None
        try:
            operation = document.operation(incoming.operation_name)
            if operation.kind != "query":
                return None
            self._check(document, operation, incoming)
        except DocumentRefused:
            return None
        operation.compiled = operation.compiled or self._compiled.compiled(operation.node, operation.fragments)
        try:
            async with asyncio.timeout(self._read_seconds):
                text = await self._compiled.answer(operation.compiled, token, incoming.variables, self._encode)
        except TimeoutError:
            answer = self._too_late()
        except EngineUnavailable as fault:
            refusal = as_refusal(fault)
            assert refusal, "an engine that does not answer is a refusal"
            answer = Answer(errors=[refused(refusal)])
        else:
            answer = None if text is None else Answer(data=orjson.Fragment(text), has_data=True)
        if answer is not None:
            self.documents.used(document)
            self._name(operation, work)
        return answer

    def _name(self, operation: Operation, work: Work) -> None:
        work.kind, work.operation = operation.kind, (operation.name or "")[:MAX_NAME_LENGTH] or None
        logs.bind(operation=work.operation)

    async def _viewer(self, token: str | None) -> tuple[Any, Refused | None]:
        if token is None:
            return None, None
        try:
            return await self._authenticate(token), None
        except Exception as fault:
            if refusal := as_refusal(fault):
                return None, refusal
            raise

    def _for_stranger(self, incoming: Incoming) -> tuple[Document, Operation]:
        try:
            if len(incoming.query) > self._limits.stranger_characters:
                raise _unauthenticated()
            document = self.documents.read(incoming.query)
            operation = document.operation(incoming.operation_name)
        except DocumentRefused:
            raise _unauthenticated() from None
        if not operation.is_open:
            raise _unauthenticated()
        if len(operation.root_fields) > self._limits.stranger_fields:
            message = f"At most {self._limits.stranger_fields} fields are taken before sign-in."
            raise DocumentRefused(body(message, Code.LIMIT_EXCEEDED))
        return document, operation

    def _check(self, document: Document, operation: Operation, incoming: Incoming) -> None:
        if incoming.by_get and operation.kind != "query":
            message = f"A {operation.kind} is not asked by GET."
            raise HttpRefused(405, body(message, Code.METHOD_NOT_ALLOWED), headers={"Allow": "POST"})
        self.documents.validate(document)
        if operation.kind == "subscription":
            message = "A subscription has many answers, and a plain HTTP request has one."
            raise DocumentRefused(body(message, Code.BAD_REQUEST))
        nodes = operation.cost.nodes(incoming.variables)
        if nodes > self._limits.nodes:
            message = (
                f"The request asks for up to {nodes:,} objects, and at most {self._limits.nodes:,} are taken."
                " Ask for smaller pages."
            )
            raise DocumentRefused(body(message, Code.LIMIT_EXCEEDED))

    async def _execute(
        self, document: Document, operation: Operation, incoming: Incoming, caller: Caller, work: Work
    ) -> Answer:
        work.must_finish = operation.kind == "mutation"
        context = self._context_factory(caller)
        timeout = asyncio.timeout(None if work.must_finish else self._read_seconds)
        size = AnswerSize(self._limits.answer_bytes, _nothing if work.must_finish else lambda: _end(timeout))
        ANSWER_SIZE.set(size)
        try:
            async with timeout:
                result = execute(
                    self.documents.schema,
                    document.ast,
                    context_value=context,
                    variable_values=incoming.variables,
                    operation_name=incoming.operation_name,
                    executor_class=CountingExecutor,
                    is_awaitable=_is_awaitable,
                    hide_suggestions=True,
                    operation_extensions=incoming.extensions,
                )
                if isawaitable(result):
                    result = await result
        except TimeoutError:
            if size.exceeded:
                return self._too_large(work)
            return self._too_late()
        return self._too_large(work) if size.exceeded else _answer_of(result)

    def _too_late(self) -> Answer:
        message = f"The answer took longer than {self._read_seconds:g} seconds. Ask for less."
        return Answer(errors=[body(message, Code.UNAVAILABLE)])

    def _too_large(self, work: Work) -> Answer:
        message = f"The answer is larger than the {self._limits.answer_bytes:,} bytes that are taken. Ask for less."
        if work.must_finish:
            message += " The mutation was worked on: the same operationId with fewer fields tells its outcome."
        return Answer(errors=[body(message, Code.LIMIT_EXCEEDED)])


def _nothing() -> None:
    """What has begun to change the graph is not given up."""


def _end(timeout: asyncio.Timeout) -> None:
    timeout.reschedule(asyncio.get_running_loop().time())


def _answer_of(result: ExecutionResult) -> Answer:
    errors = result.errors or []
    # Without a path an error is about the request: its variables do not fit, so nothing was executed.
    if result.data is None and errors and not any(error.path for error in errors):
        return Answer(errors=variable_errors(errors))
    answer = Answer(errors=execution_errors(errors), data=result.data, has_data=True)
    if has_code(answer.errors, Code.UNAUTHENTICATED):
        return Answer(errors=[body(UNAUTHENTICATED, Code.UNAUTHENTICATED)])
    return answer


def _unauthenticated() -> DocumentRefused:
    return DocumentRefused(body(UNAUTHENTICATED, Code.UNAUTHENTICATED))
