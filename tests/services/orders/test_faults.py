"""A market over HTTP that fails in every way that it can: the books end as the market's, and nothing trades twice."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from decimal import Decimal

import pytest

from graph import clock, operations
from graph.money import from_scaled
from services.desk import Desk
from services.market.http import HttpMarket
from services.orders.recovery import recover
from services.pipeline import Pipeline
from services.prices import PriceBook
from services.problems import ProblemCode, Refused
from tests.support.house import House
from tests.support.trading import an_account, an_order, books, operation_of, order_of, record_only, refusal
from tests.support.ws4_server import MarketServer
from tests.support.ws4_venue import Fault, Route

pytestmark = pytest.mark.anyio
TURNS = 6
CERTAINLY_NOT_TAKEN = {Fault.BUSY}


@dataclass(frozen=True)
class Trade:
    """A house that trades at a market over HTTP, and that market."""

    house: House
    market: MarketServer

    async def settled(self, operation: str) -> str:
        """The operation's state after as many turns of recovery as it needs."""
        for _ in range(TURNS):
            row = await operation_of(self.house, operation)
            if row["state"] not in ("RUNNING", "UNKNOWN"):
                break
            await recover(self.house.desk, row)
        return (await operation_of(self.house, operation))["state"]

    async def agrees(self, account: str, deposit: int) -> None:
        """Asserts that the account's books are those of the market."""
        trades = [trade for trade in (await self.market.record()).trades if trade.account_id == account]
        now = await books(self.house, account)
        cash = Decimal(deposit) / 100
        for trade in trades:
            cash -= trade.quantity * trade.price * (1 if trade.side == "BUY" else -1) + trade.commission
        assert now.account["cash"] == int(cash.scaleb(2).to_integral_value()), "cash is what the market's trades left"
        bought = sum(trade.quantity if trade.side == "BUY" else -trade.quantity for trade in trades)
        held = sum((from_scaled(row["quantity"]) for row in now.positions.values()), Decimal(0))
        assert held == bought
        assert len({trade.order_id for trade in trades}) == len(trades)


@pytest.fixture
async def trade(house: House) -> AsyncGenerator[Trade]:
    """The test's tenant at a market over HTTP with short patience."""
    async with MarketServer() as server:
        client = HttpMarket(server.url, seconds=0.4)
        prices = PriceBook(client, house.desk.database)
        desk = Desk(house.desk.database, house.desk.protocol, client, prices, house.desk.installation)
        yield Trade(House(desk, Pipeline(desk), house.admin, house.market, house.root), server)
        await prices.aclose()
        await client.aclose()


@pytest.mark.parametrize("fault", list(Fault))
async def test_whatever_goes_wrong_with_the_order_the_books_end_as_the_markets(trade: Trade, fault: Fault) -> None:
    account = await an_account(trade.house)
    await trade.market.plan(Route.EXECUTE, [fault])
    command = an_order(account, "BUY", "10", limit_price="999")
    try:
        operation = (await trade.house.do(command)).operation
    except Refused as refused:
        assert fault in CERTAINLY_NOT_TAKEN
        assert [problem.code for problem in refused.problems] == [ProblemCode.UNAVAILABLE]
        assert len((await books(trade.house, account)).entries) == 1
        operation = (await trade.house.do(command)).operation
    assert await trade.settled(operation) == "SUCCEEDED"
    await trade.market.release()
    await trade.agrees(account, 10_000_000)
    now = await books(trade.house, account)
    assert now.account["held"] == 0
    assert (await trade.house.do(command)).operation == operation
    assert await books(trade.house, account) == now


@pytest.mark.parametrize("fault", [Fault.DROP_BEFORE, Fault.DROP_AFTER, Fault.LATE, Fault.GARBAGE_AFTER])
async def test_what_is_not_proved_is_unknown_and_holds_its_funds(trade: Trade, fault: Fault) -> None:
    account = await an_account(trade.house)
    await trade.market.plan(Route.EXECUTE, [fault])
    await trade.market.plan(Route.ORDER, [Fault.ERROR_BEFORE] * 2)
    operation = (await trade.house.do(an_order(account, "BUY", "10"))).operation
    row = await operation_of(trade.house, operation)
    assert row["state"] == "UNKNOWN"
    assert row["dueAt"] <= clock.to_text(clock.now() + clock.TICK * 30_000_000)
    now = await books(trade.house, account)
    assert now.account["held"] > 0
    assert now.kinds()[1][:2] == ("TRADE", "PENDING")
    await recover(trade.house.desk, row)
    assert (await operation_of(trade.house, operation))["state"] == "UNKNOWN", "the market is still broken"
    assert await trade.settled(operation) == "SUCCEEDED"
    await trade.agrees(account, 10_000_000)


