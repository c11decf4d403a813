"""How the embedded broker fills an order and what that costs."""

from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Decimal

from graph.money import average_price, to_scaled
from services.market.port import InstrumentType, MarketOrder, OrderReport, OrderStatus, TimeInForce

_SHARE_COMMISSION = Decimal("0.005")
_CONTRACT_COMMISSION = Decimal("0.65")
_LEAST_CONTRACT_COMMISSION = Decimal(1)


def commission(instrument_type: InstrumentType, quantity: Decimal) -> Decimal:
    """What a trade costs in US dollars: $0.005 a share, or $0.65 an option contract and at least $1; whole cents."""
    if instrument_type is InstrumentType.OPTION:
        cost = max(_CONTRACT_COMMISSION * quantity, _LEAST_CONTRACT_COMMISSION)
    else:
        cost = _SHARE_COMMISSION * quantity
    return cost.quantize(Decimal("0.01"), rounding=ROUND_HALF_EVEN)


def fill(report: OrderReport, order: MarketOrder, quantity: Decimal, price: Decimal) -> OrderReport:
    """The order's report after so much more of it was filled at that price."""
    filled = report.filled_quantity + quantity
    parts = [(to_scaled(quantity) or 0, price)]
    if report.avg_fill_price is not None:
        parts.append((report.filled_scaled, report.avg_fill_price))
    return OrderReport(
        order.order_id,
        OrderStatus.FILLED if filled == order.quantity else OrderStatus.PARTIALLY_FILLED,
        filled,
        average_price(parts),
        commission(order.instrument_type, filled),
    )


def at_close(order: MarketOrder, close: Decimal) -> OrderReport:
    """How a new order stands at that close: filled whole, resting, or expired where it may not rest."""
    standing = OrderReport(order.order_id, OrderStatus.ACCEPTED)
    if order.allows(close):
        return fill(standing, order, order.quantity, close)
    if order.time_in_force in (TimeInForce.IOC, TimeInForce.FOK):
        return replace(standing, status=OrderStatus.EXPIRED, reason="The price is beyond the order's limit.")
    return standing


def rejected(order: MarketOrder, reason: str) -> OrderReport:
    """The order's report when the market refuses it."""
    return OrderReport(order.order_id, OrderStatus.REJECTED, reason=reason)
