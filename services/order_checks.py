"""Orders as they are booked, compared with the market's own word."""

import asyncio
from collections.abc import Sequence

from graph import checks, orders
from graph.database import Row
from services.desk import Desk
from services.findings import Report
from services.market.port import LookupUnsupported, MarketError, MarketUnknown, NotKnown, OrderReport
from services.orders.terms import booked_report

AT_ONCE = 8


class OrderCheck:
    """Compares orders with the market, until it turns out that the market cannot be asked."""

    def __init__(self, desk: Desk, report: Report) -> None:
        self._desk = desk
        self._report = report
        self._asking = True

    async def check(self, accounts: Sequence[str]) -> None:
        """Compares every order of the accounts that the market saw; a SIMULATED one never reached it."""
        if not self._asking:
            return
        async for page in checks.orders_of(self._desk.database, accounts):
            found = await orders.find(self._desk.database, page)
            seen = [order for order in found.values() if not order["simulated"]]
            for start in range(0, len(seen), AT_ONCE):
                await self._compare(seen[start : start + AT_ONCE])

    async def _compare(self, batch: Sequence[Row]) -> None:
        if not self._asking:
            return
        try:
            await asyncio.gather(*(self._judge(order) for order in batch))
        except LookupUnsupported:
            self._asking = False
            self._report.note("the market cannot look orders up, so they were not compared with it")
        except MarketError as error:
            self._asking = False
            self._report.market_answers = False
            self._report.note(f"the market does not answer, so orders were not compared with it: {error}")

    async def _judge(self, order: Row) -> None:
        try:
            said = await self._desk.market.order(order["id"])
        except MarketUnknown as error:
            self._report.add(f"order {order['id']}: the market's word on it cannot be true: {error}")
            return
        self._report.orders += 1
        booked = booked_report(order)
        if _same(booked, said):
            return
        # What was booked meanwhile is read again: the market's word is the older one then.
        now = (await orders.find(self._desk.database, [order["id"]])).get(order["id"])
        if now is None or _same(booked_report(now), said) or booked_report(now) != booked:
            return
        if order["open"] and _ahead(booked, said):
            self._report.note(f"order {order['id']}: it is open, and the market's word on it is still to be booked")
            return
        self._report.add(f"order {order['id']}: booked is {_told(booked)}, the market says {_told(said)}")


def _same(booked: OrderReport | None, said: OrderReport | NotKnown) -> bool:
    if isinstance(said, NotKnown):
        # An order that nobody took, and one that ended since it never was taken, are not known to the market.
        return booked is None or (booked.status.final and not booked.filled_quantity)
    return booked is not None and _figures(booked) == _figures(said)


def _figures(report: OrderReport) -> tuple[object, ...]:
    return report.status, report.filled_quantity, report.avg_fill_price, report.commission


def _ahead(booked: OrderReport | None, said: OrderReport | NotKnown) -> bool:
    if isinstance(said, NotKnown):
        return False
    return booked is None or said.filled_quantity >= booked.filled_quantity


def _told(report: OrderReport | NotKnown | None) -> str:
    if report is None:
        return "nothing yet"
    if isinstance(report, NotKnown):
        return "that it knows no such order"
    price = "" if report.avg_fill_price is None else f" at {report.avg_fill_price:f}"
    return f"{report.status.value}, {report.filled_quantity:f} filled{price}, commission {report.commission:f}"
