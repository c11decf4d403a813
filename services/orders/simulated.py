"""Fills the orders of SIMULATED accounts at the market's quotes; the market never sees them."""

from dataclasses import replace

from graph.database import Row
from graph.money import from_scaled, round_to_minor, value_of
from services.desk import Desk
from services.market.fills import at_close, fill, rejected
from services.market.port import CURRENCY, MarketOrder, OrderReport, OrderStatus, Quote, Side, TimeInForce
from services.orders.holds import expected_commission
from services.orders.terms import booked_report, market_order


async def fill_at_quotes(desk: Desk, order: Row) -> OrderReport:
    """How the order stands now, by the rules of the embedded broker. Raises MarketUnavailable without quotes."""
    quote = (await desk.market.quotes([order["symbol"]])).get(order["symbol"])
    terms, booked = market_order(order), booked_report(order)
    if terms.time_in_force is not TimeInForce.GTC and await is_past(desk, order):
        ended = booked or OrderReport(terms.order_id, OrderStatus.EXPIRED)
        return replace(ended, status=OrderStatus.EXPIRED, reason="The market day is over.")
    return _new(order, terms, quote) if booked is None else _resting(terms, booked, quote)


def cancelled(order: Row) -> OrderReport:
    """The report of an open order whose rest is cancelled."""
    standing = booked_report(order) or OrderReport(order["id"], OrderStatus.CANCELLED)
    return replace(standing, status=OrderStatus.CANCELLED, reason="The order was cancelled.")


async def is_past(desk: Desk, order: Row) -> bool:
    """Whether the market's date is after the one that the order was placed on. Raises MarketUnavailable."""
    return (await desk.market.market_date()).isoformat() > order["valueDate"]


def exceeds_hold(order: Row, terms: MarketOrder, quote: Quote) -> bool:
    """Whether a buy at the market would now cost more, with commission, than the order holds."""
    if terms.side is Side.SELL or terms.limit_price is not None:
        return False
    value = round_to_minor(value_of(order["quantity"], quote.last), CURRENCY)
    return value + expected_commission(order["quantity"]) > order["held"]


def _new(order: Row, terms: MarketOrder, quote: Quote | None) -> OrderReport:
    if quote is None:
        return rejected(terms, "The symbol has no price now.")
    if quote.halted:
        return rejected(terms, "Trading in the symbol is halted.")
    if exceeds_hold(order, terms, quote):
        return rejected(terms, "The price has risen beyond what the order holds.")
    return at_close(terms, quote.last)


def _resting(terms: MarketOrder, booked: OrderReport, quote: Quote | None) -> OrderReport:
    if quote is None or quote.halted or not terms.allows(quote.last):
        return booked
    return fill(booked, terms, terms.quantity - from_scaled(booked.filled_scaled), quote.last)
