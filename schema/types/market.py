"""The market as clients see it."""

from datetime import date

import strawberry

from resolvers import markets
from schema.fields import Info, described
from schema.scalars import Date


@strawberry.type(description="The market in which orders are filled.")
class Market:
    """The market."""

    date: Date = strawberry.field(description="The market's own date, which entries carry as their value date.")
    embedded: bool = strawberry.field(
        description="Whether it is the embedded one, which fills at recorded closes and has its administrator here."
    )

    @described
    async def halted_symbols(self, info: Info) -> list[str] | None:
        """The symbols in which the embedded market has stopped trading; null where another market does not tell."""
        return await markets.halted_symbols(info.context)


def market(day: date, *, embedded: bool) -> Market:
    """The market on its date."""
    return Market(date=Date(day.isoformat()), embedded=embedded)
