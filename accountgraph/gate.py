"""How many requests run at once, how many wait, and whether the server takes any."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from enum import Enum

from accountgraph.errors import Code, body
from accountgraph.incoming import HttpRefused
from graph.slots import Full, Slots

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
    """Lets so many requests run; the next ones wait by turns of their callers, so many and so long.

    Beyond that they are refused, those of the caller first who has the most that wait.
    """

    def __init__(
        self,
        running: int = 80,
        waiting: int = 512,
        wait_seconds: float = 10.0,
        observe: Callable[[int, int], None] = _ignore,
    ) -> None:
        self.phase = Phase.STARTING
        self._slots = Slots(running, waiting, wait_seconds, self._changed)
        self._observe = observe
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        return self._slots.waiting

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
    async def entered(self, caller: str = "") -> AsyncGenerator[None]:
        """A turn to run. Raises HttpRefused, 503 with Retry-After, where the queue is full or too slow."""
        try:
            async with self._slots.taken(caller):
                yield
        except Full:
            raise overloaded() from None

    def _changed(self, running: int, waiting: int) -> None:
        self._observe(running, waiting)
        if running or waiting:
            self._empty.clear()
        else:
            self._empty.set()


def overloaded() -> HttpRefused:
    """The refusal of a request that the server has no room or no time for."""
    message = "The server has more requests than it can take. Try again in a moment."
    return HttpRefused(503, body(message, Code.OVERLOADED), headers={"Retry-After": str(OVERLOAD_RETRY_SECONDS)})
