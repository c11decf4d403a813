"""Orders that the embedded market fills at once, and those that are refused before it sees them."""

from decimal import Decimal
from typing import Any

import pytest

from graph.database import Row
from graph.ids import Kind, new_id
from graph.money import from_minor, from_scaled, round_to_minor
from services.ledger import Deposit, Withdraw
from services.orders.holds import least_quantity
from services.problems import ProblemCode
from tests.support.house import House, op
from tests.support.trading import (
    SET,
    an_account,
    an_order,
    books,
    lots_of,
    operation_of,
    order_of,
    place,
    refusal,
)

pytestmark = pytest.mark.anyio
UNIT = 10**8


async def last(house: House, symbol: str = "AAPL") -> Any:
    return (await house.market.quotes([symbol]))[symbol].last


async def test_a_market_buy_is_posted_with_its_fee_and_its_lot(house: House) -> None:
    account, price = await an_account(house), await last(house)
    outcome = await place(house, account, "BUY", "10")
    cost = round_to_minor(price * 10, "USD")
    now = await books(house, account)
    assert now.kinds() == [("DEPOSIT", "POSTED", 10_000_000), ("TRADE", "POSTED", -cost), ("FEE", "POSTED", -5)]
    assert now.account["cash"] == 10_000_000 - cost - 5
    assert now.account["held"] == 0
    assert [entry["balanceAfter"] for entry in now.entries] == [10_000_000, 10_000_000 - cost, 10_000_000 - cost - 5]
    trade, fee = now.entries[1:]
    assert (trade["symbol"], trade["quantity"], trade["price"]) == ("AAPL", 10 * UNIT, f"{price:f}")
    assert trade["valueDate"] == (await house.market.market_date()).isoformat()
    assert now.positions["AAPL"]["quantity"] == 10 * UNIT
    assert now.positions["AAPL"]["averagePrice"] == f"{price:f}"
    assert await lots_of(house, now.positions["AAPL"]) == [(10 * UNIT, f"{price:f}")]
    operation = await operation_of(house, outcome.operation)
    assert operation["state"] == "SUCCEEDED"
    assert operation["result"] == trade["id"]
    assert operation["payload"] == {"transactions": [trade["id"], fee["id"]]}
    assert operation.get("dueAt") is None
    assert operation["finishedAt"]
    rows = await house.desk.database.run(SET, set=trade["set"])
    assert sum(row["entry"]["amount"] for row in rows) == 0
    assert len(rows) == 4


async def test_the_market_has_the_order_under_the_account_and_our_id(house: House) -> None:
    account = await an_account(house)
    outcome = await place(house, account, "BUY", "3")
    order = await order_of(house, outcome.operation)
    assert order["id"] == "ord_" + outcome.operation.removeprefix("op_")
    report = await house.market.order(order["id"])
    assert getattr(report, "filled_quantity", None) == 3
    assert (await house.market.positions(account)) == {"AAPL": 3}


async def test_a_sale_takes_the_oldest_lots_and_tells_its_gain(house: House) -> None:
    account = await an_account(house)
    first_day = await house.market.market_date()
    await place(house, account, "BUY", "10")
    await place(house, account, "BUY", "5")
    price = await last(house)
    await place(house, account, "SELL", "12.5")
    now = await books(house, account)
    assert now.positions["AAPL"]["quantity"] == 250_000_000
    assert await lots_of(house, now.positions["AAPL"]) == [(250_000_000, f"{price:f}")]
    sale = next(entry for entry in now.entries if entry["kind"] == "TRADE" and entry["amount"] > 0)
    assert sale["amount"] == round_to_minor(price * 25 / 2, "USD")
    assert sale["gain"] == 0
    assert sale["valueDate"] == first_day.isoformat()


async def test_a_position_that_is_sold_out_is_no_longer_held(house: House) -> None:
    account = await an_account(house)
    await place(house, account, "BUY", "2", "MSFT")
    await place(house, account, "SELL", "2", "MSFT")
    now = await books(house, account)
    assert now.positions == {}
    await place(house, account, "BUY", "1", "MSFT")
    assert (await books(house, account)).positions["MSFT"]["quantity"] == UNIT


