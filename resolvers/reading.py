"""The database as one request reads it: failures told in the API's words, and how many statements are under way."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, TypeVar

from graph.database import Row, Transaction
from graph.errors import EngineUnavailable
from graph.query import Query
from graph.reads_totals import Store
from resolvers.refusals import UNAVAILABLE, ReadRefused

T = TypeVar("T")
_GONE = "The account graph cannot be reached at present. Try again in a moment."
# Between a statement's rows and the statements that follow from them lie so few turns of the event loop.
_SETTLING_TURNS = 16


class Reading(Store):
    """Runs a request's reads. Raises ReadRefused with UNAVAILABLE where the engine does not answer."""

    def __init__(self, database: Store) -> None:
        self._database = database
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self.statements = 0

    async def run(self, query: Query, **parameters: Any) -> list[Row]:
        return await self._told(self._database.run(query, **parameters))

    async def run_alone(self, tenants: Sequence[str], query: Query, **parameters: Any) -> list[Row]:
        return await self._told(self._database.run_alone(tenants, query, **parameters))

    def holds(self, tenants: Collection[str]) -> bool:
        return self._database.holds(tenants)

    async def write(self, work: Callable[[Transaction], Awaitable[T]], *, queue: str) -> T:
        return await self._counted(self._database.write(work, queue=queue))

    def stir(self, feed: str) -> None:
        self._database.stir(feed)

    async def _told(self, rows: Awaitable[list[Row]]) -> list[Row]:
        try:
            return await self._counted(rows)
        except EngineUnavailable as error:
            raise engine_gone() from error

    async def _counted(self, rows: Awaitable[T]) -> T:
        self.statements += 1
        self._running += 1
        self._idle.clear()
        try:
            return await rows
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()

    async def settled(self) -> None:
        """Returns when no statement runs, and none follows from the last one's rows."""
        quiet = 0
        while quiet < _SETTLING_TURNS:
            if self._running:
                await self._idle.wait()
                quiet = 0
            await asyncio.sleep(0)
            quiet += 1


def engine_gone() -> ReadRefused:
    """The refusal of a read while the engine does not answer."""
    return ReadRefused(UNAVAILABLE, _GONE)
