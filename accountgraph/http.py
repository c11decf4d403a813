"""GraphQL over HTTP, as https://graphql.github.io/graphql-over-http/draft/ has it: POST, and GET for queries."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send
from strawberry import Schema
from ulid import ULID

from accountgraph import logs
from accountgraph.answer_size import encoded
from accountgraph.callers import Callers
from accountgraph.documents import Documents
from accountgraph.errors import Code, body, has_code, internal
from accountgraph.execution import Answer, Authenticate, ContextFactory, Execution, Work
from accountgraph.gate import Gate
from accountgraph.incoming import Buffer, HttpRefused, Incoming, read
from accountgraph.limits import Limits
from accountgraph.metrics import Metrics
from accountgraph.negotiation import JSON, RESPONSE_JSON, choose_answer_type
from accountgraph.tracing import NoTracing, Tracing
from graph.errors import GraphError
from resolvers.compiling.reads import CompiledReads
from services.problems import Refused

QUICK_SECONDS = 0.05
"""An answer that takes longer is watched for a caller who goes away."""
log = structlog.get_logger()


class GraphQLEndpoint:
    """The ASGI application at /graphql. `gate` must be open before it takes requests."""

    def __init__(
        self,
        schema: Schema,
        context_factory: ContextFactory,
        authenticate: Authenticate,
        *,
        gate: Gate,
        callers: Callers | None = None,
        limits: Limits | None = None,
        metrics: Metrics | None = None,
        tracing: Tracing | None = None,
        sizes: Mapping[str, int] | None = None,
        read_seconds: float = 30.0,
        compiled: CompiledReads | None = None,
    ) -> None:
        self._limits = limits or Limits()
        self._execution = Execution(
            schema,
            context_factory,
            authenticate,
            self._limits,
            sizes=sizes,
            read_seconds=read_seconds,
            compiled=compiled,
        )
        self._authenticate = authenticate
        self._gate = gate
        self._callers = callers or Callers()
        self._metrics = metrics or Metrics()
        self._tracing = tracing or NoTracing()
        self._buffer = Buffer()
        self._unwatched: set[asyncio.Task[Answer]] = set()

    @property
    def documents(self) -> Documents:
        """The documents that are kept."""
        return self._execution.documents

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one HTTP request."""
        request = Request(scope, receive)
        answer_type = choose_answer_type(request.headers.get("accept"))
        work = Work(address=request.client.host if request.client else None, request_id=_request_id(scope))
        started = time.perf_counter()
        with self._tracing.request(request.headers) as facts:
            try:
                answer = await self._answer(request, answer_type, work)
            except ClientDisconnect:
                log.info("caller_went_away", kind=work.kind, operation=work.operation)
                return
            except HttpRefused as refusal:
                answer = Answer(errors=refusal.errors, status=refusal.status, headers=refusal.headers)
            except Exception as fault:
                answer = Answer(errors=[internal(fault)], status=500)
            status = answer.status or _status(answer, answer_type)
            facts.update(self._tell(work, answer, status, time.perf_counter() - started))
        await _send(send, answer, status, answer_type or JSON)

    async def _answer(self, request: Request, answer_type: str | None, work: Work) -> Answer:
        with self._buffer.hold() as take:
            incoming = await read(request, self._limits, take)
            if answer_type is None:
                message = f"Accept should take {JSON} or {RESPONSE_JSON}."
                raise HttpRefused(406, body(message, Code.NOT_ACCEPTABLE))
            self._gate.check()
            logs.bind(operation_id=incoming.operation_id)
            token = token_of(request.headers.get("authorization"))
            task = asyncio.create_task(self._run(incoming, token, work))
            return await self._watched(task, request, work)

    async def _run(self, incoming: Incoming, token: str | None, work: Work) -> Answer:
        caller = self._callers.of(token, work.address)
        async with self._gate.entered(caller):
            # A compiled read does not tell whose token it is, and who waits shall wait in the right list.
            if token is not None and self._gate.waiting and not self._callers.knows(token):
                with suppress(Refused, GraphError):
                    await self._authenticate(token)
            return await self._execution.run(incoming, token, work)

    async def _watched(self, task: asyncio.Task[Answer], request: Request, work: Work) -> Answer:
        try:
            await asyncio.wait({task}, timeout=QUICK_SECONDS)
            if not task.done():
                gone = asyncio.create_task(_until_gone(request))
                try:
                    await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    gone.cancel()
            if task.done():
                return task.result()
        except asyncio.CancelledError:
            self._let_go(task, work)
            raise
        self._let_go(task, work)
        raise ClientDisconnect

    def _let_go(self, task: asyncio.Task[Answer], work: Work) -> None:
        # A mutation that has begun is finished, so that repeating its operationId finds the outcome.
        if work.must_finish:
            self._unwatched.add(task)
            task.add_done_callback(self._unwatched.discard)
        else:
            task.cancel()

    def _tell(self, work: Work, answer: Answer, status: int, seconds: float) -> dict[str, str | int]:
        outcome = _outcome(answer)
        if work.kind and answer.has_data:
            self._metrics.observe_request(work.operation, work.kind, outcome, seconds)
        elif answer.errors:
            self._metrics.observe_refusal(str(answer.errors[0]["extensions"]["code"]))
        kind = work.kind or "none"
        code = answer.errors[0]["extensions"]["code"] if answer.errors else None
        log.info(
            "request",
            kind=kind,
            operation=work.operation,
            outcome=outcome,
            status=status,
            code=code,
            milliseconds=round(seconds * 1000, 2),
        )
        return {"name": f"{kind} {work.operation or ''}".strip(), "outcome": outcome, "http.status": status}


def _outcome(answer: Answer) -> str:
    if has_code(answer.errors, Code.INTERNAL):
        return "failed"
    if not answer.has_data:
        return "refused"
    return "errors" if answer.errors else "ok"


def _status(answer: Answer, answer_type: str | None) -> int:
    if has_code(answer.errors, Code.UNAUTHENTICATED):
        return 401
    if answer.has_data or answer_type != RESPONSE_JSON:
        return 200
    return 500 if has_code(answer.errors, Code.INTERNAL) else 400


async def _send(send: Send, answer: Answer, status: int, answer_type: str) -> None:
    content = _encode(answer)
    headers = {
        "content-type": f"{answer_type}; charset=utf-8",
        "content-length": str(len(content)),
        **({"www-authenticate": "Bearer"} if status == 401 else {}),
        **{name.lower(): value for name, value in answer.headers.items()},
    }
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
    )
    await send({"type": "http.response.body", "body": content})


def _encode(answer: Answer) -> bytes:
    shown: dict[str, Any] = {}
    if answer.errors:
        shown["errors"] = answer.errors
    if answer.has_data:
        shown["data"] = answer.data
    return encoded(shown)


async def _until_gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def token_of(header: str | None) -> str | None:
    """The token that an Authorization header brings, or None where it brings none that can be one."""
    scheme, _, token = (header or "").partition(" ")
    token = token.strip()
    sane = scheme.lower() == "bearer" and 0 < len(token) <= 4096 and token.isascii() and token.isprintable()
    return token if sane else None


def _request_id(scope: Scope) -> str:
    return scope.get("state", {}).get("request_id") or str(ULID())
