"""Exact numbers out of JSON, and typed reads of what is in force."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.settings.resolution import Level, SourceKind, resolve
from services.settings.values import count, enabled, exact, number, text, texts


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.1, "0.1"),
        (1e-05, "0.00001"),
        (1e16, "10000000000000000"),
        (0.1 + 0.2, "0.30000000000000004"),
        (24, "24"),
        ("50000.10", "50000.10"),
        ("-3", "-3"),
    ],
)
def test_a_number_is_what_the_caller_wrote(value: Any, expected: str) -> None:
    assert exact(value) == Decimal(expected)


@pytest.mark.parametrize(
    "value",
    [
        True,
        False,
        None,
        "",
        "1e5",
        "+1",
        " 1",
        "٣",
        "1,000",
        "NaN",
        "0x1",
        float("nan"),
        float("inf"),
        10**40,
        [1],
        {},
    ],
)
def test_what_is_no_number(value: Any) -> None:
    assert exact(value) is None


@settings(deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_keeps_its_shortest_text(value: float) -> None:
    assert float(str(exact(value))) == value


def test_typed_reads_of_what_is_in_force() -> None:
    own: Any = {"limits.maxOrderValue": "1000.50", "benchmark.symbol": "MTUM", "policy.symbols": []}
    level = Level("a", SourceKind.ACCOUNT, {key: {"value": value, "at": ""} for key, value in own.items()})
    found = resolve([level], "GEN")
    assert number(found, "limits.maxOrderValue") == Decimal("1000.50")
    assert number(found, "policy.weeklyTarget") == Decimal("0.015")
    assert number(found, "limits.minCashShare") is None
    assert count(found, "fork.cooldownHours") == 24
    assert count(found, "limits.maxOpenOrders") is None
    assert (enabled(found, "approval.order"), enabled(found, "approval.fork")) == (True, False)
    assert not enabled(found, "custom.nothing")
    assert (text(found, "benchmark.symbol"), text(found, "reporting.currency")) == ("MTUM", None)
    assert (texts(found, "policy.symbols"), texts(found, "policy.entryDays")) == ((), ("THU",))
    assert texts(found, "limits.allowedSymbols") is None
