"""What a report of the market adds to what is booked of an order already."""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

from graph.database import Row
from graph.money import from_scaled, plain, round_to_minor, value_of
from services.market.port import CURRENCY, OrderReport, Side
from services.orders.holds import cost_of

_PRICE_STEP = Decimal(1).scaleb(-12)


@dataclass(frozen=True, slots=True)
class Booking:
    """The fills since: their quantity (1e-8), amount and fee (minor units, not negative) and price for one.

    `cost` and `commission` are what is booked of the whole order afterwards. Each is rounded once for the order, so
    that the parts of an order that fills in several add up to what it costs filled at once. What a buy has got so far
    costs a minor unit at least: nothing is bought for nothing.
    """

    quantity: int
    amount: int
    fee: int
    price: Decimal
    cost: int
    commission: int


def booking(order: Row, report: OrderReport) -> Booking:
    """What the report adds to the order; a checked report never takes anything away."""
    quantity = report.filled_scaled - order["filledQuantity"]
    whole = value_of(report.filled_scaled, report.avg_fill_price or Decimal(0))
    before = value_of(order["filledQuantity"], Decimal(order["averagePrice"] or 0))
    bought = whole and Side(order["side"]) is Side.BUY
    cost = cost_of(whole) if bought else round_to_minor(whole, CURRENCY)
    fee = round_to_minor(report.commission, CURRENCY)
    price = _price(whole, before, quantity) if quantity else Decimal(0)
    return Booking(quantity, cost - order["cost"], fee - order["commission"], price, cost, fee)


def _price(whole: Decimal, before: Decimal, quantity: int) -> Decimal:
    """The price of one in the fills since, exact where 12 decimals can say it."""
    with localcontext(prec=60):
        one = (whole - before) / from_scaled(quantity)
        return plain(one.quantize(_PRICE_STEP, rounding=ROUND_HALF_EVEN))
