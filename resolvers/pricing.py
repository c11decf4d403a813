"""Last known prices for a whole request: asked together, once everything that names a symbol has been read."""

import asyncio
from collections.abc import Collection, Mapping

from graph.errors import EngineUnavailable
from resolvers.reading import Reading, engine_gone
from services.prices import Price, PriceBook


class Prices:
    """Gathers the symbols that a request needs and asks for all of them in one call."""

    def __init__(self, reading: Reading, book: PriceBook) -> None:
        self._reading = reading
        self._book = book
        self._known: dict[str, Price | None] = {}
        self._wanted: set[str] = set()
        self._asking: asyncio.Task[None] | None = None

    async def of(self, symbols: Collection[str]) -> Mapping[str, Price]:
        """The last known price of each symbol; one that never had a price is left out."""
        while missing := [symbol for symbol in symbols if symbol not in self._known]:
            self._wanted.update(missing)
            if self._asking is None or self._asking.done():
                self._asking = asyncio.create_task(self._ask())
            await asyncio.shield(self._asking)
        found = {symbol: self._known[symbol] for symbol in symbols}
        return {symbol: price for symbol, price in found.items() if price is not None}

    async def _ask(self) -> None:
        await self._reading.settled()
        wanted, self._wanted = self._wanted, set()
        try:
            prices = await self._book.known(sorted(wanted))
        except EngineUnavailable as error:
            raise engine_gone() from error
        self._known |= {symbol: prices.get(symbol) for symbol in wanted}
