"""Holds, bookings and lots as plain functions, against plain models."""

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from graph.database import Row
from graph.money import from_scaled, round_to_minor, value_of
from services.market.fills import commission
from services.market.port import InstrumentType, OrderReport, OrderStatus, Side
from services.orders.booking import booking
from services.orders.holds import cost_of as cost_of_buy
from services.orders.holds import expected_commission, held_cash, least_quantity, remaining_hold
from services.orders.limits import check_price, check_quantity
from services.orders.lots import cost_of, take

UNIT = 10**8
QUANTITIES = st.integers(1, 10**13)
PRICES = st.decimals("0.01", "9999", places=6)


def order(**changed: object) -> Row:
    row: Row = {"side": "BUY", "filledQuantity": 0, "averagePrice": None, "cost": 0, "commission": 0}
    return row | changed


def report(filled: int, price: Decimal, fee: str = "0") -> OrderReport:
    return OrderReport("ord_1", OrderStatus.PARTIALLY_FILLED, from_scaled(filled), price, Decimal(fee))


def test_a_market_buy_holds_more_than_its_value_and_a_sell_no_cash() -> None:
    price = Decimal("125.674")
    assert held_cash(Side.BUY, 100 * UNIT, price, None) == 1_319_627
    assert held_cash(Side.BUY, 100 * UNIT, price, Decimal(100)) == 1_000_050
    assert held_cash(Side.SELL, 100 * UNIT, price, None) == 0
    assert expected_commission(100 * UNIT) == 50


def test_a_limit_buy_holds_its_cost_and_its_commission_each_rounded_by_itself() -> None:
    limit = Decimal("125.674")
    assert held_cash(Side.BUY, 1_750_000_000, limit, limit) == 219_930 + 9


