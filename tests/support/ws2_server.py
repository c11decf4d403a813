"""A protocol engine (WS2) on loopback: answers by the embedded rules, and misbehaves when told to."""

import asyncio
import json
import socket
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum, auto
from types import TracebackType
from typing import Any, Self, TypeAlias, cast

import uvicorn
from starlette.types import Message, Receive, Scope, Send

from graph.clock import from_text
from services.protocol.embedded import EmbeddedProtocol
from services.protocol.port import ProtocolOperation, ProtocolPort, Question

WAIT_SECONDS = 30.0
HUGE_CHUNKS, HUGE_CHUNK = 64, b" " * 65_536


class Fault(Enum):
    """How the server misbehaves, whatever is asked."""

    HELD = auto()  # answers only after release(), or never
    SLOW_BODY = auto()  # starts its answer, and ends it only after release()
    STATUS_500 = auto()
    REDIRECT = auto()  # to the same path under /elsewhere
    GARBAGE = auto()
    EMPTY = auto()
    NOT_AN_OBJECT = auto()
    TRUNCATED = auto()
    MISSING_FIELD = auto()  # the honest answer without one required field
    WRONG_TYPE = auto()  # a required field of the honest answer as an object
    CONTRADICTION = auto()  # a verdict that is APPROVED and cannot proceed; an honest answer otherwise
    TWICE = auto()  # the deciding key twice in one object
    HUGE = auto()  # a true answer after 4 MiB of blanks
    DEEP = auto()
    DROPPED = auto()


@dataclass(frozen=True)
class Recorded:
    """One request that arrived; `body` is its JSON, None where it had none."""

    method: str
    path: str
    body: dict[str, Any] | None
    headers: dict[str, str]


Answer: TypeAlias = "Mapping[str, Any] | Callable[[Recorded], Mapping[str, Any] | None] | None"

_DECIDING = {"/validate-protocol": "can_proceed", "/hitl-review": "review_id", "/health": "status"}


