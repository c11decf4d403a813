"""How the market moved in a week."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from services.market.prices import Prices, shipped_prices
from services.market.weeks import ATR_DAYS, WeekMove, week_move

MONDAY = date(2020, 1, 27)


def _prices(changes: list[int]) -> Prices:
    """Two symbols, one from 1.000 and one that never moves, on weekdays from 2020-01-06 on."""
    weekdays = [day for n in range(60) if (day := date(2020, 1, 6) + timedelta(n)).weekday() < 5]
    days = weekdays[: len(changes) + 1]
    gaps = " ".join(str((after - before).days) for before, after in pairwise(days))
    moving = " ".join(map(str, [1000, *changes]))
    still = " ".join(["5000"] + ["0"] * len(changes))
    return Prices.parse(f"source\tx\ndays\t2020-01-06\t{gaps}\nUP\tstock\t0\t{moving}\nSTILL\tstock\t0\t{still}\n")


def test_the_move_is_the_mean_of_every_symbol_s_change_since_the_week_before() -> None:
    # 15 days before Monday 27 January: up and down by 0.010 in turn, then five days up by 0.020.
    prices = _prices([10, -10] * 7 + [20] * 5)
    move = week_move(prices, MONDAY)
    assert move is not None
    assert (move.last, move.change) == (date(2020, 1, 31), Decimal("0.05"))
    # A day of the two weeks before: half of 1% up, or half of 10/1010 down.
    assert move.daily_range == Decimal("0.004975")
    assert move.in_ranges == Decimal("10.050251")


def test_a_week_that_is_not_over_yet_knows_no_later_close() -> None:
    prices = _prices([10, -10] * 7 + [20] * 5)
    tuesday = week_move(prices, MONDAY, known_until=date(2020, 1, 28))
    assert tuesday is not None
    assert (tuesday.last, tuesday.change) == (date(2020, 1, 28), Decimal("0.02"))
    assert week_move(prices, MONDAY, known_until=date(2020, 1, 26)) is None


@pytest.mark.parametrize("day", range(7))
def test_every_day_of_a_week_gives_the_same_move(day: int) -> None:
    prices = shipped_prices()
    assert week_move(prices, date(2022, 12, 19) + timedelta(day)) == week_move(prices, date(2022, 12, 19))


def test_weeks_without_closes_or_with_too_few_before_have_no_move() -> None:
    prices = shipped_prices()
    assert week_move(prices, date(2023, 1, 4)) is None
    assert week_move(prices, date(1990, 1, 10)) is None
    assert week_move(prices, prices.days[ATR_DAYS + 7]) is not None


def test_the_shipped_weeks_show_the_crash_of_march_2020() -> None:
    crash = week_move(shipped_prices(), date(2020, 3, 18))
    assert crash is not None
    assert crash.change < Decimal("-0.08")


def test_a_market_that_stood_still_has_no_range_to_measure_with() -> None:
    assert WeekMove(MONDAY, Decimal("0.01"), Decimal(0)).in_ranges == 0
    still = week_move(_prices([0] * 19), MONDAY)
    assert still is not None
    assert (still.change, still.in_ranges) == (0, 0)
