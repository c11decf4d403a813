"""The market's date and halts, and how the protocol engine calls a week."""

from datetime import date

from resolvers.context import Context
from resolvers.refusals import UNAVAILABLE, ReadRefused, bad_input
from services.market.paper import LAST_MARKET_DATE, PaperBroker
from services.market.port import MarketUnavailable
from services.protocol.weeks import Week


async def today(context: Context) -> date:
    """The market's date. Raises ReadRefused where the market does not answer."""
    try:
        return await context.desk.market.market_date()
    except MarketUnavailable as error:
        raise _gone() from error


def is_embedded(context: Context) -> bool:
    """Whether the market is the embedded one."""
    return isinstance(context.desk.market, PaperBroker)


async def halted_symbols(context: Context) -> list[str] | None:
    """The symbols that the embedded market has halted, sorted; None where another market is used."""
    market = context.desk.market
    if not isinstance(market, PaperBroker):
        return None
    try:
        return sorted(await market.halted())
    except MarketUnavailable as error:
        raise _gone() from error


async def week(context: Context, day: str | None) -> tuple[date, Week]:
    """The day that was asked for, the market's where none is, and the protocol engine's word on its week.

    Raises ReadRefused for a day that no market reaches, and ReadRefused and Refused where the market or the engine does
    not answer.
    """
    asked = date.fromisoformat(day) if day is not None else await today(context)
    if asked > LAST_MARKET_DATE:
        raise bad_input(f"date must be {LAST_MARKET_DATE} at the latest", "date")
    return asked, await context.desk.protocol.classify_week(asked)


def _gone() -> ReadRefused:
    return ReadRefused(UNAVAILABLE, "the market does not answer now; try again")