@dataclass
class ProtocolServer:
    """`async with ProtocolServer() as server:` serves at `server.url` from a thread of its own.

    `port` 0 takes a free one; a later server may be given the port of one that ended. `fault` holds until it is
    changed; `next_faults` are used up first, one a request. `answer` takes the place of the engine's verdict: a
    mapping answers /validate-protocol; a callable is asked on every path and may return None for the honest answer.
    `requests` lists what arrived; `most_at_once` is the most requests that were open together.
    """

    port: int = 0
    engine: ProtocolPort = field(default_factory=EmbeddedProtocol)
    fault: Fault | None = None
    answer: Answer = None
    next_faults: deque[Fault] = field(default_factory=deque[Fault])
    requests: list[Recorded] = field(default_factory=list[Recorded])
    most_at_once: int = 0

    def __post_init__(self) -> None:
        self._open = 0
        self._arrived = threading.Condition()
        self._free = False
        self._released = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._socket = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self.port = self._socket.getsockname()[1]
        config = uvicorn.Config(
            self._app,
            http="h11",
            ws="none",
            interface="asgi3",
            lifespan="off",
            log_config=None,
            proxy_headers=False,
            timeout_graceful_shutdown=5,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)

    @property
    def url(self) -> str:
        """The base URL; it takes connections as soon as the object exists."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Begins to serve."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the server and frees its port; a held request is let go first."""
        self.release()
        self._server.should_exit = True
        self._thread.join(WAIT_SECONDS)
        assert not self._thread.is_alive(), "the protocol server did not stop"
        self._socket.close()

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)

    def release(self) -> None:
        """Lets every held request, and every later one, go on."""
        self._free = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._released.set)

    async def received(self, count: int) -> None:
        """Waits until so many requests arrived since the start."""
        await asyncio.to_thread(self._wait_for, lambda: len(self.requests) >= count)

    async def idle(self) -> None:
        """Waits until no request is open."""
        await asyncio.to_thread(self._wait_for, lambda: self._open == 0)

    def _wait_for(self, holds: Callable[[], bool]) -> None:
        with self._arrived:
            assert self._arrived.wait_for(holds, WAIT_SECONDS), "the protocol server waited in vain"

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        self._loop = asyncio.get_running_loop()
        request = await _recorded(scope, receive)
        fault = self.next_faults.popleft() if self.next_faults else self.fault
        self._count(request)
        try:
            await self._reply(request, fault, receive, send)
        finally:
            self._count(None)

    def _count(self, request: Recorded | None) -> None:
        with self._arrived:
            self._open += 1 if request else -1
            self.most_at_once = max(self.most_at_once, self._open)
            if request:
                self.requests.append(request)
            self._arrived.notify_all()

    async def _reply(self, request: Recorded, fault: Fault | None, receive: Receive, send: Send) -> None:
        match fault:
            case Fault.DROPPED:
                _transport(send).abort()
            case Fault.TRUNCATED:
                _transport(send).write(b'HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"valid": true, "can_pro')
                _transport(send).close()
            case Fault.STATUS_500:
                await _respond(send, b'{"detail": "broken"}', status=500)
            case Fault.REDIRECT:
                await _respond(send, b"", status=307, location=f"/elsewhere{request.path}")
            case Fault.HUGE:
                await _respond(send, *([HUGE_CHUNK] * HUGE_CHUNKS), await self._body(request, None))
            case Fault.SLOW_BODY:
                await send(_start(200))
                await send({"type": "http.response.body", "body": b"{", "more_body": True})
                await self._held(receive)
                await send({"type": "http.response.body", "body": b"}"})
            case _:
                if fault is Fault.HELD:
                    await self._held(receive)
                await _respond(send, await self._body(request, fault))

    async def _held(self, receive: Receive) -> None:
        """Waits for release() or for the client to go, whichever is first."""
        if self._free:
            return
        released, gone = asyncio.ensure_future(self._released.wait()), asyncio.ensure_future(_gone(receive))
        await asyncio.wait({released, gone}, return_when=asyncio.FIRST_COMPLETED)
        released.cancel()
        gone.cancel()
        await asyncio.gather(released, gone, return_exceptions=True)

    async def _body(self, request: Recorded, fault: Fault | None) -> bytes:
        honest = await self._answered(request)
        deciding = _DECIDING.get(request.path, "confidence")
        match fault:
            case Fault.GARBAGE:
                return b"\xff\xfe<html>not what was asked</html>"
            case Fault.EMPTY:
                return b""
            case Fault.NOT_AN_OBJECT:
                return b'["APPROVED", true]'
            case Fault.DEEP:
                return b'{"violations": ' + b"[" * 100_000
            case Fault.MISSING_FIELD:
                honest.pop(deciding, None)
            case Fault.WRONG_TYPE:
                honest[deciding] = {"value": honest.get(deciding)}
            case Fault.CONTRADICTION if request.path == "/validate-protocol":
                honest |= {"valid": True, "can_proceed": True, "overall_status": "REJECTED"}
            case Fault.TWICE:
                twice = json.dumps({deciding: honest[deciding]})
                return f"{twice[:-1]}, {json.dumps(honest)[1:]}".encode()
            case _:
                pass
        return json.dumps(honest).encode()

    async def _answered(self, request: Recorded) -> dict[str, Any]:
        given = self.answer(request) if callable(self.answer) else self.answer
        if given is not None and (callable(self.answer) or request.path == "/validate-protocol"):
            return dict(given)
        return await _honest(self.engine, request)


async def _honest(engine: ProtocolPort, request: Recorded) -> dict[str, Any]:
    body = request.body or {}
    match request.path.split("/")[1]:
        case "health":
            return {"status": "up"}
        case "validate-protocol":
            facts = dict(body["trade_data"])
            operation = ProtocolOperation(facts.pop("operation"))
            asked = Question(body["account_id"], operation, from_text(body["timestamp"]), facts)
            return (await engine.validate(asked)).model_dump(mode="json", exclude_none=True)
        case "week-classification":
            week = await engine.classify_week(date.fromisoformat(request.path.rsplit("/", 1)[1]))
            condition = {} if week.market_condition is None else {"market_condition": week.market_condition}
            return {"week_type": week.week_type, "confidence": week.confidence, **condition}
        case "hitl-review":
            at = from_text(body["timestamp"])
            return {"review_id": await engine.request_review(body["account_id"], body["reason"], body["data"], at)}
        case other:
            raise AssertionError(f"nothing is served at {other}")


async def _recorded(scope: Scope, receive: Receive) -> Recorded:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    headers = {name.decode(): value.decode() for name, value in scope["headers"]}
    return Recorded(scope["method"], scope["path"], json.loads(body) if body else None, headers)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _start(status: int, **headers: str) -> Message:
    pairs = [(b"content-type", b"application/json")]
    pairs += [(name.encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http.response.start", "status": status, "headers": pairs}


async def _respond(send: Send, *chunks: bytes, status: int = 200, **headers: str) -> None:
    await send(_start(status, **headers))
    for chunk in chunks:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _transport(send: Send) -> asyncio.Transport:
    # ASGI has no word for a broken connection: uvicorn's send is a method of its request cycle.
    return cast("asyncio.Transport", getattr(send, "__self__").transport)  # noqa: B009
