"""The adapter for a market (WS4) over HTTP, as ws4-market.openapi.yaml has it.

An order is sent once for each call: to send it again is the caller's decision. Where it is certain that nothing left
this machine, or the market said 429, the order was not taken; everything else that is no proof is MarketUnknown.
"""

import asyncio
import contextlib
import math
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from http import HTTPStatus
from urllib.parse import quote

import httpx
from typing_extensions import override

from graph import clock
from graph.money import plain
from services.market import wire
from services.market.checks import check_report
from services.market.days import DayInMemory, KeptDay
from services.market.port import (
    MAX_SYMBOLS,
    LookupUnsupported,
    Market,
    MarketCannotCancel,
    MarketError,
    MarketNotTaken,
    MarketOrder,
    MarketUnavailable,
    MarketUnknown,
    NotKnown,
    OrderReport,
    Quote,
    is_symbol,
)

ANSWER_SECONDS = 5.0
CONNECT_SECONDS = 2.0
MAX_CONNECTIONS = 32
MAX_ANSWER_BYTES = 4 * 1024 * 1024
MAX_ORDER_BYTES = 64 * 1024
FRESH_SECONDS = 60.0
"""How old the last quotes may be where the market's date is asked for."""
FAILED_SECONDS = 1.0
"""How long after quotes that failed the date is told without asking for others."""
USUAL_SYMBOLS = ("AAPL", "MSFT", "SPY")
"""What is quoted to learn the market's date, beside symbols that were quoted before; most markets know one."""
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes


class _NoAnswer(Exception):
    """There is no whole answer; `sent` is False where the request certainly did not leave this machine."""

    def __init__(self, words: str, *, sent: bool) -> None:
        super().__init__(words)
        self.sent = sent