# Limits and halves of shares whose values lie between two cents, beside any others.
HALVES = st.integers(1, 2_000).map(lambda halves: halves * UNIT // 2)
LIMITS = st.decimals("0.01", "99", places=4) | st.integers(1, 60_000).map(lambda halves: Decimal(halves) / 200)


@example([(35 * UNIT // 2, Decimal(1))], Decimal("125.674"), 8)
@given(
    st.lists(
        st.tuples(QUANTITIES | HALVES, st.just(Decimal(1)) | st.decimals("0", "1", places=3)), min_size=1, max_size=6
    ),
    LIMITS,
    st.integers(2, 8),
)
def test_a_limit_buy_never_costs_more_than_it_holds(
    parts: list[tuple[int, Decimal]], limit: Decimal, decimals: int
) -> None:
    """However the prices lie below the limit, and to however few decimals the market rounds their mean."""
    quantity = sum(part for part, _ in parts)
    held = held_cash(Side.BUY, quantity, limit, limit)
    booked, filled, value = order(), 0, Decimal(0)
    for part, share in parts:
        filled += part
        value += value_of(part, limit * share)
        average = min(round(value / from_scaled(filled), decimals), limit)
        fee = commission(InstrumentType.STOCK, from_scaled(filled))
        added = booking(booked, report(filled, average, str(fee)))
        spent = added.amount + added.fee
        assert spent <= held
        held = remaining_hold(held, spent, quantity - filled)
        figures = {"cost": added.cost, "commission": added.commission}
        booked = order(filledQuantity=filled, averagePrice=f"{average:f}", **figures)
    assert held == 0


@given(st.lists(st.tuples(st.integers(1, 2 * UNIT), PRICES), min_size=1, max_size=6))
def test_nothing_is_bought_for_nothing(parts: list[tuple[int, Decimal]]) -> None:
    """The first part costs something, and all parts cost what they are worth together, to half a cent."""
    booked, filled, value = order(), 0, Decimal(0)
    for quantity, price in parts:
        filled += quantity
        value += value_of(quantity, price)
        average = value / from_scaled(filled)
        added = booking(booked, report(filled, average))
        assert added.cost >= 1
        assert added.amount >= 0
        booked = order(filledQuantity=filled, averagePrice=f"{average:f}", cost=added.cost)
    assert booked["cost"] == cost_of_buy(value)
    assert abs(booked["cost"] - value * 100) <= 1


def test_what_is_sold_for_less_than_half_a_cent_brings_nothing() -> None:
    assert booking(order(side="SELL"), report(1, Decimal(100))).cost == 0
    assert booking(order(), report(1, Decimal(100))).cost == 1


@given(st.decimals("0.0001", "999999", places=4))
def test_the_least_quantity_is_worth_a_cent_and_less_is_not(price: Decimal) -> None:
    least = least_quantity(price)
    assert round_to_minor(value_of(least, price), "USD") >= 1
    assert round_to_minor(value_of(least - 1, price), "USD") == 0


def test_a_fill_beyond_the_hold_leaves_nothing_held() -> None:
    assert remaining_hold(100, 101, 5) == 0


@given(st.lists(st.tuples(QUANTITIES, PRICES), min_size=1, max_size=6))
def test_parts_add_up_to_the_whole_order(parts: list[tuple[int, Decimal]]) -> None:
    booked, filled, value, amounts, fees = order(), 0, Decimal(0), 0, 0
    for quantity, price in parts:
        filled += quantity
        value += value_of(quantity, price)
        average = (value / from_scaled(filled)).quantize(Decimal("0.000001"))
        now = report(filled, average, str(from_scaled(filled) / 200))
        added = booking(booked, now)
        assert added.quantity == quantity
        amounts, fees = amounts + added.amount, fees + added.fee
        figures = {"cost": added.cost, "commission": added.commission}
        booked = order(filledQuantity=filled, averagePrice=f"{average:f}", **figures)
    assert amounts == booked["cost"] == cost_of_buy(value_of(filled, Decimal(booked["averagePrice"])))
    assert fees == booked["commission"]


def test_the_price_of_the_fills_since_is_exact() -> None:
    first = order(filledQuantity=3 * UNIT, averagePrice="100.005", cost=30_002)
    added = booking(first, report(10 * UNIT, Decimal("100.0005")))
    assert added.amount == 69_998
    assert added.price == Decimal("99.998571428571")
    assert booking(order(), report(UNIT, Decimal("125.674"))).price == Decimal("125.674")


LOTS: list[Row] = [
    {"id": "a", "quantity": 4, "price": "10"},
    {"id": "b", "quantity": 4, "price": "30"},
    {"id": "c", "quantity": 4, "price": "9"},
]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FIFO", [("a", 4), ("b", 2)]),
        ("LIFO", [("c", 4), ("b", 2)]),
        ("HIGHEST_COST", [("b", 4), ("a", 2)]),
    ],
)
def test_a_sale_takes_lots_by_its_rule(rule: str, expected: list[tuple[str, int]]) -> None:
    taken = take(LOTS, 6, rule)
    assert [(part.lot["id"], part.quantity) for part in taken] == expected
    assert [part.left for part in taken] == [0, 2]


@given(st.lists(st.tuples(QUANTITIES, PRICES), min_size=1, max_size=8), st.sampled_from(["FIFO", "LIFO"]))
def test_all_of_it_takes_every_lot_at_its_cost(parts: list[tuple[int, Decimal]], rule: str) -> None:
    lots: list[Row] = [
        {"id": str(place), "quantity": quantity, "price": f"{price:f}"} for place, (quantity, price) in enumerate(parts)
    ]
    taken = take(lots, sum(quantity for quantity, _ in parts), rule)
    assert {part.lot["id"] for part in taken} == {lot["id"] for lot in lots}
    assert cost_of(taken) == sum((value_of(quantity, price) for quantity, price in parts), Decimal(0))


@pytest.mark.parametrize("value", ["0.00000001", "100000000", "1.5"])
def test_quantities_that_are_right(value: str) -> None:
    assert check_quantity(value, "quantity") == []


@pytest.mark.parametrize("value", ["0.000000001", "100000000.1"])
def test_quantities_that_are_not(value: str) -> None:
    assert [problem.path for problem in check_quantity(value, "quantity")] == [("quantity",)]


def test_prices_have_at_most_eighteen_digits() -> None:
    assert check_price("1234567890.12345678", "limitPrice") == []
    assert check_price("12345678901.12345678", "limitPrice") != []
    assert check_price("1.123456789", "limitPrice") != []