async def test_a_limit_buy_never_takes_the_last_cent_twice(house: House) -> None:
    price = await last(house)
    buy = {"quantity": "17.5", "limit_price": f"{price:f}"}
    cost, fee = round_to_minor(price * 35 / 2, "USD"), 9
    assert (price * 35 / 2 * 100) % 1 == Decimal("0.5"), "between two cents"
    short = await an_account(house, f"{from_minor(cost + fee - 1, 'USD')}")
    (problem,) = await refusal(house, an_order(short, "BUY", **buy))
    assert problem.code is ProblemCode.INSUFFICIENT_FUNDS
    account = await an_account(house, f"{from_minor(cost + fee, 'USD')}")
    await place(house, account, "BUY", **buy)
    now = await books(house, account)
    assert now.kinds()[1:] == [("TRADE", "POSTED", -cost), ("FEE", "POSTED", -fee)]
    assert now.account["cash"] == 0


@pytest.mark.parametrize("limit", [None, "100"])
async def test_an_order_that_comes_to_less_than_a_cent_is_refused(house: House, limit: str | None) -> None:
    account, price = await an_account(house, "0.01"), Decimal(limit) if limit else await last(house)
    least = from_scaled(least_quantity(price))
    (problem,) = await refusal(house, an_order(account, "BUY", f"{least - Decimal('0.00000001'):f}", limit_price=limit))
    assert (problem.code, problem.path) == (ProblemCode.INVALID_INPUT, ("quantity",))
    assert problem.message == (
        f"quantity must be at least {least:f}: less comes to nothing, not 0.01 USD, at {price:f}"
    )
    await place(house, account, "BUY", f"{least:f}", limit_price=limit, time_in_force="GTC")
    assert (await books(house, account)).account["cash"] == (1 if limit else 0)
    assert (await books(house, account)).account["held"] == (1 if limit else 0)


async def test_what_is_left_of_a_position_is_sold_also_where_it_brings_nothing(house: House) -> None:
    account = await an_account(house)
    await place(house, account, "BUY", "1.00000002")
    await place(house, account, "SELL", "1")
    (problem,) = await refusal(house, an_order(account, "SELL", "0.00000001"))
    assert (problem.code, problem.path) == (ProblemCode.INVALID_INPUT, ("quantity",))
    await place(house, account, "SELL", "0.00000002")
    now = await books(house, account)
    assert now.positions == {}
    assert now.kinds()[-1] == ("TRADE", "POSTED", 0)


async def test_the_same_operation_id_trades_once(house: House) -> None:
    account = await an_account(house)
    command = an_order(account, "BUY", "1.50")
    first = await house.do(command)
    again = await house.do(an_order(account, "BUY", "1.5", operation_id=command.operation_id))
    assert again.operation == first.operation
    assert len((await books(house, account)).entries) == 3
    problems = await refusal(house, an_order(account, "BUY", "2", operation_id=command.operation_id))
    assert [problem.code for problem in problems] == [ProblemCode.OPERATION_ID_REUSED]


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"quantity": "0"}, "quantity"),
        ({"quantity": "-1"}, "quantity"),
        ({"quantity": "1e3"}, "quantity"),
        ({"quantity": "1.123456789"}, "quantity"),
        ({"quantity": "100000001"}, "quantity"),
        ({"quantity": "\u0661"}, "quantity"),
        ({"quantity": ""}, "quantity"),
        ({"limit_price": "0"}, "limitPrice"),
        ({"limit_price": "-5"}, "limitPrice"),
        ({"limit_price": "1.123456789"}, "limitPrice"),
        ({"limit_price": "1234567890123.123456"}, "limitPrice"),
        ({"symbol": ""}, "symbol"),
        ({"symbol": "AA\nPL"}, "symbol"),
        ({"symbol": "NOPE"}, "symbol"),
        ({"symbol": "aapl"}, "symbol"),
        ({"symbol": "A" * 33}, "symbol"),
    ],
)
async def test_bad_input_names_its_field_and_changes_nothing(house: House, changes: Row, path: str) -> None:
    account = await an_account(house)
    problems = await refusal(house, an_order(account, **{"side": "BUY", "quantity": "1"} | changes))
    assert [(problem.code, problem.path) for problem in problems] == [(ProblemCode.INVALID_INPUT, (path,))]
    assert len((await books(house, account)).entries) == 1


async def test_all_invalid_fields_are_told_at_once(house: House) -> None:
    account = await an_account(house, None)
    problems = await refusal(house, an_order(account, "BUY", "-1", "", limit_price="x"))
    assert {problem.path for problem in problems} == {("symbol",), ("quantity",), ("limitPrice",)}


