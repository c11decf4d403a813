"""A TCP proxy in front of an engine that cuts a connection at a commit: before the engine hears of it, or after.

It reads just as much of Bolt as tells a COMMIT from other messages; all else passes as it comes.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from enum import Enum
from urllib.parse import urlsplit

from tests.support.house import Address

# A chunk of two bytes, which are a structure without fields and the tag of COMMIT; then the end of the message.
COMMIT = bytes.fromhex("0002b0120000")
READ_BYTES = 65_536


class Cut(Enum):
    """Where the connection is cut."""

    BEFORE = "the engine never hears of the commit"
    AFTER = "the engine commits, and its answer is lost"


class Proxy:
    """Passes connections on to one engine, and cuts those that commit for as long as cuts are ordered."""

    def __init__(self, host: str, port: int) -> None:
        self._engine = (host, port)
        self._orders: list[Cut] = []
        self._open: set[asyncio.Task[None]] = set()
        self.done: list[Cut] = []
        """The cuts that were made, in order."""

    def cut(self, *orders: Cut) -> None:
        """Orders a cut for each of the next commits."""
        self._orders.extend(orders)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carries one connection until either side ends it or it is cut."""
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            with suppress(OSError):
                await self._carry(reader, writer)
        finally:
            self._open.discard(task)
            writer.close()

    async def close(self) -> None:
        """Cuts every connection."""
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        engine_reader, engine_writer = await asyncio.open_connection(*self._engine)
        awaits_answer = asyncio.Event()
        passes = {
            asyncio.create_task(self._forth(reader, engine_writer, awaits_answer)),
            asyncio.create_task(self._back(engine_reader, writer, awaits_answer)),
        }
        try:
            await asyncio.wait(passes, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in passes:
                each.cancel()
            await asyncio.gather(*passes, return_exceptions=True)
            engine_writer.close()

    async def _forth(self, reader: asyncio.StreamReader, engine: asyncio.StreamWriter, lost: asyncio.Event) -> None:
        while data := await reader.read(READ_BYTES):
            if COMMIT in data and self._orders:
                cut = self._orders.pop(0)
                if cut is Cut.BEFORE:
                    self.done.append(cut)
                    return
                lost.set()
            engine.write(data)
            await engine.drain()

    async def _back(self, engine: asyncio.StreamReader, writer: asyncio.StreamWriter, lost: asyncio.Event) -> None:
        while data := await engine.read(READ_BYTES):
            if lost.is_set() and data.strip(b"\0"):
                self.done.append(Cut.AFTER)
                return
            writer.write(data)
            await writer.drain()


@asynccontextmanager
async def proxied(address: Address) -> AsyncGenerator[tuple[Proxy, Address]]:
    """A proxy in front of the engine at this address, and the address that leads through it."""
    engine = urlsplit(address.uri)
    assert engine.hostname is not None
    assert engine.port is not None
    proxy = Proxy(engine.hostname, engine.port)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield proxy, replace(address, uri=f"bolt://127.0.0.1:{port}")
    finally:
        server.close()
        await proxy.close()
        await server.wait_closed()
