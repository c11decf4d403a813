"""The embedded paper broker: a market of our own that replays real daily closes on a date of its own.

It fills at any hour of its market date at that day's close, or the last one before it. A market order fills at once
and whole, or is rejected; a limit order fills at the close where its limit allows, never at a better or worse price.
What an order led to is decided inside one piece of work on the record, so a repeated order finds the first outcome.
"""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal

import structlog
from typing_extensions import override

from graph.money import MAX_MINOR, from_scaled, round_to_minor, to_scaled, value_of
from services.market.checks import check_report
from services.market.fills import at_close, fill, rejected
from services.market.port import (
    CURRENCY,
    MAX_SYMBOLS,
    InstrumentType,
    Market,
    MarketError,
    MarketOrder,
    NotKnown,
    OrderReport,
    OrderStatus,
    Quote,
    TimeInForce,
)
from services.market.prices import Prices
from services.market.store import Book, BrokerOrder, BrokerStore
from services.problems import ProblemCode, refuse

LAST_MARKET_DATE = date(2100, 1, 1)
# New York's close, 16:00, is 20:00 or 21:00 UTC; the later one holds on every day.
_CLOSE = time(21, tzinfo=UTC)
_log = structlog.get_logger()


class PaperBroker(Market):
    """A market over a record and prices. Its administrator halts symbols and moves its date on."""

    def __init__(self, store: BrokerStore, prices: Prices) -> None:
        self._store = store
        self._prices = prices
        self.changing = asyncio.Lock()
        """Held by whoever makes a change that was recorded, so that no other comes between it and its end."""

    @classmethod
    async def open(cls, store: BrokerStore, prices: Prices, first_date: date | None = None) -> "PaperBroker":
        """The broker of that record. A new record starts on `first_date`, or on the last day that has closes.

        Raises MarketUnavailable where the record cannot be used.
        """
        first = first_date or prices.last_day

        def start(book: Book) -> None:
            if book.market_date() is None:
                book.set_market_date(first)

        await store.write(start)
        return cls(store, prices)

    @override
    async def quotes(self, symbols: Collection[str]) -> dict[str, Quote]:
        """The closes of the market date; a symbol without one on that date is left out."""
        if len(symbols) > MAX_SYMBOLS:
            raise ValueError(f"at most {MAX_SYMBOLS} symbols are quoted at once")
        if not symbols:
            return {}
        today, halted = await self._store.read(lambda book: (_date_of(book), book.halted()))
        return {symbol: quote for symbol in symbols if (quote := self._quote(symbol, today, halted))}

    @override
    async def execute(self, order: MarketOrder) -> OrderReport:
        """The order's outcome, or the one that it had before. Another order under a used id is rejected."""
        return await self._store.write(lambda book: self._take(book, order))

    @override
    async def order(self, order_id: str) -> OrderReport | NotKnown:
        """The order as it stands. An unknown one is never final: another process may be about to record it."""
        known = await self._store.read(lambda book: book.order(order_id))
        return known.report if known else NotKnown(final=False)

    @override
    async def cancel(self, order_id: str) -> OrderReport:
        """The order as it stands when nothing of it is open any more; it is a proof for an unknown order too."""
        return await self._store.write(lambda book: _cancel(book, order_id))

    @override
    async def positions(self, account_id: str) -> dict[str, Decimal]:
        """The sums of the account's trades."""
        sums = await self._store.read(lambda book: book.positions(account_id))
        return {symbol: from_scaled(scaled) for symbol, scaled in sums.items()}

    @override
    async def market_date(self) -> date:
        """The date that the broker trades on, shared by all who share its record."""
        return await self._store.read(_date_of)

    @override
    async def healthy(self) -> bool:
        """Whether the record can be read."""
        try:
            await self._store.read(_date_of)
        except MarketError:
            return False
        return True

    @override
    async def aclose(self) -> None:
        """Closes the record."""
        await self._store.aclose()

    async def advance(self, to: date) -> list[OrderReport]:
        """Moves the market date on; returns the orders that this filled or expired, oldest first.

        DAY orders expire; a GTC order fills at the first close on the way that its limit allows. The present date
        changes nothing. Raises Refused with the path `to` for a date before it or after LAST_MARKET_DATE.
        """
        settled = await self._store.write(lambda book: self._advance(book, to))
        _log.info("market_date_moved", to=to.isoformat(), settled=len(settled))
        return settled

    async def check_advance(self, to: date) -> date:
        """The present date, from which `advance` may move on to `to`. Raises Refused as `advance` does."""
        return await self._store.read(lambda book: _may_advance(book, to))

    async def reach(self, to: date) -> list[OrderReport]:
        """As `advance`, but a date that the market is beyond already changes nothing either."""
        settled = await self._store.write(lambda book: self._advance(book, max(to, _date_of(book))))
        _log.info("market_date_reached", to=to.isoformat(), settled=len(settled))
        return settled

    async def halt(self, symbol: str) -> None:
        """Stops trading in the symbol: orders are rejected and resting ones wait.

        Raises Refused with the path `symbol` for one that is unknown.
        """
        self.check_symbol(symbol)
        await self._store.write(lambda book: book.set_halted(symbol, halted=True))
        _log.info("market_symbol_halted", symbol=symbol)

    async def resume(self, symbol: str) -> list[OrderReport]:
        """Trades the symbol again; returns the orders resting on it that this filled, oldest first.

        Raises Refused with the path `symbol` for one that is unknown.
        """
        self.check_symbol(symbol)
        filled = await self._store.write(lambda book: self._resume(book, symbol))
        _log.info("market_symbol_resumed", symbol=symbol, filled=len(filled))
        return filled

    async def halted(self) -> frozenset[str]:
        """The symbols in which trading is stopped."""
        return await self._store.read(lambda book: book.halted())

    def check_symbol(self, symbol: str) -> None:
        """Refuses a symbol that is unknown, with the path `symbol`."""
        if self._prices.kind(symbol) is None:
            raise refuse(ProblemCode.INVALID_INPUT, "The market knows no such symbol.", "symbol")

    def _resume(self, book: Book, symbol: str) -> list[OrderReport]:
        book.set_halted(symbol, halted=False)
        now = self._price_now(_date_of(book))
        return [report for resting in book.orders(open_only=True) if (report := self._settle(book, resting, now))]

    def _quote(self, symbol: str, today: date, halted: frozenset[str]) -> Quote | None:
        found = self._prices.price_on(symbol, today)
        if found is None:
            return None
        day, close = found
        return Quote(symbol, close, datetime.combine(day, _CLOSE), halted=symbol in halted)

    def _take(self, book: Book, order: MarketOrder) -> OrderReport:
        known = book.order(order.order_id)
        if known and known.terms and not known.terms.same_terms(order):
            return rejected(order, "This order id is another order's.")
        if known:
            return known.report
        report = check_report(order, self._outcome(book, order))
        book.put(BrokerOrder(report, order))
        return report

    def _outcome(self, book: Book, order: MarketOrder) -> OrderReport:
        if order.instrument_type is InstrumentType.OPTION:
            return rejected(order, "This market has no prices of options.")
        if self._prices.kind(order.symbol) is None:
            return rejected(order, "The symbol is unknown.")
        found = self._prices.price_on(order.symbol, today := _date_of(book))
        if found is None:
            return rejected(order, f"The symbol has no price on {today}.")
        if order.symbol in book.halted():
            return rejected(order, "Trading in the symbol is halted.")
        _, close = found
        if round_to_minor(value_of(to_scaled(order.quantity) or 0, close), CURRENCY) > MAX_MINOR:
            return rejected(order, "The order's value is above the market's bound.")
        return at_close(order, close)

    def _advance(self, book: Book, to: date) -> list[OrderReport]:
        today = _may_advance(book, to)
        if to == today:
            return []
        book.set_market_date(to)
        return [report for resting in book.orders(open_only=True) if (report := self._move(book, resting, today, to))]

    def _move(self, book: Book, resting: BrokerOrder, after: date, to: date) -> OrderReport | None:
        if resting.terms and resting.terms.time_in_force is not TimeInForce.GTC:
            expired = replace(resting.report, status=OrderStatus.EXPIRED, reason="The market day is over.")
            book.update(expired)
            return expired
        return self._settle(
            book, resting, lambda symbol: [close for _, close in self._prices.closes(symbol, after, to)]
        )

    def _settle(self, book: Book, resting: BrokerOrder, closes: Callable[[str], list[Decimal]]) -> OrderReport | None:
        order = resting.terms
        if order is None or order.symbol in book.halted():
            return None
        allowed = next((close for close in closes(order.symbol) if order.allows(close)), None)
        if allowed is None:
            return None
        report = fill(resting.report, order, order.quantity - resting.report.filled_quantity, allowed)
        book.update(check_report(order, report, resting.report))
        return report

    def _price_now(self, today: date) -> Callable[[str], list[Decimal]]:
        def closes(symbol: str) -> list[Decimal]:
            found = self._prices.price_on(symbol, today)
            return [found[1]] if found else []

        return closes


def _cancel(book: Book, order_id: str) -> OrderReport:
    known = book.order(order_id)
    if known and known.report.status.final:
        return known.report
    ended = known.report if known else OrderReport(order_id, OrderStatus.CANCELLED)
    report = replace(ended, status=OrderStatus.CANCELLED, reason="The order was cancelled.")
    if known:
        book.update(report)
    else:
        book.put(BrokerOrder(report, None))
    return report


def _may_advance(book: Book, to: date) -> date:
    today = _date_of(book)
    if to < today:
        raise refuse(ProblemCode.INVALID_INPUT, f"The market date only moves on; it is {today} now.", "to")
    if to > LAST_MARKET_DATE:
        raise refuse(ProblemCode.INVALID_INPUT, f"The market date goes to {LAST_MARKET_DATE} at most.", "to")
    return today


def _date_of(book: Book) -> date:
    day = book.market_date()
    assert day is not None, "the broker's record has a market date once it is open"
    return day
