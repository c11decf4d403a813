"""Totals by value date, as an account's entries make them and as they are kept."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from graph import period_totals
from graph.database import Row


@dataclass(slots=True)
class PeriodTotals:
    """What an account's entries come to in each year, month and day. Amounts are minor units."""

    amounts: dict[str, int] = field(default_factory=dict[str, int])
    places: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])

    def take(self, entry: Row) -> None:
        """Counts an entry in; one that is not posted has a place and no amount."""
        amount, place = entry["amount"] if entry["state"] == "POSTED" else 0, entry["place"]
        for period in period_totals.periods(entry["day"]):
            self.amounts[period] = self.amounts.get(period, 0) + amount
            first, last = self.places.get(period, (place, place))
            self.places[period] = (min(first, place), max(last, place))

    def findings(self, kept: Iterable[Row], money: Callable[[int], str]) -> list[str]:
        """How what is kept differs, each in words; `money` tells minor units as an amount."""
        found: list[str] = []
        missing = dict(self.amounts)
        for row in kept:
            period = row["period"]
            amount = missing.pop(period, 0)
            if row["amount"] != amount:
                found.append(f"its total of {period[1:]} is {money(row['amount'])}, and should be {money(amount)}")
            first, last = self.places.get(period, (row["first"], row["last"]))
            if first < row["first"] or last > row["last"]:
                found.append(f"its total of {period[1:]} leaves out the places of some of its entries")
        return [*found, *(f"its total of {period[1:]} is missing" for period in missing)]
