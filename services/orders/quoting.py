"""What an order needs to know of the market before it is placed."""

from dataclasses import dataclass
from decimal import Decimal

from graph import positions
from services.desk import Desk
from services.market.port import MarketError
from services.prices import Price
from services.problems import ProblemCode, Refused, invalid, refuse
from services.valuation import Marks


@dataclass(frozen=True, slots=True)
class Quoted:
    """The last price of the order's symbol, and the marks of all that its account holds."""

    last: Decimal
    marks: Marks


async def quoted(desk: Desk, account: str, symbol: str) -> Quoted:
    """The quotes of the symbol and of what the account holds, by one market call.

    Raises Refused: UNAVAILABLE where the market does not answer, INVALID_INPUT for a symbol that it does not know.
    """
    held = (await positions.of_accounts(desk.database, [account]))[account]
    asked = {symbol, *(position["symbol"] for position in held)}
    try:
        quotes = await desk.market.quotes(asked)
        # Asked after the quotes: a market over HTTP tells its date by them.
        day = await desk.market.market_date()
    except MarketError as error:
        raise market_gone() from error
    if symbol not in quotes:
        raise Refused(invalid("symbol must be one that the market knows and quotes on its date", "symbol"))
    prices = {quote.symbol: Price(quote.last, quote.at) for quote in quotes.values()}
    missing = asked - prices.keys()
    if missing:
        prices |= await desk.prices.known(missing)
    return Quoted(prices[symbol].last, Marks(day, frozenset(asked), prices))


def market_gone() -> Refused:
    """The refusal of what needs a market that does not answer now."""
    return refuse(ProblemCode.UNAVAILABLE, "the market does not answer now; nothing was sent; try again")
