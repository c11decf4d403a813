"""A GraphQL request as it comes in over HTTP: its body within bounds, its parameters of the right types."""

import asyncio
import json
import re
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request

from accountgraph.errors import Code, ErrorBody, body
from accountgraph.limits import Limits
from accountgraph.negotiation import is_json
from schema.scalars import fraction

BODY_SECONDS = 30.0
DRAINED_BYTES = 8 * 1024 * 1024
"""How much of a body that is too long is still read, so that the caller gets to see the refusal."""
_LONG_NUMBER = re.compile(rb"[0-9.]{17}")
"""What may be a number that a float does not hold, or an int of more than 64 bits."""


class HttpRefused(Exception):
    """A request that is refused before its document is read."""

    def __init__(self, status: int, *errors: ErrorBody, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(errors[0]["message"])
        self.status = status
        self.errors = list(errors)
        self.headers = dict(headers or {})


@dataclass(frozen=True, slots=True)
class Incoming:
    """What a client asks: the document's text and what goes with it."""

    query: str
    variables: dict[str, Any] = field(default_factory=dict[str, Any])
    operation_name: str | None = None
    extensions: dict[str, Any] = field(default_factory=dict[str, Any])
    by_get: bool = False

    @property
    def operation_id(self) -> str | None:
        """The operationId of the first input among the variables, for the log."""
        for value in self.variables.values():
            if isinstance(value, dict) and isinstance(value.get("operationId"), str):
                return value["operationId"][:64]
        return None


class Buffer:
    """How many bytes of bodies may be held at once by all requests together."""

    def __init__(self, most: int = 64 * 1024 * 1024) -> None:
        self._most = most
        self.held = 0

    @contextmanager
    def hold(self) -> Generator[Callable[[int], None]]:
        """A function that counts bytes in, and raises HttpRefused where no room is left; all count out at the end."""
        mine = 0

        def take(count: int) -> None:
            nonlocal mine
            if self.held + count > self._most:
                message = "The server is busy. Try again in a moment."
                raise HttpRefused(503, body(message, Code.OVERLOADED), headers={"Retry-After": "1"})
            mine += count
            self.held += count

        try:
            yield take
        finally:
            self.held -= mine


class _Body:
    """The body's chunks as they arrive."""

    def __init__(self, request: Request) -> None:
        self._receive = request.receive
        self._done = False

    async def read(self, most: int, take: Callable[[int], None]) -> bytes:
        """The whole body. Raises HttpRefused where it is longer than that."""
        chunks: list[bytes] = []
        length = 0
        while chunk := await self._next():
            length += len(chunk)
            if length > most:
                message = f"The body is too long: at most {most:,} bytes are taken."
                raise HttpRefused(413, body(message, Code.LIMIT_EXCEEDED), headers={"Connection": "close"})
            take(len(chunk))
            chunks.append(chunk)
        return b"".join(chunks)

    async def drain(self) -> None:
        """Reads on and forgets, so that the caller, who still sends, gets to see the refusal."""
        length = 0
        while length < DRAINED_BYTES and (chunk := await self._next()):
            length += len(chunk)

    async def _next(self) -> bytes:
        while not self._done:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            self._done = not message.get("more_body", False)
            if chunk := message.get("body", b""):
                return chunk
        return b""


async def read(request: Request, limits: Limits, take: Callable[[int], None]) -> Incoming:
    """The GraphQL request in this HTTP request. Raises HttpRefused, and ClientDisconnect where the caller goes."""
    if request.method == "GET":
        return _from_query(request, limits)
    chunks = _Body(request)
    try:
        async with asyncio.timeout(BODY_SECONDS):
            try:
                _check_post(request)
                raw = await chunks.read(limits.body_bytes, take)
            except HttpRefused:
                await chunks.drain()
                raise
    except TimeoutError:
        message = f"The body did not arrive within {BODY_SECONDS:.0f} seconds."
        refusal = body(message, Code.REQUEST_TIMEOUT)
        raise HttpRefused(408, refusal, headers={"Connection": "close"}) from None
    return _from_json(raw, limits)


def _check_post(request: Request) -> None:
    if request.method != "POST":
        message = "GraphQL is asked by POST, or by GET for a query."
        raise HttpRefused(405, body(message, Code.METHOD_NOT_ALLOWED), headers={"Allow": "GET, POST"})
    if not is_json(request.headers.get("content-type")) or "content-encoding" in request.headers:
        message = "The body should be application/json in UTF-8, and Content-Type should say so."
        raise HttpRefused(415, body(message, Code.UNSUPPORTED_MEDIA_TYPE))


def _from_query(request: Request, limits: Limits) -> Incoming:
    if len(request.url.query) > limits.body_bytes:
        raise HttpRefused(413, body("The address is too long.", Code.LIMIT_EXCEEDED))
    parameters: dict[str, Any] = dict(request.query_params)
    for name in ("variables", "extensions"):
        if name in parameters:
            parameters[name] = _json(parameters[name].encode(errors="surrogatepass"), f"The parameter {name}")
    return _checked(parameters, limits, by_get=True)


def _from_json(raw: bytes, limits: Limits) -> Incoming:
    parameters = _json(raw, "The body")
    if isinstance(parameters, list):
        raise _bad("One request is taken at a time: the body should be a JSON object, not an array.")
    if not isinstance(parameters, dict):
        raise _bad("The body should be a JSON object with the member query.")
    return _checked(parameters, limits, by_get=False)


def _json(raw: bytes, what: str) -> Any:
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise _bad(f"{what} should be JSON in UTF-8, and is not.") from None
    return _exact(raw, value) if _LONG_NUMBER.search(raw) else value


def _exact(raw: bytes, value: Any) -> Any:
    """The JSON value with each number as it was sent: a fraction that no float holds is a Decimal."""
    try:
        return json.loads(raw, parse_float=fraction)
    except RecursionError:  # Far deeper than is taken.
        return value


def _checked(parameters: dict[str, Any], limits: Limits, *, by_get: bool) -> Incoming:
    query = parameters.get("query")
    if not isinstance(query, str):
        raise _bad("The parameter query should be a string that holds a GraphQL document.")
    name = parameters.get("operationName")
    if not (name is None or isinstance(name, str)):
        raise _bad("The parameter operationName should be a string or null.")
    variables, extensions = _map(parameters, "variables"), _map(parameters, "extensions")
    if _is_deeper(variables, limits.value_depth):
        message = f"The variables are too deep: at most {limits.value_depth} levels are taken."
        raise HttpRefused(400, body(message, Code.LIMIT_EXCEEDED))
    return Incoming(query, variables, name or None, extensions, by_get)


def _map(parameters: dict[str, Any], name: str) -> dict[str, Any]:
    value = parameters.get(name)
    if not (value is None or isinstance(value, dict)):
        raise _bad(f"The parameter {name} should be a JSON object or null.")
    return value or {}


def _is_deeper(value: Any, most: int) -> bool:
    level = [value]
    for _ in range(most):
        level = [
            item
            for each in level
            if isinstance(each, dict | list)
            for item in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return False
    return any(isinstance(each, dict | list) for each in level)


def _bad(message: str) -> HttpRefused:
    return HttpRefused(400, body(message, Code.BAD_REQUEST))
