"""A client of the API that costs little beside the server: one kept connection, plain HTTP/1.1, answers read whole."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import orjson

_LONGEST_HEAD = 65_536


class BenchFailed(Exception):
    """What stopped the run, in one plain line."""


class Connection:
    """One connection to a server, made anew where the server has closed it, as it does with one that rests.

    A general client's own work would be half of what is measured.
    """

    def __init__(self, url: str, token: str | None = None) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname, parts.port
        signed = f"Authorization: Bearer {token}\r\n" if token else ""
        head = f"POST /graphql HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n{signed}"
        self._head = head.encode()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, body: bytes) -> dict[str, Any]:
        """The data of the answer to a request's body. Raises BenchFailed for an answer with an error.

        The body may be sent twice, where the server closes the connection meanwhile: an operation id makes that safe.
        """
        try:
            answer = orjson.loads(await self._exchange(body))
        except (asyncio.IncompleteReadError, ConnectionError):
            await self.close()
            answer = orjson.loads(await self._exchange(body))
        if answer.get("errors") or not answer.get("data"):
            raise BenchFailed(f"the server answered {str(answer)[:300]}")
        return answer["data"]

    async def _exchange(self, body: bytes) -> bytes:
        reader, writer = await self._open()
        writer.write(b"%bContent-Length: %d\r\n\r\n%b" % (self._head, len(body), body))
        return await reader.readexactly(_length(await reader.readuntil(b"\r\n\r\n")))

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None or self._streams[0].at_eof():
            await self.close()
            self._streams = await asyncio.open_connection(self._host, self._port, limit=_LONGEST_HEAD)
        return self._streams

    async def ask(self, document: str, **variables: Any) -> dict[str, Any]:
        """The data of the answer to a document."""
        return await self.post(request(document, variables))

    async def do(self, document: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """The payload of a mutation, whose document names it `answer`. Raises BenchFailed for a problem."""
        return payload(await self.ask(document, input=given))

    async def close(self) -> None:
        """Ends the connection, where there is one."""
        streams, self._streams = self._streams, None
        if streams is not None:
            streams[1].close()
            with suppress(ConnectionError):
                await streams[1].wait_closed()


def request(document: str, variables: Mapping[str, Any] | None = None) -> bytes:
    """The body of a request."""
    return orjson.dumps({"query": document, "variables": variables or {}})


def payload(data: Mapping[str, Any]) -> dict[str, Any]:
    """The payload that a mutation's data hold as `answer`. Raises BenchFailed for a problem."""
    answer: dict[str, Any] = data["answer"]
    if "code" in answer:
        raise BenchFailed(f"the server refused: {answer['code']}: {answer['message']}")
    return answer


def _length(head: bytes) -> int:
    if not head.startswith(b"HTTP/1.1 200"):
        status, _, _ = head.decode("latin-1").partition("\r\n")
        raise BenchFailed(f"the server answered {status}")
    fields = (line.partition(b":") for line in head.lower().split(b"\r\n"))
    return next(int(value) for name, _, value in fields if name == b"content-length")
