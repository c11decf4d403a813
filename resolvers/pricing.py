"""Last known prices for a whole request: asked together, once everything that names a symbol has been read."""

import asyncio
from collections.abc import Collection, Mapping

from graph.errors import EngineUnavailable
from resolvers.reading import Reading, engine_gone
from resolvers.refusals import UNAVAILABLE, ReadRefused
from services.market.port import Quote
from services.prices import Known, Price, PriceBook


class Prices:
    """Gathers the symbols that a request needs and asks for all of them in one call."""

    def __init__(self, reading: Reading, book: PriceBook) -> None:
        self._reading = reading
        self._book = book
        self._answers: dict[str, Known] = {}
        self._wanted: set[str] = set()
        self._asking: asyncio.Task[None] | None = None

    async def of(self, symbols: Collection[str]) -> Mapping[str, Price]:
        """The last known price of each symbol; one that never had a price is left out."""
        answers = await self._answered(symbols)
        return {symbol: known.prices[symbol] for symbol, known in answers.items() if symbol in known.prices}

    async def quotes(self, symbols: Collection[str]) -> Mapping[str, Quote]:
        """The market's quote of each symbol that it knows. Raises ReadRefused where the market does not answer."""
        found: dict[str, Quote] = {}
        for symbol, known in (await self._answered(symbols)).items():
            if known.quotes is None:
                raise ReadRefused(UNAVAILABLE, "The market does not answer at present. Try again in a moment.")
            if symbol in known.quotes:
                found[symbol] = known.quotes[symbol]
        return found

    async def _answered(self, symbols: Collection[str]) -> dict[str, Known]:
        """The answer to the call that each symbol was asked in."""
        while missing := [symbol for symbol in symbols if symbol not in self._answers]:
            self._wanted.update(missing)
            if self._asking is None or self._asking.done():
                self._asking = asyncio.create_task(self._ask())
            await asyncio.shield(self._asking)
        return {symbol: self._answers[symbol] for symbol in symbols}

    async def _ask(self) -> None:
        await self._reading.settled()
        wanted, self._wanted = self._wanted, set()
        try:
            known = await self._book.look(sorted(wanted))
        except EngineUnavailable as error:
            raise engine_gone() from error
        self._answers |= dict.fromkeys(wanted, known)
