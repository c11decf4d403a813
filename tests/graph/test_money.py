"""Money, prices and quantities, compared with exact arithmetic."""

from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph import money

CURRENCIES = st.sampled_from(["USD", "EUR", "JPY", "KWD", "CLF"])
MINOR = st.integers(-money.MAX_BALANCE_MINOR, money.MAX_BALANCE_MINOR)
SCALED = st.integers(-money.MAX_QUANTITY, money.MAX_QUANTITY)
PRICES = st.decimals("0.000001", "999999999999", places=6)


@given(MINOR, CURRENCIES)
def test_minor_units_come_back_from_the_amount(minor: int, currency: str) -> None:
    amount = money.from_minor(minor, currency)
    assert money.to_minor(amount, currency) == minor
    assert -amount.as_tuple().exponent == money.currency_decimals(currency)  # pyright: ignore[reportOperatorIssue]
    assert money.Money(minor, currency).amount == amount


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [(1, "USD", "0.01"), (-150, "USD", "-1.50"), (0, "USD", "0.00"), (7, "JPY", "7"), (7, "KWD", "0.007")]
    + [(10**17, "USD", "1000000000000000.00"), (7, "CLF", "0.0007")],
)
def test_an_amount_shows_the_decimals_of_its_currency(minor: int, currency: str, text: str) -> None:
    assert f"{money.from_minor(minor, currency)}" == text


@pytest.mark.parametrize(
    ("amount", "currency"),
    [("0.001", "USD"), ("0.5", "JPY"), ("1.0001", "KWD"), ("1", "XXQ"), ("1", "usd"), ("1", "")],
)
def test_an_amount_that_the_currency_cannot_hold_is_none(amount: str, currency: str) -> None:
    assert money.to_minor(Decimal(amount), currency) is None


def test_zeros_beyond_the_currency_s_decimals_lose_nothing() -> None:
    assert money.to_minor(Decimal("1.5000"), "USD") == 150


@pytest.mark.parametrize(
    ("amount", "minor"),
    [("0.005", 0), ("0.015", 2), ("0.025", 2), ("-0.005", 0), ("-0.015", -2), ("0.0050000001", 1), ("1.004999", 100)],
)
def test_rounding_is_half_even(amount: str, minor: int) -> None:
    assert money.round_to_minor(Decimal(amount), "USD") == minor


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**18), max_value=10**18, places=12), CURRENCIES)
def test_rounding_is_off_by_half_a_minor_unit_at_most(amount: Decimal, currency: str) -> None:
    unit = Fraction(1, 10 ** (money.currency_decimals(currency) or 0))
    rounded = money.round_to_minor(amount, currency)
    difference = abs(Fraction(amount) - rounded * unit)
    assert difference * 2 <= unit
    if difference * 2 == unit:
        assert rounded % 2 == 0


@given(SCALED)
def test_a_quantity_comes_back_from_its_decimal(scaled: int) -> None:
    quantity = money.from_scaled(scaled)
    assert money.to_scaled(quantity) == scaled
    assert not (scaled and f"{quantity:f}".partition(".")[2].endswith("0"))


def test_a_quantity_of_nine_decimals_is_none() -> None:
    assert money.to_scaled(Decimal("0.000000001")) is None
    assert money.to_scaled(Decimal("0.00000001")) == 1


@given(SCALED, PRICES)
def test_a_value_is_exact(scaled: int, price: Decimal) -> None:
    assert Fraction(money.value_of(scaled, price)) == Fraction(scaled, money.QUANTITY_UNIT) * Fraction(price)


@given(st.lists(st.tuples(st.integers(1, money.MAX_QUANTITY), PRICES), min_size=1, max_size=20))
def test_an_average_price_is_the_weighted_mean_rounded_to_six_decimals(parts: list[tuple[int, Decimal]]) -> None:
    mean = sum(Fraction(part) * Fraction(price) for part, price in parts) / sum(part for part, _ in parts)
    average = money.average_price(parts)
    assert abs(Fraction(average) - mean) * 2 <= Fraction(1, 10**6)
    assert min(price for _, price in parts) <= average <= max(price for _, price in parts)


@pytest.mark.parametrize("text", ["0", "-0", "1", "-1.50", "12345678901234567890.123456789", "0.10"])
def test_plain_decimals_are_read_exactly(text: str) -> None:
    assert money.parse_plain(text) == Decimal(text)


@pytest.mark.parametrize(
    "text",
    ["", " 1", "1 ", "+1", "1e3", "1E3", ".5", "5.", "01", "1,5", "1_000", "NaN", "Infinity", "--1", "0x1", "1\n"]
    + ["\u0661", "\uff11", "9" * 41, "1.5.2", "-"],
)
def test_anything_else_is_none(text: str) -> None:
    assert money.parse_plain(text) is None


@given(st.text(max_size=60))
def test_any_text_is_judged_without_a_fault(text: str) -> None:
    value = money.parse_plain(text)
    assert value is None or value.is_finite()


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=10))
def test_plain_keeps_the_number(value: Decimal) -> None:
    shown = money.plain(value)
    assert shown == value
    assert shown.as_tuple().exponent <= 0  # pyright: ignore[reportOperatorIssue]
    assert not f"{shown:f}".partition(".")[2].endswith("0")


def test_a_sum_of_the_largest_balances_fits_a_64_bit_integer() -> None:
    assert 90 * money.MAX_BALANCE_MINOR < 2**63
    assert 9_000 * money.MAX_MINOR < 2**63


def test_the_caller_s_decimal_context_changes_nothing() -> None:
    with localcontext() as context:
        context.prec = 3
        context.rounding = "ROUND_UP"
        assert money.to_minor(Decimal("123456.78"), "USD") == 12_345_678
        assert money.round_to_minor(Decimal("123456.785"), "USD") == 12_345_678
        assert money.from_scaled(123_456_789_012) == Decimal("1234.56789012")
        value = money.value_of(123_456_789, Decimal("1234.5678"))
    assert value == Decimal("1.23456789") * Decimal("1234.5678")
