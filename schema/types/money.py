"""Money as clients see it."""

import strawberry

from graph.money import from_minor
from schema.scalars import Decimal, decimal


@strawberry.type(description="An exact amount in a currency.")
class Money:
    """An exact amount in a currency."""

    amount: Decimal = strawberry.field(
        description="The amount. Posted amounts have the currency's decimals (ISO 4217); prices keep their own."
    )
    currency: str = strawberry.field(description="The ISO 4217 code of the currency.")


def money(minor: int, currency: str) -> Money:
    """The amount of so many minor units."""
    return Money(amount=decimal(from_minor(minor, currency)), currency=currency)
