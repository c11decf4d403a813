"""What an order is expected to cost, and the cash that it holds back while it is open. Minor units."""

from decimal import Decimal, localcontext

from graph.money import QUANTITY_UNIT, from_minor, from_scaled, round_to_minor, value_of
from services.market.fills import commission
from services.market.port import CURRENCY, InstrumentType, Side

SLIPPAGE = Decimal("1.05")
"""A market buy holds this many times its value at the last price, since it may fill at a higher one."""


def expected_commission(quantity: int) -> int:
    """The commission that filling so much (1e-8) of a stock or an ETF is expected to cost."""
    return round_to_minor(commission(InstrumentType.STOCK, from_scaled(quantity)), CURRENCY)


def held_cash(side: Side, quantity: int, last: Decimal, limit: Decimal | None) -> int:
    """The cash that a new order holds: none for a sell; for a buy its highest expected cost and its commission.

    Each is rounded by itself, as it is booked: cost and commission are entries of their own.
    """
    if side is Side.SELL:
        return 0
    price = last * SLIPPAGE if limit is None else limit
    return cost_of(value_of(quantity, price)) + expected_commission(quantity)


def cost_of(value: Decimal) -> int:
    """What a buy of so much value costs without commission: a minor unit at least, so that nothing is for nothing."""
    return max(1, round_to_minor(value, CURRENCY))


def least_quantity(price: Decimal) -> int:
    """The smallest quantity (1e-8) that is worth a minor unit at that price, as amounts are rounded."""
    with localcontext(prec=60):
        half = from_minor(1, CURRENCY) / 2
        return int(half / price * QUANTITY_UNIT) + 1


def remaining_hold(held: int, spent: int, left: int) -> int:
    """What a buy still holds after fills that cost `spent`, when so much of its quantity is left.

    All that the fills left of it, so that fills within the limit never find less than they cost, however the market
    rounds their mean price; what a better price saved is let go when the order ends.
    """
    return max(0, held - spent) if left else 0
