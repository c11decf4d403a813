"""Quotes as clients see them."""

import strawberry

from graph import clock
from schema.scalars import DateTime, decimal
from schema.types.money import Money
from services.market import port


@strawberry.type(description="The last price of an instrument.")
class Quote:
    """The last price of an instrument."""

    symbol: str = strawberry.field(description="The instrument's symbol.")
    last: Money = strawberry.field(description="The exact last price for one.")
    at: DateTime = strawberry.field(description="The instant that the price is of.")


def quote(found: port.Quote) -> Quote:
    """The market's quote."""
    last = Money(amount=decimal(found.last), currency=port.CURRENCY)
    return Quote(symbol=found.symbol, last=last, at=DateTime(clock.to_text(found.at)))
