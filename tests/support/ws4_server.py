"""A market (WS4) on loopback: in this process (`MarketServer`), or in one of its own (`MarketProcess`).

    python -m tests.support.ws4_server --port 9104 --state market.sqlite

runs one by itself, which keeps its book in that file. Both classes are steered in the same words:

    async with MarketServer() as market:
        await market.plan(Route.EXECUTE, [Fault.DROP_AFTER])
        ... our server trades at market.url ...
        trades = (await market.record()).trades
"""

import argparse
import asyncio
import socket
import sys
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import AsyncGenerator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import uvicorn
from starlette.types import ASGIApp
from typing_extensions import override

from services.market.paper import PaperBroker
from services.market.paper_store import SqliteStore
from services.market.prices import shipped_prices
from services.market.store import BrokerStore, MemoryStore
from tests.support.ws4_app import TRADES, market_app
from tests.support.ws4_venue import Choice, Fault, Route, Trade, Venue

START_SECONDS = 30.0
READY = "ready "


@dataclass(frozen=True, slots=True)
class Record:
    """The market's own book, and how often an order of each id reached it."""

    trades: list[Trade]
    sent: Counter[str]


class MarketUnderTest(ABC):
    """A market at `url` that a test steers."""

    url: str

    @abstractmethod
    async def control(self, act: str, **said: Any) -> dict[str, Any]:
        """What the control call of that name answers."""

    async def plan(self, route: Route, faults: Iterable[Fault]) -> None:
        """Lets the next requests of the route meet these faults, one each."""
        await self.control("plan", route=route.value, faults=[fault.value for fault in faults])

    async def set_lookup(self, *, lookup: bool = True, caught_up: bool | None = True) -> None:
        """Whether orders can be looked up, and whether an unknown one is said to be unknown for good."""
        await self.control("lookup", lookup=lookup, caught_up=caught_up)

    async def release(self) -> None:
        """Trades the orders that a LATE fault kept back."""
        await self.control("release")

    async def advance(self, to: date) -> None:
        """Moves the market's date on."""
        await self.control("advance", to=to.isoformat())

    async def halt(self, symbol: str) -> None:
        """Stops trading in the symbol."""
        await self.control("halt", symbol=symbol)

    async def resume(self, symbol: str) -> None:
        """Trades the symbol again."""
        await self.control("resume", symbol=symbol)

    async def record(self) -> Record:
        """The market's own book."""
        said = await self.control("record")
        return Record(TRADES.validate_python(said["trades"]), Counter(said["sent"]))


class _Uvicorn(uvicorn.Server):
    """Says when it listens, and leaves the signals to the test runner."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()
        self.stopping = asyncio.Event()

    @override
    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        await self._serve(sockets)

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @override
    async def main_loop(self) -> None:
        await self.stopping.wait()


@asynccontextmanager
async def app_server(app: ASGIApp) -> AsyncGenerator[str]:
    """Serves the application in this process on a free port of loopback; gives its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = _Uvicorn(_config(app))
    running = asyncio.create_task(server.serve([listener]))
    try:
        async with asyncio.timeout(START_SECONDS):
            await server.listening.wait()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.stopping.set()
        await running
        listener.close()


class MarketServer(MarketUnderTest):
    """A market in this process, on a free port, with its book in memory unless it is given a store."""

    def __init__(self, store: BrokerStore | None = None, first_date: date | None = None) -> None:
        self._store = store or MemoryStore()
        self._first_date = first_date
        self._client = httpx.AsyncClient(trust_env=False)
        self._cleanup = AsyncExitStack()
        self.venue: Venue

    async def __aenter__(self) -> Self:
        broker = await PaperBroker.open(self._store, shipped_prices(), self._first_date)
        self.venue = Venue(self._store, broker)
        self._cleanup.push_async_callback(self._store.aclose)
        self.url = await self._cleanup.enter_async_context(app_server(market_app(self.venue)))
        self._cleanup.push_async_callback(self._client.aclose)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._cleanup.aclose()

    def choose(self, choice: Choice | None) -> None:
        """Asks `choice` for the fault of each request that no planned one waits for."""
        self.venue.choose = choice

    @override
    async def control(self, act: str, **said: Any) -> dict[str, Any]:
        return (await self._client.post(f"{self.url}/control/{act}", json=said)).raise_for_status().json()


class MarketProcess(MarketUnderTest):
    """A market in a process of its own, with its book in a file: it goes on while others are killed."""

    def __init__(self, state: Path, port: int = 0, first_date: date | None = None) -> None:
        self._command = [sys.executable, "-m", "tests.support.ws4_server", "--port", str(port), "--state", str(state)]
        self._command += ["--until-input-ends"]
        self._command += ["--date", first_date.isoformat()] if first_date else []
        self._client = httpx.AsyncClient(trust_env=False)
        self.process: asyncio.subprocess.Process

    async def __aenter__(self) -> Self:
        root = Path(__file__).parent.parent.parent
        self.process = await asyncio.create_subprocess_exec(
            *self._command, cwd=root, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        assert self.process.stdout is not None
        async with asyncio.timeout(START_SECONDS):
            said = (await self.process.stdout.readline()).decode()
        assert said.startswith(READY), f"the market did not start: {said!r}"
        self.url = said.removeprefix(READY).strip()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()
        if self.process.returncode is None:
            self.process.kill()
        await self.process.communicate()

    @override
    async def control(self, act: str, **said: Any) -> dict[str, Any]:
        return (await self._client.post(f"{self.url}/control/{act}", json=said)).raise_for_status().json()


def _config(app: ASGIApp) -> uvicorn.Config:
    # Callers that still wait for a silent market do not hold its end up.
    return uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        ws="none",
        timeout_graceful_shutdown=1,
    )


async def _run(given: argparse.Namespace) -> None:
    store = await SqliteStore.open(given.state) if given.state else MemoryStore()
    venue = Venue(store, await PaperBroker.open(store, shipped_prices(), given.date))
    listener = socket.create_server(("127.0.0.1", given.port))
    sys.stdout.write(f"{READY}http://127.0.0.1:{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    tasks = {asyncio.create_task(uvicorn.Server(_config(market_app(venue))).serve([listener]))}
    if given.until_input_ends:
        tasks.add(asyncio.create_task(_input_ends()))
    _, going = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in going:
        task.cancel()
    await store.aclose()


async def _input_ends() -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()


def main() -> None:
    """Runs a market until it is stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--state", type=Path)
    parser.add_argument("--date", type=date.fromisoformat)
    parser.add_argument("--until-input-ends", action="store_true", help="stop with the process that started this one")
    asyncio.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
