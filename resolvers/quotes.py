"""Quotes, as the market gives them now."""

from collections.abc import Sequence

from resolvers.context import Context
from resolvers.refusals import bad_input
from services.market.port import Quote, is_symbol

MAX_SYMBOLS = 100


async def quotes(context: Context, symbols: Sequence[str]) -> Sequence[Quote]:
    """The quote of each symbol that the market knows, in the order asked. Raises ReadRefused."""
    wanted = list(dict.fromkeys(symbols))
    if len(wanted) > MAX_SYMBOLS:
        raise bad_input(f"symbols must list at most {MAX_SYMBOLS}", "symbols")
    known = [symbol for symbol in wanted if is_symbol(symbol)]
    found = await context.loaders.prices.quotes(known)
    return [found[symbol] for symbol in known if symbol in found]