async def test_an_unknown_order_that_was_rejected_fails_once_that_is_proved(trade: Trade) -> None:
    account = await an_account(trade.house)
    await trade.market.halt("AAPL")
    await trade.market.plan(Route.EXECUTE, [Fault.DROP_AFTER])
    await trade.market.plan(Route.ORDER, [Fault.ERROR_BEFORE])
    operation = (await trade.house.do(an_order(account, "BUY", "10"))).operation
    assert await trade.settled(operation) == "FAILED"
    now = await books(trade.house, account)
    assert [kind[:2] for kind in now.kinds()] == [("DEPOSIT", "POSTED"), ("TRADE", "VOIDED")]
    assert now.account["held"] == 0


async def test_a_rejection_that_is_proved_while_the_caller_waits_refuses(trade: Trade) -> None:
    account = await an_account(trade.house)
    await trade.market.halt("AAPL")
    for fault in (Fault.DROP_AFTER, Fault.DROP_BEFORE):
        await trade.market.plan(Route.EXECUTE, [fault])
        problems = await refusal(trade.house, an_order(account, "BUY", "10"))
        assert [problem.code for problem in problems] == [ProblemCode.MARKET_REJECTED]
    assert len((await books(trade.house, account)).entries) == 1


@pytest.mark.parametrize("caught_up", [True, False, None])
async def test_a_market_without_look_ups_is_sent_the_same_order_again(trade: Trade, caught_up: bool | None) -> None:
    account = await an_account(trade.house)
    await trade.market.set_lookup(lookup=caught_up is not True, caught_up=caught_up)
    await trade.market.plan(Route.EXECUTE, [Fault.ERROR_BEFORE, Fault.ERROR_AFTER])
    operation = (await trade.house.do(an_order(account, "BUY", "10"))).operation
    assert await trade.settled(operation) == "SUCCEEDED"
    order = await order_of(trade.house, operation)
    assert (await trade.market.record()).sent[order["id"]] >= 2
    await trade.agrees(account, 10_000_000)


async def test_a_market_that_is_gone_refuses_and_holds_nothing(trade: Trade) -> None:
    account = await an_account(trade.house)
    await trade.market.plan(Route.QUOTES, [Fault.ERROR_BEFORE] * 2)
    command = an_order(account, "BUY", "10")
    problems = await refusal(trade.house, command)
    assert [problem.code for problem in problems] == [ProblemCode.UNAVAILABLE]
    assert (await books(trade.house, account)).account["held"] == 0
    await trade.house.do(command)


async def test_an_order_that_was_recorded_and_not_sent_is_sent_by_another_process(trade: Trade) -> None:
    account = await an_account(trade.house)
    operation = await record_only(trade.house, an_order(account, "BUY", "10"))
    due = await operations.due(trade.house.desk.database, clock.to_text(clock.now() + clock.TICK * 13_000_000), 10_000)
    assert operation in [row["id"] for row in due]
    assert await trade.settled(operation) == "SUCCEEDED"
    await trade.agrees(account, 10_000_000)


async def test_an_open_limit_order_is_asked_about_until_it_ends(trade: Trade) -> None:
    account = await an_account(trade.house)
    await trade.market.plan(Route.EXECUTE, [Fault.FILLS_LATER])
    operation = (await trade.house.do(an_order(account, "BUY", "10", limit_price="999"))).operation
    assert (await operation_of(trade.house, operation))["state"] == "RUNNING"
    assert (await order_of(trade.house, operation))["status"] == "accepted"
    await trade.market.plan(Route.ORDER, [Fault.ERROR_BEFORE, Fault.NO_LOOKUP, Fault.FORGOTTEN])
    assert await trade.settled(operation) == "SUCCEEDED"
    await trade.agrees(account, 10_000_000)
