"""What holdings are worth at last known prices.

A market value is rounded once, half-even, for each position: quantity times price. Everything above is a sum of
those, so that an account equals its positions, and a roll-up or a COMPOSITE account its accounts, to the cent.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from graph.money import mean_price, round_to_minor, value_of
from graph.reads_holdings import Holding
from graph.reads_rollups import CurrencySum, HeldSum
from services.prices import Price


class PriceUnknown(Exception):
    """No price of these symbols was ever known."""

    def __init__(self, symbols: Collection[str]) -> None:
        super().__init__(f"no price of {', '.join(sorted(symbols))} was ever known")
        self.symbols = frozenset(symbols)


@dataclass(frozen=True, slots=True)
class CurrencyTotal:
    """Minor units of one currency."""

    currency: str
    minor: int


def position_value(holding: Holding, prices: Mapping[str, Price], currency: str) -> int:
    """What one symbol's positions are worth, in minor units. Raises PriceUnknown."""
    price = prices.get(holding.symbol)
    if price is None:
        raise PriceUnknown([holding.symbol])
    return sum(round_to_minor(value_of(quantity, price.last), currency) for quantity in holding.quantities)


def holdings_value(held: Sequence[Holding], prices: Mapping[str, Price], currency: str) -> int:
    """What all positions of an account are worth, in minor units. Raises PriceUnknown with all symbols at once."""
    _require(prices, (holding.symbol for holding in held))
    return sum(position_value(holding, prices, currency) for holding in held)


def average_price(holding: Holding) -> Decimal:
    """What one of the symbol cost on average, without commission, rounded half-even to 6 decimals."""
    cost = sum((Decimal(cost) for cost in holding.costs if cost is not None), Decimal(0))
    return mean_price(cost, holding.quantity)


def subtree_values(
    cash: Sequence[CurrencySum], held: Sequence[HeldSum], prices: Mapping[str, Price]
) -> list[CurrencyTotal]:
    """What the positions below a group are worth, for each currency that its accounts have. Raises PriceUnknown."""
    _require(prices, (row.symbol for row in held))
    totals: dict[str, int] = defaultdict(int, dict.fromkeys((row.currency for row in cash), 0))
    for row in held:
        totals[row.currency] += row.times * round_to_minor(
            value_of(row.quantity, prices[row.symbol].last), row.currency
        )
    return [CurrencyTotal(currency, totals[currency]) for currency in sorted(totals)]


def subtree_totals(cash: Sequence[CurrencySum], values: Sequence[CurrencyTotal]) -> list[CurrencyTotal]:
    """Cash and market value together, for each currency."""
    posted = {row.currency: row.cash for row in cash}
    return [CurrencyTotal(value.currency, value.minor + posted.get(value.currency, 0)) for value in values]


def _require(prices: Mapping[str, Price], symbols: Iterable[str]) -> None:
    missing = {symbol for symbol in symbols if symbol not in prices}
    if missing:
        raise PriceUnknown(missing)
