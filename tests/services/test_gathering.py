"""What the graph alone refuses is refused at once, whatever the market knows and whether or not it answers."""

from collections.abc import Callable
from typing import Any

import pytest

from services.accounts import AccountKind, AccountStatus
from services.commands import Command
from services.corrections import AdjustCash, PostDividend
from services.ledger import Deposit, Transfer, Withdraw
from services.market.port import MarketUnavailable
from services.problems import Problem
from services.status import ChangeAccountStatus
from tests.support.failing_market import failing
from tests.support.house import House, op
from tests.support.trading import an_account, an_order, books, refusal

pytestmark = pytest.mark.anyio

Make = Callable[[str, str], Command[Any]]

COMMANDS: dict[str, Make] = {
    "a buy": lambda account, _: an_order(account, "BUY", "1"),
    "a buy of what nobody knows": lambda account, _: an_order(account, "BUY", "1", "ZZZZ"),
    "a sale": lambda account, _: an_order(account, "SELL", "1"),
    "a deposit": lambda account, _: Deposit(operation_id=op(), account_id=account, amount="1"),
    "a withdrawal": lambda account, _: Withdraw(operation_id=op(), account_id=account, amount="1"),
    "a transfer from it": lambda account, other: Transfer(operation_id=op(), from_id=account, to_id=other, amount="1"),
    "a transfer to it": lambda account, other: Transfer(operation_id=op(), from_id=other, to_id=account, amount="1"),
    "an adjustment": lambda account, _: AdjustCash(
        operation_id=op(), account_id=account, amount="1", reason="to test it"
    ),
    "a dividend": lambda account, _: PostDividend(
        operation_id=op(), account_id=account, amount="1", symbol="AAPL", note=None
    ),
}


async def refused_while_the_market_is_gone(house: House, command: Command[Any]) -> Problem:
    """The one problem of a command; the market would fail if it were asked, and was not."""
    async with failing(house) as (there, market):
        for call in ("quotes", "market_date"):
            market.fail(call, MarketUnavailable("gone for this test"))
        (problem,) = await refusal(there, command)
        assert {call: len(market.waiting[call]) for call in ("quotes", "market_date")} == {
            "quotes": 1,
            "market_date": 1,
        }
    return problem


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("status", [AccountStatus.INACTIVE, AccountStatus.SUSPENDED, AccountStatus.CLOSED])
async def test_an_account_that_is_not_active_is_refused_at_once(house: House, name: str, status: AccountStatus) -> None:
    account, other = await an_account(house, None), await an_account(house)
    change = ChangeAccountStatus(operation_id=op(), id=account, version=1, status=status, reason="to test it")
    await house.do(change)
    problem = await refused_while_the_market_is_gone(house, COMMANDS[name](account, other))
    assert (problem.code.value, problem.details["rule"]) == ("RULE_VIOLATION", "ACCOUNT_ACTIVE")
    assert problem.details["current"] == status
    assert (await books(house, account)).entries == []


@pytest.mark.parametrize("name", COMMANDS)
async def test_a_composite_account_is_refused_at_once(house: House, name: str) -> None:
    other = await an_account(house)
    account = await an_account(house, None, kind=AccountKind.COMPOSITE, component_ids=(other,))
    problem = await refused_while_the_market_is_gone(house, COMMANDS[name](account, other))
    assert (problem.code.value, problem.details["rule"]) == ("RULE_VIOLATION", "ACCOUNT_KIND")


async def test_another_currency_than_the_markets_is_refused_at_once(house: House) -> None:
    account = await an_account(house, currency="EUR")
    problem = await refused_while_the_market_is_gone(house, an_order(account, "BUY", "1", "ZZZZ"))
    assert (problem.code.value, problem.details["rule"]) == ("RULE_VIOLATION", "INSTRUMENT_CURRENCY")
    transfer = Transfer(operation_id=op(), from_id=account, to_id=await an_account(house), amount="1")
    problem = await refused_while_the_market_is_gone(house, transfer)
    assert (problem.code.value, problem.details["rule"]) == ("RULE_VIOLATION", "ONE_CURRENCY")
