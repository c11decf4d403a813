"""Limits of an account's settings on its orders."""

from typing import Any

import pytest

from services.configuring import Configure
from services.problems import ProblemCode
from tests.support.house import House, op
from tests.support.trading import an_account, an_order, cancel, place, refusal

pytestmark = pytest.mark.anyio


async def limited(house: House, **limits: Any) -> str:
    """An account of 100,000 with these limits."""
    settings = {f"limits.{name}": value for name, value in limits.items()}
    return await an_account(house, settings=settings)


async def fits(house: House, share: float) -> str:
    """How many whole shares of AAPL so much of 100,000 buys."""
    price = (await house.market.quotes(["AAPL"]))["AAPL"].last
    return str(int(100_000 * share / float(price)))


async def broken(house: House, account: str, *given: str, **more: Any) -> tuple[str, str, str, tuple[str, ...]]:
    """The one rule that refuses the order: its name, what is and what must be, and the field."""
    problems = await refusal(house, an_order(account, *given, **more))
    assert [problem.code for problem in problems] == [ProblemCode.RULE_VIOLATION]
    details = problems[0].details
    assert details["overridable"] is False
    return details["rule"], details["current"], details["required"], problems[0].path


async def test_the_value_of_one_order(house: House) -> None:
    account = await limited(house, maxOrderValue="1000")
    rule, current, required, path = await broken(house, account, "BUY", "10", limit_price="100.01")
    assert (rule, current, required, path) == ("limits.maxOrderValue", "1000.10", "1000", ("quantity",))
    await place(house, account, "BUY", "10", limit_price="100", time_in_force="GTC")


async def test_the_share_of_one_position(house: House) -> None:
    account = await limited(house, maxPositionShare=0.25)
    rule, _, required, path = await broken(house, account, "BUY", await fits(house, 0.26))
    assert (rule, required, path) == ("limits.maxPositionShare", "0.25", ("quantity",))
    await place(house, account, "BUY", await fits(house, 0.2))
    assert (await broken(house, account, "BUY", await fits(house, 0.06)))[0] == "limits.maxPositionShare"
    await place(house, account, "BUY", "1", "MSFT")
    await place(house, account, "SELL", await fits(house, 0.2))


async def test_open_buys_count_into_the_share(house: House) -> None:
    account = await limited(house, maxPositionShare=0.25)
    some = await fits(house, 0.2)
    waiting = await place(house, account, "BUY", some, limit_price="1", time_in_force="GTC")
    assert (await broken(house, account, "BUY", some))[0] == "limits.maxPositionShare"
    await cancel(house, waiting.operation)
    await place(house, account, "BUY", some)


async def test_the_share_that_stays_in_cash(house: House) -> None:
    account = await limited(house, minCashShare="0.5")
    rule, _, required, _ = await broken(house, account, "BUY", await fits(house, 0.51))
    assert (rule, required) == ("limits.minCashShare", "0.5")
    await place(house, account, "BUY", await fits(house, 0.49))


async def test_the_number_of_open_orders(house: House) -> None:
    account = await limited(house, maxOpenOrders=1)
    first = await place(house, account, "BUY", "1", limit_price="1", time_in_force="GTC")
    rule, current, required, path = await broken(house, account, "BUY", "1")
    assert (rule, current, required, path) == ("limits.maxOpenOrders", "1", "1", ("accountId",))
    await cancel(house, first.operation)
    await place(house, account, "BUY", "1")


async def test_the_symbols_that_may_be_bought(house: House) -> None:
    account = await limited(house, allowedSymbols=["MSFT"])
    rule, current, required, path = await broken(house, account, "BUY", "1")
    assert (rule, current, required, path) == ("limits.allowedSymbols", "AAPL", "MSFT", ("symbol",))
    await place(house, account, "BUY", "1", "MSFT")
    await place(house, account, "SELL", "1", "MSFT")


async def test_all_broken_rules_are_told_at_once(house: House) -> None:
    account = await limited(house, allowedSymbols=[], maxOrderValue="1", minCashShare=1)
    problems = await refusal(house, an_order(account, "BUY", "1000000"))
    assert problems[0].code is ProblemCode.INSUFFICIENT_FUNDS
    rules = {problem.details.get("rule") for problem in problems}
    assert {"limits.allowedSymbols", "limits.maxOrderValue", "limits.minCashShare"} <= rules


async def test_a_limit_of_a_group_binds_the_accounts_below(house: House) -> None:

    account = await an_account(house)
    await house.do(Configure(operation_id=op(), id=house.root, settings={"limits.maxOrderValue": "10"}))
    assert (await broken(house, account, "BUY", "1"))[0] == "limits.maxOrderValue"


async def test_without_limits_all_the_cash_may_be_used(house: House) -> None:
    account = await an_account(house)
    await place(house, account, "BUY", await fits(house, 0.95))
