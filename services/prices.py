"""Last known prices: the market's quotes where it answers, else what was seen last."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import structlog

from graph import clock, prices
from graph.database import Database, Row, Transaction
from graph.errors import GraphError
from services.market.port import CURRENCY, Market, MarketError, Quote

_log = structlog.get_logger()
MAX_REMEMBERED = 100_000


@dataclass(frozen=True, slots=True)
class Price:
    """An exact price for one, and the instant it is of."""

    last: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """The last known price of each symbol that ever had one, and the market's quotes of now: None where it is gone."""

    prices: dict[str, Price]
    quotes: dict[str, Quote] | None


class PriceBook:
    """The last price of each symbol that was ever quoted, over restarts too."""

    def __init__(self, market: Market, database: Database) -> None:
        self._market = market
        self._database = database
        self._seen: dict[str, Price] = {}
        self._saving: set[asyncio.Task[None]] = set()

    async def known(self, symbols: Collection[str]) -> dict[str, Price]:
        """The last known price of each symbol, by one market call; a symbol that never had one is left out."""
        return (await self.look(symbols)).prices

    async def look(self, symbols: Collection[str]) -> Known:
        """What is known of the symbols, by one market call."""
        if not symbols:
            return Known({}, {})
        try:
            quotes = await self._market.quotes(symbols)
        except MarketError:
            _log.warning("market_gone_for_quotes")
            return Known(await self._remembered(symbols), None)
        self._keep(quotes)
        missing = [symbol for symbol in symbols if symbol not in quotes]
        found = {symbol: Price(quote.last, quote.at) for symbol, quote in quotes.items()}
        return Known({**(await self._remembered(missing)), **found} if missing else found, quotes)

    async def _remembered(self, symbols: Collection[str]) -> dict[str, Price]:
        found = {symbol: self._seen[symbol] for symbol in symbols if symbol in self._seen}
        missing = [symbol for symbol in symbols if symbol not in found]
        if missing:
            for row in await prices.last(self._database, missing):
                found[row["symbol"]] = Price(Decimal(row["last"]), clock.from_text(row["at"]))
        return found

    def _keep(self, quotes: Mapping[str, Quote]) -> None:
        """Remembers the quotes; what moved is written behind the request, which does not wait for it."""
        moved = [quote for quote in quotes.values() if self._moved(quote)]
        for quote in moved:
            self._seen[quote.symbol] = Price(quote.last, quote.at)
        if moved and len(self._saving) < 4:
            task = asyncio.get_running_loop().create_task(self._save(moved))
            self._saving.add(task)
            task.add_done_callback(self._saving.discard)

    def _moved(self, quote: Quote) -> bool:
        seen = self._seen.get(quote.symbol)
        return len(self._seen) < MAX_REMEMBERED and (seen is None or seen.last != quote.last)

    async def _save(self, quotes: list[Quote]) -> None:
        rows: list[Row] = [
            {
                "symbol": quote.symbol,
                "kind": "STOCK",
                "currency": CURRENCY,
                "multiplier": 1,
                "last": format(quote.last, "f"),
                "at": clock.to_text(quote.at),
            }
            for quote in sorted(quotes, key=lambda quote: quote.symbol)
        ]

        async def work(transaction: Transaction) -> None:
            await prices.save(transaction, rows)

        try:
            await self._database.write(work, queue="prices")
        except GraphError:
            _log.warning("prices_not_saved")

    async def aclose(self) -> None:
        """Waits for the prices that are being written."""
        await asyncio.gather(*self._saving, return_exceptions=True)
