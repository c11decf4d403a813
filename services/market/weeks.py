"""How the market moved in a week: the figures that a week is classified by."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from services.market.prices import Prices

ATR_DAYS = 14
_SIX_DECIMALS = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class WeekMove:
    """A week's move of all symbols, each with the same weight, as fractions: 0.01 is up 1%.

    `change` runs from the last close before the week to the close of `last`. `daily_range` is what the same basket
    moved on an average day of the 14 before the week, up or down. The data has closes alone, so it stands for the
    average true range (Wilder, New Concepts in Technical Trading Systems, 1978) without highs and lows.
    """

    last: date
    change: Decimal
    daily_range: Decimal

    @property
    def in_ranges(self) -> Decimal:
        """The change as a multiple of the daily range, and below zero where the week went down."""
        return (self.change / self.daily_range).quantize(_SIX_DECIMALS) if self.daily_range else Decimal(0)


def week_move(prices: Prices, day: date, known_until: date | None = None) -> WeekMove | None:
    """The move of the week (Monday to Sunday) that holds the day, with no close later than `known_until`.

    None where that week has no closes, or too few days before it have.
    """
    monday = day - timedelta(days=day.weekday())
    end = min(monday + timedelta(days=6), known_until or date.max)
    places = [place for place, traded in enumerate(prices.days) if monday <= traded <= end]
    if not places or places[0] <= ATR_DAYS:
        return None
    before = places[0] - 1
    days = prices.days[before - ATR_DAYS : before + 1]
    moves = [abs(_change(prices, days[i], days[i + 1])) for i in range(ATR_DAYS)]
    last = prices.days[places[-1]]
    daily_range = (sum(moves, Decimal(0)) / ATR_DAYS).quantize(_SIX_DECIMALS)
    return WeekMove(last, _change(prices, prices.days[before], last), daily_range)


def _change(prices: Prices, before: date, after: date) -> Decimal:
    """The mean change of the symbols that have a close on both days."""
    changes: list[Decimal] = []
    for symbol in prices.symbols:
        first, last = prices.price_on(symbol, before), prices.price_on(symbol, after)
        if first and last:
            changes.append(last[1] / first[1] - 1)
    return (sum(changes, Decimal(0)) / len(changes)).quantize(_SIX_DECIMALS)
