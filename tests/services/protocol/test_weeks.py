"""The eleven week types, each on both sides of its edges."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.protocol.weeks import CallMove, MarketCondition, PutMove, WeekMoves, WeekType, classify, monday_of

PUTS: list[tuple[str, bool, WeekType]] = [
    ("0.2", True, WeekType.P_EW),
    ("0.0001", False, WeekType.P_EW),
    ("0", True, WeekType.P_AWL),
    ("-0.0001", False, WeekType.P_AWL),
    ("-0.05", True, WeekType.P_AWL),
    ("-0.0501", True, WeekType.P_RO),
    ("-0.15", True, WeekType.P_RO),
    ("-0.0501", False, WeekType.P_AOL),
    ("-0.15", False, WeekType.P_AOL),
    ("-0.1501", True, WeekType.P_DD),
    ("-0.1501", False, WeekType.P_DD),
    ("-0.9", True, WeekType.P_DD),
]
CALLS: list[tuple[str, WeekType]] = [
    ("0.5", WeekType.C_WAP_PLUS),
    ("0.1001", WeekType.C_WAP_PLUS),
    ("0.10", WeekType.C_WAP_PLUS),
    ("0.0501", WeekType.C_WAP_PLUS),
    ("0.05", WeekType.C_WAP),
    ("0.0001", WeekType.C_WAP),
    ("0", WeekType.C_PNO),
    ("-0.05", WeekType.C_PNO),
    ("-0.0501", WeekType.C_RO),
    ("-0.10", WeekType.C_RO),
    ("-0.1001", WeekType.C_REC),
    ("-0.15", WeekType.C_REC),
    ("-0.5", WeekType.C_REC),
]


@pytest.mark.parametrize(("from_strike", "can_roll", "expected"), PUTS)
def test_a_put_by_its_distance_from_the_strike(from_strike: str, can_roll: bool, expected: WeekType) -> None:
    assert classify(WeekMoves(PutMove(Decimal(from_strike), can_roll))).week_type is expected


@pytest.mark.parametrize(("change", "expected"), CALLS)
def test_a_call_by_its_change_over_the_week(change: str, expected: WeekType) -> None:
    assert classify(WeekMoves(CallMove(Decimal(change)))).week_type is expected


def test_an_idle_week_is_certain_and_one_without_prices_is_not() -> None:
    idle, unknown = classify(WeekMoves(None, MarketCondition.CHOP)), classify(None)
    assert (idle.week_type, idle.confidence, idle.market_condition) == (WeekType.W_IDL, 1.0, MarketCondition.CHOP)
    assert (unknown.week_type, unknown.confidence) == (WeekType.W_IDL, 0.5)
    assert "no prices" in unknown.note


def test_all_eleven_types_are_reached() -> None:
    reached = {expected for _, _, expected in PUTS} | {expected for _, expected in CALLS} | {WeekType.W_IDL}
    assert reached == set(WeekType)
    assert len(WeekType) == 11


def test_what_the_types_leave_open_is_said() -> None:
    assert "10%" in classify(WeekMoves(CallMove(Decimal("0.1001")))).note
    assert "15%" in classify(WeekMoves(CallMove(Decimal("-0.1501")))).note
    assert classify(WeekMoves(CallMove(Decimal("0.10")))).note == ""
    assert classify(WeekMoves(CallMove(Decimal("-0.15")))).note == ""


@pytest.mark.parametrize(("change", "confidence"), [("0.05", 0.5), ("0.055", 0.75), ("0.06", 1.0), ("0.3", 1.0)])
def test_confidence_grows_with_the_distance_from_the_nearest_edge(change: str, confidence: float) -> None:
    assert classify(WeekMoves(CallMove(Decimal(change)))).confidence == confidence


@given(st.decimals(-1, 5, places=6), st.booleans(), st.booleans())
def test_confidence_lies_between_a_half_and_one(move: Decimal, put: bool, can_roll: bool) -> None:
    week = classify(WeekMoves(PutMove(move, can_roll) if put else CallMove(move)))
    assert 0.5 <= week.confidence <= 1
    assert week.week_type.startswith("P-" if put else "C-")


@given(st.dates(min_value=date(1990, 1, 8)))
def test_a_day_lies_in_the_week_of_its_monday(day: date) -> None:
    monday = monday_of(day)
    assert monday.isoweekday() == 1
    assert monday <= day <= monday + timedelta(days=6)
