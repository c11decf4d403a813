"""How many requests run at once, how many wait, and whether the server takes any."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from enum import Enum

from accountgraph.errors import Code, body
from accountgraph.incoming import HttpRefused

OVERLOAD_RETRY_SECONDS = 1
CLOSED_RETRY_SECONDS = 5


class Phase(Enum):
    """What the server is doing."""

    STARTING = "The server is starting. Try again in a moment."
    SERVING = ""
    STOPPING = "The server is stopping. Try again in a moment."


def _ignore(_running: int, _waiting: int) -> None:
    """Observes nothing."""


class Gate:
    """Lets so many requests run; the next ones wait in order, so many and so long; beyond that they are refused."""

    def __init__(
        self,
        running: int = 64,
        waiting: int = 512,
        wait_seconds: float = 10.0,
        observe: Callable[[int, int], None] = _ignore,
    ) -> None:
        self.phase = Phase.STARTING
        self._slots = asyncio.Semaphore(running)
        self._most_waiting = waiting
        self._wait_seconds = wait_seconds
        self._observe = observe
        self._running = 0
        self._waiting = 0
        self._empty = asyncio.Event()
        self._empty.set()

    def open(self) -> None:
        """From now on requests are taken."""
        self.phase = Phase.SERVING

    def close(self) -> None:
        """From now on requests are refused; those that run or wait go on."""
        self.phase = Phase.STOPPING

    async def emptied(self) -> None:
        """Returns when no request runs or waits."""
        await self._empty.wait()

    def check(self) -> None:
        """Raises HttpRefused, 503 with Retry-After, while the server starts or stops."""
        if self.phase is not Phase.SERVING:
            raise HttpRefused(
                503,
                body(self.phase.value, Code.UNAVAILABLE),
                headers={"Retry-After": str(CLOSED_RETRY_SECONDS)},
            )

    @asynccontextmanager
    async def entered(self) -> AsyncGenerator[None]:
        """A turn to run. Raises HttpRefused, 503 with Retry-After, where the queue is full or too slow."""
        await self._wait()
        self._count(running=1)
        try:
            yield
        finally:
            self._slots.release()
            self._count(running=-1)

    async def _wait(self) -> None:
        if not self._slots.locked():
            await self._slots.acquire()
            return
        if self._waiting >= self._most_waiting:
            raise _overloaded()
        self._count(waiting=1)
        try:
            async with asyncio.timeout(self._wait_seconds):
                await self._slots.acquire()
        except TimeoutError:
            raise _overloaded() from None
        finally:
            self._count(waiting=-1)

    def _count(self, running: int = 0, waiting: int = 0) -> None:
        self._running += running
        self._waiting += waiting
        self._observe(self._running, self._waiting)
        if self._running or self._waiting:
            self._empty.clear()
        else:
            self._empty.set()


def _overloaded() -> HttpRefused:
    message = "The server has more requests than it can take. Try again in a moment."
    return HttpRefused(503, body(message, Code.OVERLOADED), headers={"Retry-After": str(OVERLOAD_RETRY_SECONDS)})
