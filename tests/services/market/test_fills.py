"""How the embedded broker fills an order and what that costs."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.money import from_scaled
from services.market.checks import check_report
from services.market.fills import commission, fill
from services.market.port import InstrumentType, OrderReport, OrderStatus
from tests.support.ws4_rigs import an_order


@pytest.mark.parametrize(
    ("kind", "quantity", "cost"),
    [
        (InstrumentType.STOCK, "100", "0.50"),
        (InstrumentType.STOCK, "1", "0.00"),  # half a cent goes to the even cent
        (InstrumentType.STOCK, "3", "0.02"),
        (InstrumentType.STOCK, "5", "0.02"),
        (InstrumentType.ETF, "1234", "6.17"),
        (InstrumentType.OPTION, "1", "1.00"),
        (InstrumentType.OPTION, "2", "1.30"),
        (InstrumentType.OPTION, "10", "6.50"),
    ],
)
def test_commission_is_half_a_cent_a_share_or_65_cents_a_contract(
    kind: InstrumentType, quantity: str, cost: str
) -> None:
    assert str(commission(kind, Decimal(quantity))) == cost


@given(
    parts=st.lists(st.tuples(st.integers(1, 10**14), st.integers(1, 10**6)), min_size=1, max_size=6),
)
def test_fills_add_up_and_each_report_can_follow_the_one_before(parts: list[tuple[int, int]]) -> None:
    order = an_order("AAPL", str(from_scaled(sum(scaled for scaled, _ in parts))))
    report = OrderReport(order.order_id, OrderStatus.ACCEPTED)
    for scaled, thousandths in parts:
        after = fill(report, order, from_scaled(scaled), Decimal(thousandths) / 1000)
        assert check_report(order, after, report) == after
        report = after
    assert report.status is OrderStatus.FILLED
    assert report.filled_quantity == order.quantity
    assert report.commission == commission(order.instrument_type, order.quantity)
    prices = [Decimal(thousandths) / 1000 for _, thousandths in parts]
    assert report.avg_fill_price is not None
    assert min(prices) <= report.avg_fill_price <= max(prices)


def test_a_part_is_partially_filled() -> None:
    order = an_order("AAPL", "10")
    report = fill(OrderReport(order.order_id, OrderStatus.ACCEPTED), order, Decimal(4), Decimal(100))
    assert report == OrderReport(
        order.order_id, OrderStatus.PARTIALLY_FILLED, Decimal(4), Decimal(100), Decimal("0.02")
    )
