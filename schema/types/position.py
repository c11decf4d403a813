"""Positions as clients see them."""

import strawberry

from graph.money import from_scaled
from resolvers import accounts
from schema.fields import Info, described
from schema.scalars import Decimal, decimal
from schema.types.money import Money, money


@strawberry.type(
    description="What an account holds of one instrument. averagePrice is what the remaining lots cost, without"
    " commission, for one; up to 6 decimals."
)
class Position:
    """What an account holds of one instrument."""

    found: strawberry.Private[accounts.Position]
    symbol: str = strawberry.field(description="The instrument's symbol.")
    quantity: Decimal = strawberry.field(description="How much is held; at most 8 decimals.")
    average_price: Money = strawberry.field(description="What one cost on average, without commission.")

    @described
    async def market_value(self, info: Info) -> Money | None:
        """Quantity times the last known price, rounded once; null, with an error, where it was never known."""
        minor = await accounts.position_worth(info.context, self.found)
        return money(minor, self.found.account["currency"])


def position(found: accounts.Position) -> Position:
    """The position."""
    return Position(
        found=found,
        symbol=found.holding.symbol,
        quantity=decimal(from_scaled(found.holding.quantity)),
        average_price=Money(amount=decimal(found.average_price), currency=found.account["currency"]),
    )
