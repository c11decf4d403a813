"""Real daily closes, 1990 to 2022, of 20 stocks of the S&P 500 and 5 factor ETFs, in US dollars.

`scripts/make_prices.py` makes prices.xz and says where the closes come from; their licence is in prices-licence.txt.
They are adjusted for splits and dividends, so an old close is not what was paid on that day.
"""

import lzma
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from itertools import accumulate
from pathlib import Path

from graph.money import plain
from services.market.port import InstrumentType

PRICES_FILE = Path(__file__).parent / "prices.xz"
_THOUSANDTHS = 3


@dataclass(frozen=True, slots=True)
class _Packed:
    kind: InstrumentType
    first: int
    changes: str


class Prices:
    """The closes of each symbol by day. A symbol's closes are unpacked when they are first asked for."""

    def __init__(self, days: list[date], packed: dict[str, _Packed]) -> None:
        self.days = days
        self._packed = packed
        self._closes: dict[str, array[int]] = {}

    @classmethod
    def parse(cls, text: str) -> "Prices":
        """The prices that the text of a price file holds. Raises ValueError where it is not one."""
        lines = [line.split("\t") for line in text.splitlines()]
        if len(lines) < 3 or [lines[0][0], lines[1][0]] != ["source", "days"]:
            raise ValueError("it lacks its source, its days or any symbol")
        _, first, gaps = lines[1]
        start = date.fromisoformat(first).toordinal()
        days = [date.fromordinal(day) for day in accumulate(map(int, gaps.split()), initial=start)]
        packed = {
            symbol: _Packed(InstrumentType(kind), int(begin), changes) for symbol, kind, begin, changes in lines[2:]
        }
        return cls(days, packed)

    @property
    def first_day(self) -> date:
        """The first day that has closes."""
        return self.days[0]

    @property
    def last_day(self) -> date:
        """The last day that has closes."""
        return self.days[-1]

    @property
    def symbols(self) -> list[str]:
        """Every symbol, sorted by code point."""
        return sorted(self._packed)

    def kind(self, symbol: str) -> InstrumentType | None:
        """Whether the symbol is a stock or an ETF; None where it is unknown."""
        packed = self._packed.get(symbol)
        return packed.kind if packed else None

    def price_on(self, symbol: str, day: date) -> tuple[date, Decimal] | None:
        """The last close known on that day, and the day it is of.

        None where the symbol is unknown, has not begun, or has ended while others went on.
        """
        packed = self._packed.get(symbol)
        place = bisect_right(self.days, day) - 1
        if packed is None or place < packed.first:
            return None
        closes = self._unpacked(symbol)
        last = packed.first + len(closes) - 1
        if place > last:
            return None
        return self.days[place], _decimal(closes[place - packed.first])

    def closes(self, symbol: str, after: date, until: date) -> Iterator[tuple[date, Decimal]]:
        """The symbol's days and closes later than `after` and not later than `until`, oldest first."""
        packed = self._packed.get(symbol)
        if packed is None:
            return
        closes = self._unpacked(symbol)
        begin = max(bisect_right(self.days, after), packed.first)
        end = min(bisect_right(self.days, until), packed.first + len(closes))
        for place in range(begin, end):
            yield self.days[place], _decimal(closes[place - packed.first])

    def _unpacked(self, symbol: str) -> "array[int]":
        if symbol not in self._closes:
            self._closes[symbol] = array("i", accumulate(map(int, self._packed[symbol].changes.split())))
        return self._closes[symbol]


def _decimal(thousandths: int) -> Decimal:
    return plain(Decimal(thousandths).scaleb(-_THOUSANDTHS))


@cache
def shipped_prices() -> Prices:
    """The closes that ship with the product, read once in a process.

    Raises RuntimeError where the installation's price file is missing or damaged.
    """
    try:
        return Prices.parse(lzma.decompress(PRICES_FILE.read_bytes()).decode("ascii"))
    except (OSError, lzma.LZMAError, ValueError) as fault:
        raise RuntimeError(f"the price file {PRICES_FILE.name} of this installation cannot be read: {fault}") from fault
