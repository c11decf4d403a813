"""A TCP proxy in front of an engine that cuts or holds a commit: before the engine hears of it, or after it was done.

It reads just as much of Bolt as tells a transaction's first and last message from others; all else passes as it comes.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from enum import Enum
from urllib.parse import urlsplit

from tests.support.house import Address

# A chunk of two bytes, which are a structure without fields and the tag of COMMIT; then the end of the message.
COMMIT = bytes.fromhex("0002b0120000")
# The structures, of one field each, of BEGIN and of the answer that a message was done.
BEGIN = bytes.fromhex("b111")
SUCCESS = bytes.fromhex("b170")
READ_BYTES = 65_536


class Cut(Enum):
    """Where the connection is cut or held."""

    BEFORE = "the engine never hears of the commit"
    AFTER = "the engine commits, and its answer is lost"


@dataclass
class Hold:
    """Holds a commit for as long as its client lives: the `number`th of those that name the marker from now on."""

    marker: bytes
    number: int
    where: Cut
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    done: int = 0

    def is_next(self, where: Cut) -> bool:
        """Whether the commit that is now on its way is the one to hold."""
        return self.where is where and self.done + 1 == self.number


@dataclass
class _Line:
    """One connection: what its transaction has said, and the hold and the cut that its commit is to meet."""

    said: bytearray = field(default_factory=bytearray)
    lost: bool = False
    hold: Hold | None = None


class Proxy:
    """Passes connections on to one engine; cuts those that commit for as long as cuts are ordered, and holds some."""

    def __init__(self, host: str, port: int) -> None:
        self._engine = (host, port)
        self._orders: list[Cut] = []
        self._holds: list[Hold] = []
        self._open: set[asyncio.Task[None]] = set()
        self.done: list[Cut] = []
        """The cuts that were made, in order."""

    def cut(self, *orders: Cut) -> None:
        """Orders a cut for each of the next commits."""
        self._orders.extend(orders)

    def hold(self, marker: str, number: int, where: Cut) -> Hold:
        """Orders that a commit be held: the `number`th done, counted from 1, of a transaction that says the marker."""
        self._holds.append(Hold(marker.encode(), number, where))
        return self._holds[-1]

    def let_pass(self) -> None:
        """Holds and cuts nothing more."""
        self._holds.clear()
        self._orders.clear()

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
        """Cuts every connection that its client does not end now."""
        if self._open:
            await asyncio.wait(self._open, timeout=1)
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        engine_reader, engine_writer = await asyncio.open_connection(*self._engine)
        line = _Line()
        passes = {
            asyncio.create_task(self._forth(reader, engine_writer, line)),
            asyncio.create_task(self._back(engine_reader, writer, line)),
        }
        try:
            await asyncio.wait(passes, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in passes:
                each.cancel()
            await asyncio.gather(*passes, return_exceptions=True)
            engine_writer.close()

    async def _forth(self, reader: asyncio.StreamReader, engine: asyncio.StreamWriter, line: _Line) -> None:
        while data := await reader.read(READ_BYTES):
            if COMMIT in data and self._orders:
                cut = self._orders.pop(0)
                if cut is Cut.BEFORE:
                    self.done.append(cut)
                    return
                line.lost = True
            line.hold = self._hold_of(line, data)
            if line.hold and line.hold.is_next(Cut.BEFORE):
                line.hold.reached.set()
                await reader.read()
                return
            engine.write(data)
            await engine.drain()

    async def _back(self, engine: asyncio.StreamReader, writer: asyncio.StreamWriter, line: _Line) -> None:
        while data := await engine.read(READ_BYTES):
            if line.lost and data.strip(b"\0"):
                self.done.append(Cut.AFTER)
                return
            if line.hold and SUCCESS in data:
                is_next = line.hold.is_next(Cut.AFTER)
                line.hold.done += 1
                if is_next:
                    line.hold.reached.set()
                    await asyncio.Event().wait()
            if data.strip(b"\0"):  # else it says nothing but that the engine is there
                line.hold = None
            writer.write(data)
            await writer.drain()

    def _hold_of(self, line: _Line, data: bytes) -> Hold | None:
        """The hold that waits for the transaction which this data commits."""
        begun = data.rfind(BEGIN)
        if begun >= 0:
            line.said.clear()
        line.said += data[max(begun, 0) :]
        if COMMIT not in data:
            return None
        return next((hold for hold in self._holds if hold.marker in line.said), None)


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
