"""What holdings are worth: rounded once for each position, and summed exactly."""

import random
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from graph.reads_holdings import Holding
from graph.reads_rollups import CurrencySum, HeldSum
from services.prices import Price
from services.worth import (
    CurrencyTotal,
    PriceUnknown,
    average_price,
    holdings_value,
    position_value,
    subtree_totals,
    subtree_values,
)

AT = datetime(2026, 1, 1, tzinfo=UTC)


def price(text: str) -> Price:
    return Price(Decimal(text), AT)


def holding(symbol: str, *quantities: int, cost: str = "0") -> Holding:
    return Holding(symbol, quantities, (cost,) * len(quantities))


def test_half_a_cent_goes_to_the_even_one() -> None:
    prices = {"A": price("0.125"), "B": price("0.135")}
    assert position_value(holding("A", 10**8), prices, "USD") == 12
    assert position_value(holding("B", 10**8), prices, "USD") == 14
    assert position_value(holding("A", 10**8), prices, "JPY") == 0
    assert position_value(holding("A", 10**8), prices, "KWD") == 125


def test_each_position_is_rounded_by_itself() -> None:
    prices = {"A": price("0.014")}
    assert position_value(holding("A", 10**8, 10**8), prices, "USD") == 2
    assert position_value(holding("A", 2 * 10**8), prices, "USD") == 3


def test_every_symbol_without_a_price_is_named() -> None:
    with pytest.raises(PriceUnknown) as unknown:
        holdings_value([holding("B", 1), holding("A", 1), holding("C", 1)], {"C": price("1")}, "USD")
    assert unknown.value.symbols == {"A", "B"}
    assert str(unknown.value) == "no price of A, B was ever known"


def test_the_average_is_what_the_lots_cost_together() -> None:
    assert average_price(Holding("A", (10**8, 2 * 10**8), ("100", "101"))) == Decimal(67)
    assert average_price(Holding("A", (3 * 10**8,), ("1",))) == Decimal("0.333333")
    assert average_price(Holding("A", (1,), ("0.00000015",))) == Decimal(15)


def test_a_subtree_is_worth_what_its_accounts_are() -> None:
    chance = random.Random(5)
    prices = {symbol: price(str(Decimal(chance.randrange(1, 10**6)) / 997)[:12]) for symbol in "ABCD"}
    held: Counter[tuple[str, str, int]] = Counter()
    by_account = {"USD": 0, "JPY": 0}
    for _ in range(300):
        currency, symbol = chance.choice(["USD", "JPY"]), chance.choice("ABCD")
        quantity = chance.choice([10**8, 5, chance.randrange(1, 10**12)])
        held[currency, symbol, quantity] += 1
        by_account[currency] += holdings_value([holding(symbol, quantity)], prices, currency)
    sums = [HeldSum(*key, times) for key, times in held.items()]
    cash = [CurrencySum("EUR", 1, 7), CurrencySum("JPY", 2, 0), CurrencySum("USD", 3, -5)]
    values = subtree_values(cash, sums, prices)
    assert values == [
        CurrencyTotal("EUR", 0),
        CurrencyTotal("JPY", by_account["JPY"]),
        CurrencyTotal("USD", by_account["USD"]),
    ]
    assert subtree_totals(cash, values)[0] == CurrencyTotal("EUR", 7)
    assert subtree_totals(cash, values)[2] == CurrencyTotal("USD", by_account["USD"] - 5)
    with pytest.raises(PriceUnknown):
        subtree_values(cash, [HeldSum("USD", "Z", 1, 1)], prices)
