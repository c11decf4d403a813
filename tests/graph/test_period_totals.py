"""Totals by value date: their spans hold each day once, and they are made anew from entries as they were kept."""

import random
from collections.abc import Sequence
from datetime import date

import pytest

from graph import migrate, period_totals
from graph.database import Row
from graph.period_totals import Span
from tests.support.backdating import Backdated, days_from
from tests.support.graphs import connected, statement
from tests.support.house import Address, House
from tests.support.reads import place, write

pytestmark = pytest.mark.anyio

FIRST, LAST = "0001-01-01", "9999-12-31"
KEPT = statement(
    "MATCH (t:PeriodTotal) WHERE t.ledger = $ledger AND t.period > '' RETURN t {.*} AS total ORDER BY t.period"
)
DROP = statement("MATCH (t:PeriodTotal) WHERE t.ledger = $ledger AND t.period > '' DELETE t")
SPOIL = statement("MATCH (t:PeriodTotal) WHERE t.ledger = $ledger AND t.period > '' SET t.amount = 7, t.last = 1")


def held(spans: Sequence[Span], days: Sequence[str]) -> list[str]:
    """The days that are in the spans, by the periods that these days have, as often as they are in them."""
    periods = {period for day in days for period in period_totals.periods(day)}
    inside = [period[1:] for low, high in spans for period in periods if low <= period < high]
    return sorted(day for period in inside for day in days if day.startswith(period))


def test_the_spans_before_a_day_hold_each_earlier_day_once() -> None:
    chance = random.Random(4)
    days = [date.fromordinal(each).isoformat() for each in chance.sample(range(730_000, 740_000), 300)]
    days = sorted({*days, FIRST, LAST, "2024-02-29", "2023-12-31", "2024-01-01", "2024-03-01"})
    for day in days:
        assert held(period_totals.before(day), days) == [each for each in days if each < day]
        assert held(period_totals.until(day), days) == [each for each in days if each <= day]


def test_the_spans_between_two_days_hold_each_of_them_once() -> None:
    chance = random.Random(5)
    days = sorted({*days_from("2023-11-20", 500), FIRST, LAST, "1999-12-31"})
    pairs = [sorted(chance.choices(days, k=2)) for _ in range(300)]
    for first, last in [*pairs, [FIRST, LAST], [FIRST, FIRST], ["2023-11-30", "2023-12-01"]]:
        spans = period_totals.between(first, last)
        assert len(spans) <= 5
        assert held(spans, days) == [day for day in days if first <= day <= last]


def test_rows_of_one_period_become_one() -> None:
    day = {"ledger": "a", "period": "D2026-01-01"}
    rows: list[Row] = [day | {"amount": 5, "first": 3, "last": 3}, day | {"amount": -7, "first": 4, "last": 4}]
    other = {"ledger": "b", "period": "D2026-01-01", "amount": 1, "first": 9, "last": 9}
    assert period_totals.merged([rows[0], other, rows[1]]) == [day | {"amount": -2, "first": 3, "last": 4}, other]


async def test_data_of_a_version_without_totals_gets_those_that_it_would_have(house: House, engine: Address) -> None:
    history = Backdated(house, await place(house), random.Random(6), days_from("2025-12-20", 40))
    await history.grow(40)
    kept = await house.desk.database.run(KEPT, ledger=history.account)
    days = {row["total"]["period"]: row["total"]["amount"] for row in kept}
    posted = {entry.day for entry in history.entries if entry.state == "POSTED"}
    assert {day: days[f"D{day}"] for day in posted} == {
        day: history.balance(day, inside=True) - history.balance(day, inside=False) for day in posted
    }
    renewed: list[int] = []

    async def go_on() -> None:
        renewed.append(1)

    async with connected(engine) as database:
        for lost in (DROP, SPOIL):
            await write(house, lost, ledger=history.account)
            await period_totals.rebuild(database, go_on)
            again = await database.run(KEPT, ledger=history.account)
            assert [_without_places(row) for row in again] == [
                _without_places(row) for row in kept if _has_entries(row, history)
            ]
            assert all(row["total"]["first"] <= row["total"]["last"] for row in again)
    assert renewed


def test_the_migration_is_the_one_that_makes_them() -> None:
    assert "period_totals" in {migration.name for migration in migrate.shipped()}


def _without_places(row: Row) -> Row:
    return {name: value for name, value in row["total"].items() if name not in {"first", "last"}}


def _has_entries(row: Row, history: Backdated) -> bool:
    """Whether the period still has an entry: one that was pending counts from the day of its posting."""
    return any(row["total"]["period"] in period_totals.periods(entry.day) for entry in history.entries)
