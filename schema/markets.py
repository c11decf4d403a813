"""The market, and the week types of the protocol engine."""

from typing import Annotated

import strawberry

from resolvers import markets
from schema.fields import Info, described
from schema.scalars import Date
from schema.types.market import Market, market


@strawberry.type(description="What kind of week it was, by the protocol engine.")
class Week:
    """What kind of week it was."""

    date: Date = strawberry.field(description="The day that was asked for.")
    type: str = strawberry.field(
        description="P-EW, P-AWL, P-RO, P-AOL, P-DD, C-WAP, C-WAP+, C-PNO, C-RO, C-REC or W-IDL."
    )
    market_condition: str | None = strawberry.field(
        description="green for trading at the standard size, red for less, chop for least; null where unknown."
    )
    confidence: float = strawberry.field(description="How sure the engine is: 0 to 1.")
    note: str | None = strawberry.field(description="What the week types leave open; null where they leave nothing.")


Day = Annotated[
    Date | None,
    strawberry.argument(
        description="A day of the week, 2100-01-01 at the latest. The market's date where it is not given."
    ),
]


@strawberry.type
class MarketQueries:
    """The queries about the market."""

    @described
    async def market(self, info: Info) -> Market:
        """The market in which orders are filled."""
        return market(await markets.today(info.context), embedded=markets.is_embedded(info.context))

    @described
    async def week(self, info: Info, date: Day = None) -> Week:
        """What kind of week the one of a day was, by the protocol engine."""
        day, found = await markets.week(info.context, date)
        condition = found.market_condition
        return Week(
            date=Date(day.isoformat()),
            type=found.week_type.value,
            market_condition=None if condition is None else condition.value,
            confidence=found.confidence,
            note=found.note or None,
        )
