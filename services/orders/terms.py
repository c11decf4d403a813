"""An order as the graph keeps it, told in the market's terms."""

from decimal import Decimal

from graph import clock
from graph.database import Row
from graph.money import from_scaled
from services.market.port import InstrumentType, MarketOrder, OrderReport, OrderStatus, OrderType, Side, TimeInForce

RECORDED = "RECORDED"
"""The status of an order of which the market has proved nothing yet, and whose caller may still wait."""
UNPROVED = "UNPROVED"
"""The status of an order that was or may have been sent, and of which the market has proved nothing yet."""


def market_order(order: Row) -> MarketOrder:
    """The order as the market takes it, always the same for the same order."""
    limit = order["limitPrice"]
    return MarketOrder(
        order_id=order["id"],
        account_id=order["account"],
        symbol=order["symbol"],
        side=Side(order["side"]),
        quantity=from_scaled(order["quantity"]),
        at=clock.from_text(order["at"]),
        instrument_type=InstrumentType(order["instrument"]),
        order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
        limit_price=None if limit is None else Decimal(limit),
        time_in_force=TimeInForce(order["timeInForce"]),
    )


def proved(order: Row) -> bool:
    """Whether the market has said of the order how it stands."""
    return order["status"] not in {RECORDED, UNPROVED}


def booked_report(order: Row) -> OrderReport | None:
    """The report of the order that is booked, or None where the market has proved nothing yet."""
    if not proved(order):
        return None
    average = order["averagePrice"]
    return OrderReport(
        order["id"],
        OrderStatus(order["status"]),
        from_scaled(order["filledQuantity"]),
        None if average is None else Decimal(average),
        Decimal(order["charged"]),
        order["reason"],
    )
