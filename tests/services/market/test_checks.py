"""Which answers about an order can be true."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.market.checks import MAX_REASON_LENGTH, check_figures, check_report, readable_reason
from services.market.port import (
    InstrumentType,
    MarketOrder,
    MarketUnknown,
    OptionTerms,
    OptionType,
    OrderReport,
    OrderStatus,
    OrderType,
    Side,
)
from tests.support.ws4_rigs import an_order

ORDER = an_order("AAPL", "10", order_id="ord_1")
TEN = Decimal(10)
FILLED = OrderReport("ord_1", OrderStatus.FILLED, TEN, Decimal("125.5"), Decimal("0.05"))
HALF = OrderReport("ord_1", OrderStatus.PARTIALLY_FILLED, Decimal(5), Decimal(125), Decimal("0.02"))
OPEN = OrderReport("ord_1", OrderStatus.ACCEPTED)


@pytest.mark.parametrize(
    "report",
    [
        FILLED,
        HALF,
        OPEN,
        replace(HALF, status=OrderStatus.CANCELLED),
        replace(HALF, status=OrderStatus.EXPIRED),
        *(replace(OPEN, status=status) for status in OrderStatus if "filled" not in status.value),
    ],
)
def test_true_reports_pass_as_they_are(report: OrderReport) -> None:
    assert check_report(ORDER, report) is report
    assert check_report(ORDER, report, report) is report


@pytest.mark.parametrize(
    ("report", "words"),
    [
        (replace(FILLED, order_id="ord_2"), "another order"),
        (replace(FILLED, filled_quantity=Decimal(11)), "more was filled"),
        (replace(FILLED, filled_quantity=Decimal(9)), "is not filled"),
        (replace(HALF, filled_quantity=TEN), "is not partially_filled"),
        (replace(FILLED, status=OrderStatus.CANCELLED), "is not cancelled"),
        (replace(HALF, filled_quantity=Decimal(0), avg_fill_price=None), "without a filled quantity"),
        (replace(OPEN, status=OrderStatus.FILLED), "without a filled quantity"),
        (replace(FILLED, avg_fill_price=None), "without a price"),
        (replace(FILLED, avg_fill_price=Decimal(-1)), "without a price"),
        (replace(FILLED, commission=Decimal("-0.01")), "commission"),
        (replace(FILLED, commission=Decimal(10) ** 14), "commission"),
        (replace(FILLED, avg_fill_price=Decimal(10) ** 13), "amount is too large"),
        (replace(HALF, filled_quantity=Decimal("0.000000001")), "8 decimals"),
        (replace(HALF, filled_quantity=Decimal(-5)), "below 0"),
        (replace(HALF, filled_quantity=Decimal(10) ** 9), "too large"),
        (replace(HALF, status=OrderStatus.REJECTED), "has no fills"),
        (replace(HALF, status=OrderStatus.PENDING), "has no fills"),
        (replace(OPEN, commission=Decimal(1)), "without a fill"),
        (replace(OPEN, avg_fill_price=Decimal(1)), "without a fill"),
    ],
)
def test_what_cannot_be_true_leaves_the_order_unknown(report: OrderReport, words: str) -> None:
    with pytest.raises(MarketUnknown, match=words):
        check_report(ORDER, report)


@pytest.mark.parametrize(("side", "within", "beyond"), [(Side.BUY, "125.5", "125.49"), (Side.SELL, "125.5", "125.51")])
def test_a_fill_beyond_the_limit_cannot_be_true(side: Side, within: str, beyond: str) -> None:
    limit = replace(ORDER, side=side, order_type=OrderType.LIMIT, limit_price=Decimal(within))
    assert check_report(limit, FILLED) is FILLED
    with pytest.raises(MarketUnknown, match="limit"):
        check_report(replace(limit, limit_price=Decimal(beyond)), FILLED)


@pytest.mark.parametrize(
    ("previous", "report", "words"),
    [
        (HALF, OPEN, "less is filled"),
        (FILLED, HALF, "less is filled"),
        (HALF, replace(FILLED, commission=Decimal("0.01")), "less is filled or charged"),
        (HALF, replace(HALF, avg_fill_price=Decimal(126)), "without a fill"),
        (HALF, replace(HALF, commission=Decimal("0.03")), "without a fill"),
        (replace(OPEN, status=OrderStatus.CANCELLED), FILLED, "after it had ended"),
        (replace(HALF, status=OrderStatus.EXPIRED), FILLED, "after it had ended"),
        (replace(OPEN, status=OrderStatus.REJECTED), OPEN, "after it had ended"),
    ],
)
def test_figures_never_go_back(previous: OrderReport, report: OrderReport, words: str) -> None:
    assert check_report(ORDER, report) is report
    with pytest.raises(MarketUnknown, match=words):
        check_report(ORDER, report, previous)


@pytest.mark.parametrize("after", [HALF, FILLED, replace(OPEN, status=OrderStatus.CANCELLED)])
def test_figures_go_on(after: OrderReport) -> None:
    assert check_report(ORDER, after, OPEN) is after


@given(
    status=st.sampled_from(OrderStatus),
    filled=st.decimals("-1", "12", places=8),
    price=st.none() | st.decimals("-1", "200", places=3),
    fee=st.decimals("-1", "5", places=2),
)
def test_a_report_that_passes_is_one_that_can_be_booked(
    status: OrderStatus, filled: Decimal, price: Decimal | None, fee: Decimal
) -> None:
    report = OrderReport("ord_1", status, filled, price, fee)
    try:
        check_report(ORDER, report)
    except MarketUnknown:
        return
    assert check_figures(report) is report
    assert 0 <= filled <= 10
    assert fee >= 0
    assert (filled == 10) == (status is OrderStatus.FILLED)
    assert not filled or (price is not None and price > 0)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (None, None),
        ("", None),
        ("\n\t\x00", None),
        ("  halted\r\nby the\u2028 venue ", "halted by the venue"),
        ("naïve \u202e日本", "naïve 日本"),
        ("x" * 1000, "x" * MAX_REASON_LENGTH),
    ],
)
def test_a_market_s_words_become_one_short_printable_line(said: str | None, reason: str | None) -> None:
    assert readable_reason(said) == reason


@pytest.mark.parametrize(
    "changed",
    [
        {"quantity": Decimal(0)},
        {"quantity": Decimal(-1)},
        {"quantity": Decimal("0.000000001")},
        {"quantity": Decimal(10) ** 9},
        {"order_type": OrderType.LIMIT},
        {"limit_price": Decimal(1)},
        {"order_type": OrderType.LIMIT, "limit_price": Decimal(0)},
        {"instrument_type": InstrumentType.OPTION},
        {"option": OptionTerms(date(2023, 1, 20), Decimal(1), OptionType.PUT)},
        {"order_id": ""},
        {"account_id": "a" * 65},
        {"symbol": ""},
        {"symbol": "A" * 33},
        {"symbol": "A\n"},
        {"symbol": "\ud800"},
    ],
)
def test_an_order_that_makes_no_sense_cannot_be_made(changed: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        replace(ORDER, **changed)


def test_an_order_sent_again_is_the_same_order_at_any_time() -> None:
    later: MarketOrder = replace(ORDER, at=ORDER.at.replace(year=2040))
    assert ORDER.same_terms(later)
    assert not ORDER.same_terms(replace(later, quantity=Decimal(11)))
