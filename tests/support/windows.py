"""One user's way to several servers: with a session that each of them takes, and going away before an answer."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson

from tests.support.api import PROBLEM, Api, Remote, document_of
from tests.support.callers import SIGN_IN
from tests.support.cashbooks import Request

TRIES = 5
# The server ends a connection that is idle for 5 seconds: the client does it before, so that none ends under a request.
LIMITS = httpx.Limits(keepalive_expiry=1.0)
SHORT = f"{PROBLEM} ... on InsufficientFunds {{ available }}"


@dataclass(slots=True)
class Window:
    """The way to several servers with one user's session, which every one of them takes."""

    client: httpx.AsyncClient
    urls: Sequence[str]
    user: str
    password: str
    token: str | None = None

    async def sign_in(self, server: int) -> None:
        """Goes on with a new session, which one of the servers makes."""
        given = {"username": self.user, "password": self.password}
        data = await Remote(self.client, f"{self.urls[server]}/graphql").ask(SIGN_IN, input=given)
        self.token = data["signIn"]["accessToken"]

    async def ask(self, server: int, request: Request) -> dict[str, Any]:
        """The payload or the problem that a server answers."""
        for _ in range(TRIES):
            with suppress(httpx.TransportError):  # no answer: the same operation id tells what became of it
                return (await self.api(server).ask(_document(request), input=request.given))[request.name]
        raise AssertionError(f"{self.urls[server]} never answers {request}")

    def api(self, server: int) -> Api:
        """A client of one of the servers."""
        return Remote(self.client, f"{self.urls[server]}/graphql", self.token)

    async def leave(self, server: int, request: Request, *, late: bool) -> None:
        """Sends a request and goes away without its answer; `late` leaves the server the time of another request."""
        address = urlsplit(self.urls[server])
        body = orjson.dumps({"query": _document(request), "variables": {"input": request.given}})
        head = (
            f"POST /graphql HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Bearer {self.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        _, writer = await asyncio.open_connection(address.hostname, address.port)
        try:
            writer.write(head.encode() + body)
            await writer.drain()
            if late:
                await self.api(server).ask("{ viewer { username } }")
        finally:
            writer.transport.abort()
            with suppress(ConnectionError):
                await writer.wait_closed()


def _document(request: Request) -> str:
    return document_of(request.name, request.payload(), SHORT if request.posts else PROBLEM)
