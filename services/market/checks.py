"""Whether what the market says of an order can be true. What cannot is never booked, and is never a rejection."""

from decimal import Decimal

from graph.money import MAX_MINOR, MAX_QUANTITY, round_to_minor, to_scaled, value_of
from services.market.port import CURRENCY, MarketOrder, MarketUnknown, OrderReport, OrderStatus

MAX_REASON_LENGTH = 300
_UNFILLED = frozenset({OrderStatus.PENDING, OrderStatus.SUBMITTED, OrderStatus.ACCEPTED, OrderStatus.REJECTED})


def readable_reason(reason: str | None) -> str | None:
    """The market's words as one short printable line; None where there are none."""
    shown = "".join(each if each.isprintable() else " " for each in (reason or "")[:MAX_REASON_LENGTH])
    return " ".join(shown.split()) or None


def check_report(order: MarketOrder, report: OrderReport, previous: OrderReport | None = None) -> OrderReport:
    """The report, where it can be true of that order after the previous report of it.

    Raises MarketUnknown where it cannot: the order's outcome is then not proved.
    """
    wrong = _contradiction(order, report) or (previous and _goes_back(previous, report))
    if wrong:
        raise MarketUnknown(f"the market's answer about order {order.order_id} cannot be true: {wrong}")
    return report


def check_figures(report: OrderReport) -> OrderReport:
    """The report, where it can be true of some order. Raises MarketUnknown where it cannot."""
    wrong = _impossible(report)
    if wrong:
        raise MarketUnknown(f"the market's answer about order {report.order_id} cannot be true: {wrong}")
    return report


def _impossible(report: OrderReport) -> str | None:
    filled, price = to_scaled(report.filled_quantity), report.avg_fill_price
    if filled is None or not 0 <= filled <= MAX_QUANTITY:
        return "the filled quantity is below 0, too large or has more than 8 decimals"
    if report.commission < 0 or round_to_minor(report.commission, CURRENCY) > MAX_MINOR:
        return "the commission is below 0 or too large"
    if filled == 0:
        return _unfilled_problem(report)
    if report.status in _UNFILLED:
        return f"an order that is {report.status} has no fills"
    if price is None or price <= 0:
        return "it is filled without a price above 0"
    return "the amount is too large" if round_to_minor(value_of(filled, price), CURRENCY) > MAX_MINOR else None


def _unfilled_problem(report: OrderReport) -> str | None:
    if report.status in (OrderStatus.FILLED, OrderStatus.PARTIALLY_FILLED):
        return f"it is {report.status} without a filled quantity"
    if report.avg_fill_price or report.commission:
        return "it has a price or a commission without a fill"
    return None


def _contradiction(order: MarketOrder, report: OrderReport) -> str | None:
    if report.order_id != order.order_id:
        return "it is about another order"
    wrong = _impossible(report)
    if wrong:
        return wrong
    if report.filled_quantity > order.quantity:
        return "more was filled than ordered"
    if (report.filled_quantity == order.quantity) != (report.status is OrderStatus.FILLED):
        return f"{report.filled_quantity} of {order.quantity} is not {report.status}"
    if report.avg_fill_price is not None and not order.allows(report.avg_fill_price):
        return "it traded beyond the order's limit"
    return None


def _goes_back(previous: OrderReport, report: OrderReport) -> str | None:
    if report.filled_scaled < previous.filled_scaled or report.commission < previous.commission:
        return "less is filled or charged than before"
    same_fills = report.filled_scaled == previous.filled_scaled
    if same_fills and _fills(report) != _fills(previous):
        return "its price or commission changed without a fill"
    if previous.status.final and not (same_fills and report.status is previous.status):
        return "it changed after it had ended"
    return None


def _fills(report: OrderReport) -> tuple[Decimal | None, Decimal]:
    return report.avg_fill_price, report.commission
