"""Instants as text: nothing is lost, and the text's order is the time's."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph import clock

INSTANTS = st.datetimes(min_value=datetime(1000, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(INSTANTS)
def test_an_instant_comes_back_from_its_text(at: datetime) -> None:
    assert clock.from_text(clock.to_text(at)) == at
    assert len(clock.to_text(at)) == 27


@given(INSTANTS, INSTANTS)
def test_the_order_of_texts_is_the_order_of_instants(one: datetime, other: datetime) -> None:
    assert (one < other) == (clock.to_text(one) < clock.to_text(other))


def test_another_zone_is_told_in_utc() -> None:
    local = datetime(2026, 1, 2, 3, 4, 5, 6, timezone(timedelta(hours=5, minutes=30)))
    assert clock.to_text(local) == "2026-01-01T21:34:05.000006Z"


@pytest.mark.parametrize("text", ["", "2026-01-02", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000006+01:00", "now"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="does not match"):
        clock.from_text(text)


def test_now_is_utc_and_goes_on() -> None:
    first, second = clock.now(), clock.now()
    assert first.tzinfo is UTC
    assert first <= second
