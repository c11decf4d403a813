"""What is remembered of a market's date between its quotes: the newest one, by all who use that market."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import date

from typing_extensions import override

from graph import market_days
from graph.database import Database, Transaction

SOME = 10


class KeptDay(ABC):
    """The newest date that a market was seen to have. It never goes back."""

    @abstractmethod
    async def newest(self) -> date | None:
        """The newest date; None where none was seen."""

    @abstractmethod
    async def keep(self, day: date) -> date:
        """Keeps the date where it is the newest; the newest afterwards."""

    @abstractmethod
    async def symbols(self) -> Sequence[str]:
        """A few symbols that the market has quoted."""


class DayInMemory(KeptDay):
    """Remembers as long as the object lives."""

    def __init__(self) -> None:
        self._day: date | None = None

    @override
    async def newest(self) -> date | None:
        return self._day

    @override
    async def keep(self, day: date) -> date:
        self._day = max(day, self._day or day)
        return self._day

    @override
    async def symbols(self) -> Sequence[str]:
        return ()


class DayInGraph(KeptDay):
    """Remembers in the graph, for every process and over restarts. Its methods raise GraphError."""

    def __init__(self, database: Database, market: str) -> None:
        """`market` names the market, such as its address: another one has a date of its own."""
        self._database = database
        self._market = market

    @override
    async def newest(self) -> date | None:
        day = await market_days.find(self._database, self._market)
        return None if day is None else date.fromisoformat(day)

    @override
    async def keep(self, day: date) -> date:
        async def work(transaction: Transaction) -> str:
            return await market_days.keep(transaction, self._market, day.isoformat())

        return date.fromisoformat(await self._database.write(work, queue="market-date"))

    @override
    async def symbols(self) -> Sequence[str]:
        return await market_days.some_symbols(self._database, SOME)