class HttpMarket(Market):
    """The market at a base address. Each answer has `seconds` at most, from the call to its last byte.

    It tells no date of its own: its newest quote does, and `days` keeps that.
    """

    def __init__(self, base_url: str, *, seconds: float = ANSWER_SECONDS, days: KeptDay | None = None) -> None:
        self._seconds = seconds
        self._days = days or DayInMemory()
        self._newest: date | None = None
        self._asked, self._failed = -math.inf, -math.inf
        self._client = httpx.AsyncClient(
            base_url=base_url,
            timeout=httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds / 2), pool=seconds / 2),
            limits=httpx.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_CONNECTIONS),
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
            follow_redirects=False,
            trust_env=False,
        )

    @override
    async def quotes(self, symbols: Collection[str]) -> dict[str, Quote]:
        """The market's quotes; a failed call is made once more within the same time."""
        if len(symbols) > MAX_SYMBOLS:
            raise ValueError(f"at most {MAX_SYMBOLS} symbols are quoted at once")
        asked = {symbol for symbol in symbols if is_symbol(symbol)}
        if not asked:
            return {}
        body: wire.Json = {"symbols": sorted(asked)}
        try:
            found = await self._quotes(body)
        except MarketUnavailable:
            self._failed = time.monotonic()
            raise
        finally:
            self._asked = time.monotonic()
        wanted = {symbol: quote for symbol, quote in found.items() if symbol in asked}
        self._see(quote.at for quote in wanted.values())
        return wanted

    async def _quotes(self, body: wire.Json) -> dict[str, Quote]:
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._read_twice("/market-data", body)
        except TimeoutError as late:
            raise MarketUnavailable("the market gave no quotes in time") from late
        parsed = wire.read(wire.QuotesAnswer, answer)
        if parsed is None or len({each.symbol for each in parsed.quotes}) != len(parsed.quotes):
            raise MarketUnavailable("the market's quotes cannot be read")
        return {each.symbol: each.quote() for each in parsed.quotes}

    def _see(self, instants: Iterable[datetime]) -> None:
        # A quote from the future is a wrong clock of the market's.
        now = clock.now()
        days = [min(at, now).date() for at in instants]
        self._newest = max([*days, self._newest] if self._newest else days, default=None)

    @override
    async def execute(self, order: MarketOrder) -> OrderReport:
        """Sends the order once and returns it as it stands."""
        try:
            answer = await self._ask("POST", "/execute-trade", wire.order_body(order), MAX_ORDER_BYTES)
        except _NoAnswer as fault:
            kind = MarketUnknown if fault.sent else MarketUnavailable
            raise kind(f"order {order.order_id}: {fault}") from fault
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            raise MarketNotTaken(f"the market is busy and did not take order {order.order_id}")
        if answer.status != HTTPStatus.OK:
            raise MarketUnknown(f"the market answered {answer.status} to order {order.order_id}")
        return check_report(order, _report(order.order_id, answer.body))

    @override
    async def order(self, order_id: str) -> OrderReport | NotKnown:
        """The order as the market says that it stands; not known for good only where the market has caught up."""
        answer = await self._read("GET", f"/orders/{_segment(order_id)}", MAX_ORDER_BYTES)
        match answer.status:
            case HTTPStatus.OK:
                return _report(order_id, answer.body)
            case HTTPStatus.NOT_FOUND:
                not_known = wire.read(wire.NotKnownAnswer, answer.body)
                return NotKnown(final=not_known is not None and not_known.caught_up)
            case HTTPStatus.NOT_IMPLEMENTED:
                raise LookupUnsupported("the market cannot look orders up")
            case status:
                raise MarketUnavailable(f"the market answered {status} when asked about order {order_id}")

    @override
    async def cancel(self, order_id: str) -> OrderReport:
        """Raises MarketCannotCancel: the contract of WS4 has no call for it."""
        raise MarketCannotCancel("this market takes no cancellations")

    @override
    async def positions(self, account_id: str) -> dict[str, Decimal]:
        """The sums that the market gives for the account."""
        answer = await self._read("GET", f"/positions/{_segment(account_id)}", MAX_ANSWER_BYTES)
        parsed = wire.read(wire.PositionsAnswer, answer.body) if answer.status == HTTPStatus.OK else None
        if parsed is None or len({each.symbol for each in parsed.positions}) != len(parsed.positions):
            raise MarketUnavailable("the market's positions cannot be read")
        return {each.symbol: plain(each.quantity) for each in parsed.positions if each.quantity}

    @override
    async def market_date(self) -> date:
        """The UTC date of the newest quote that anybody saw, never after today's; it never goes back.

        A quote is asked for where no date is known, or the last quotes are old. While none was ever had, and the market
        gives none now, it is today's date.
        """
        known = await self._days.newest()
        if self._should_look(known or self._newest):
            symbols = {*USUAL_SYMBOLS, *await self._days.symbols()}
            with contextlib.suppress(MarketUnavailable):
                await self.quotes(symbols)
        if self._newest is not None and (known is None or known < self._newest):
            known = await self._days.keep(self._newest)
        return known or clock.now().date()

    def _should_look(self, known: date | None) -> bool:
        now = time.monotonic()
        least = FAILED_SECONDS if known is None else FRESH_SECONDS
        return now - (self._failed if known is None else self._asked) > least

    @override
    async def healthy(self) -> bool:
        """Whether GET /health answers 200."""
        try:
            answer = await self._read("GET", "/health", MAX_ORDER_BYTES)
        except MarketError:
            return False
        return answer.status == HTTPStatus.OK

    @override
    async def aclose(self) -> None:
        """Closes the connections."""
        await self._client.aclose()

    async def _read_twice(self, path: str, body: wire.Json) -> bytes:
        try:
            answer = await self._ask("POST", path, body, MAX_ANSWER_BYTES)
        except _NoAnswer:
            answer = None
        if answer is None or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            answer = await self._read("POST", path, MAX_ANSWER_BYTES, body)
        if answer.status != HTTPStatus.OK:
            raise MarketUnavailable(f"the market answered {answer.status} when asked for quotes")
        return answer.body

    async def _read(self, method: str, path: str, most: int, body: wire.Json | None = None) -> _Answer:
        try:
            return await self._ask(method, path, body, most)
        except _NoAnswer as fault:
            raise MarketUnavailable(str(fault)) from fault

    async def _ask(self, method: str, path: str, body: wire.Json | None, most: int) -> _Answer:
        try:
            async with asyncio.timeout(self._seconds), self._client.stream(method, path, json=body) as response:
                return _Answer(response.status_code, await _bounded(response, most))
        except _NOT_SENT as fault:
            raise _NoAnswer("the market cannot be reached", sent=False) from fault
        except TimeoutError as fault:
            raise _NoAnswer("the market did not answer in time", sent=True) from fault
        except (httpx.HTTPError, httpx.StreamError) as fault:
            raise _NoAnswer(f"the market's answer broke off ({type(fault).__name__})", sent=True) from fault


async def _bounded(response: httpx.Response, most: int) -> bytes:
    """The body, no longer than `most` bytes and as it was sent: a packed one could unpack into any size."""
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise _NoAnswer("the market's answer is packed, which was not asked for", sent=True)
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > most:
            raise _NoAnswer("the market's answer is too long", sent=True)
    return bytes(body)


def _report(order_id: str, body: bytes) -> OrderReport:
    parsed = wire.read(wire.OrderAnswer, body)
    if parsed is None:
        raise MarketUnknown(f"the market's answer about order {order_id} cannot be read")
    if parsed.order_id != order_id:
        raise MarketUnknown(f"the market's answer about order {order_id} is about another one")
    return parsed.report()


def _segment(name: str) -> str:
    return quote(name, safe="")