async def test_a_market_buy_holds_five_per_cent_more_and_the_commission(house: House) -> None:
    price = await last(house)
    hold = round_to_minor(price * 100 * 105 / 100, "USD") + 50
    poor = await an_account(house, f"{(hold - 1) / 100:.2f}")
    problems = await refusal(house, an_order(poor, "BUY", "100"))
    assert [(problem.code, problem.path) for problem in problems] == [(ProblemCode.INSUFFICIENT_FUNDS, ("quantity",))]
    await house.do(Deposit(operation_id=op(), account_id=poor, amount="0.01"))
    await place(house, poor, "BUY", "100")


async def test_nothing_is_sold_that_is_not_held(house: House) -> None:
    account = await an_account(house)
    problems = await refusal(house, an_order(account, "SELL", "1"))
    assert (problems[0].code, problems[0].path) == (ProblemCode.RULE_VIOLATION, ("quantity",))
    await place(house, account, "BUY", "5")
    await place(house, account, "SELL", "4", limit_price="10000", time_in_force="GTC")
    problems = await refusal(house, an_order(account, "SELL", "2"))
    assert problems[0].details["current"] == "1"
    await place(house, account, "SELL", "1")


async def test_an_open_order_holds_its_cash_and_not_the_account(house: House) -> None:
    account = await an_account(house, "1000")
    outcome = await place(house, account, "BUY", "8", limit_price="100", time_in_force="GTC")
    now = await books(house, account)
    assert now.account["held"] == 80_004
    assert now.kinds()[1] == ("TRADE", "PENDING", -80_004)
    assert "balanceAfter" not in now.entries[1]
    operation = await operation_of(house, outcome.operation)
    assert operation["state"] == "RUNNING"
    assert operation["dueAt"]
    problems = await refusal(house, Withdraw(operation_id=op(), account_id=account, amount="200"))
    assert problems[0].details["available"] == "199.96"
    await house.do(Withdraw(operation_id=op(), account_id=account, amount="199.96"))


async def test_another_currency_is_refused(house: House) -> None:
    account = await an_account(house, currency="EUR")
    problems = await refusal(house, an_order(account, "BUY", "1"))
    assert [(problem.code, problem.path) for problem in problems] == [(ProblemCode.RULE_VIOLATION, ("symbol",))]


async def test_a_composite_account_does_not_trade(house: House) -> None:
    account = await an_account(house, None, kind="COMPOSITE")
    problems = await refusal(house, an_order(account, "BUY", "1"))
    assert [(problem.code, problem.path) for problem in problems] == [(ProblemCode.RULE_VIOLATION, ("accountId",))]


async def test_an_unknown_account_is_not_found(house: House) -> None:
    problems = await refusal(house, an_order(new_id(Kind.ACCOUNT), "BUY", "1"))
    assert [(problem.code, problem.path) for problem in problems] == [(ProblemCode.NOT_FOUND, ("accountId",))]


async def test_an_order_of_an_account_with_a_tier_waits_for_a_person(house: House) -> None:
    account = await an_account(house, tier="REV", settings={"policy.entryDays": ["MON", "TUE", "WED", "THU", "FRI"]})
    outcome = await place(house, account, "BUY", "1")
    assert (await operation_of(house, outcome.operation))["state"] == "AWAITING_APPROVAL"
    now = await books(house, account)
    assert len(now.entries) == 1
    assert now.account["held"] == 0


async def test_what_the_market_rejects_is_refused_and_leaves_nothing(house: House) -> None:
    account = await an_account(house)
    before = await books(house, account)
    await house.market.halt("MSFT")
    command = an_order(account, "BUY", "1", "MSFT")
    problems = await refusal(house, command)
    assert [problem.code for problem in problems] == [ProblemCode.MARKET_REJECTED]
    assert "halted" in problems[0].message
    now = await books(house, account)
    assert now.entries == before.entries
    assert (now.account["cash"], now.account["held"]) == (10_000_000, 0)
    await house.market.resume("MSFT")
    outcome = await house.do(command)
    assert (await operation_of(house, outcome.operation))["state"] == "SUCCEEDED"


async def test_a_rejected_sale_gives_the_shares_back(house: House) -> None:
    account = await an_account(house)
    await place(house, account, "BUY", "2")
    problems = await refusal(house, an_order(account, "SELL", "2", limit_price="9999", time_in_force="FOK"))
    assert [problem.code for problem in problems] == [ProblemCode.MARKET_REJECTED]
    assert (await books(house, account)).positions["AAPL"]["held"] == 0
    await place(house, account, "SELL", "2")
