"""Finds out how an order stands whose outcome is not known: the market is asked, or given the same order again."""

import structlog

from graph import operations, orders
from graph.database import Row, Transaction
from graph.orders import Standing
from services.desk import Desk
from services.market.port import (
    LookupUnsupported,
    MarketError,
    MarketUnknown,
    NotKnown,
    OrderReport,
    OrderStatus,
    TimeInForce,
)
from services.operations import take_feed
from services.orders.claims import Claim, claim, on_order
from services.orders.settling import UNKNOWN, UNSETTLED, next_due, settle
from services.orders.simulated import exceeds_hold, fill_at_quotes, is_past
from services.orders.terms import RECORDED, UNPROVED, market_order, proved

_log = structlog.get_logger()


async def settle_or_leave(desk: Desk, order: Row, report: OrderReport | None) -> bool:
    """Books the report; where there is none, or it cannot be true, the order waits for the next proof.

    False where the order was withdrawn meanwhile.
    """
    try:
        if report is not None:
            return await settle(desk, order, report)
    except MarketUnknown as error:
        _log.warning("market_report_refused", order=order["id"], reason=str(error))
    return await _leave(desk, order)


async def prove(desk: Desk, order: Row, own: Claim | None = None) -> OrderReport | None:
    """How an open order stands, by the market's word, or None where it gives no proof now.

    An order that the market does not know is sent again under its id, which never trades it twice; `own` is the claim
    of a caller that waits.
    """
    try:
        if order["simulated"]:
            return await fill_at_quotes(desk, order)
        return await _ask(desk, order, own)
    except MarketError as error:
        _log.info("order_not_proved", order=order["id"], reason=str(error))
        return None


async def _ask(desk: Desk, order: Row, own: Claim | None) -> OrderReport | None:
    try:
        found = await desk.market.order(order["id"])
    except LookupUnsupported:
        # What the market has taken before it only tells again; what it has not is judged like a lost order.
        if proved(order):
            return await _send(desk, order, own)
        return await _again(desk, order, NotKnown(final=False), own)
    if isinstance(found, OrderReport):
        return found
    if proved(order):
        _log.error("market_forgot_order", order=order["id"])
        return None
    return await _again(desk, order, found, own)


async def _again(desk: Desk, order: Row, found: NotKnown, own: Claim | None) -> OrderReport | None:
    if await _may_be_sent(desk, order):
        return await _send(desk, order, own)
    if found.final:
        reason = "The order was never taken, and its day or its price is past."
        return OrderReport(order["id"], OrderStatus.EXPIRED, reason=reason)
    # An order that is cancelled before it arrives never trades: that is a proof too.
    return await desk.market.cancel(order["id"])


async def _send(desk: Desk, order: Row, own: Claim | None) -> OrderReport | None:
    return await desk.market.execute(market_order(order)) if await claim(desk, order, own) else None


async def _may_be_sent(desk: Desk, order: Row) -> bool:
    """Whether the order still means what it meant when it was placed: its day is not past, its hold covers it."""
    quote = (await desk.market.quotes([order["symbol"]])).get(order["symbol"])
    if quote is None:
        return True
    terms = market_order(order)
    if terms.time_in_force is not TimeInForce.GTC and await is_past(desk, order):
        return False
    return not exceeds_hold(order, terms, quote)


async def _leave(desk: Desk, order: Row) -> bool:
    async def work(transaction: Transaction, standing: Standing) -> bool:
        known = standing.order
        if not known["open"]:
            return True
        changes: Row = {"dueAt": next_due()}
        if known["status"] != RECORDED or known["simulated"]:
            await operations.change(transaction, known["operation"], UNSETTLED, changes)
            return True
        recorder = await take_feed(transaction, standing.operation)
        before = {"state": standing.operation["state"]}
        recorder.add("OPERATION_CHANGED", [known["account"]], before, {"state": UNKNOWN})
        await orders.change(transaction, known["id"], {"status": UNPROVED})
        await operations.change(transaction, known["operation"], UNSETTLED, changes | {"state": UNKNOWN})
        await recorder.write(transaction)
        return True

    return await on_order(desk, order, work) or False
