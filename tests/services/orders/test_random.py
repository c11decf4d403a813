"""Random orders from many clients over two processes, on a market that fails, against a plain model and the check."""

import asyncio
import os
import random
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from graph.money import from_scaled
from services import checks
from services.desk import Desk
from services.findings import Report
from services.ledger import Deposit, Withdraw
from services.market.http import HttpMarket
from services.order_checks import OrderCheck
from services.orders.recovery import recover
from services.pipeline import Pipeline
from services.prices import PriceBook
from services.problems import ProblemCode, Refused
from tests.support.house import House, op
from tests.support.trading import an_account, an_order, books, operation_of
from tests.support.ws4_server import MarketServer
from tests.support.ws4_venue import Fault, Route

pytestmark = pytest.mark.anyio
ORDERS = int(os.environ.get("ACCOUNTGRAPH_TEST_ORDERS", "60"))
SEED = int(os.environ.get("ACCOUNTGRAPH_TEST_SEED", "4"))
CLIENTS = 8
SYMBOLS = ("AAPL", "MSFT", "KO", "NOPE")
EXPECTED = {
    ProblemCode.UNAVAILABLE,
    ProblemCode.MARKET_REJECTED,
    ProblemCode.INSUFFICIENT_FUNDS,
    ProblemCode.RULE_VIOLATION,
    ProblemCode.INVALID_INPUT,
}
# What a market over HTTP may do to an order; its lies about fills can only be told from truth by a limit.
FAULTS = [fault for fault in Fault if fault is not Fault.BEYOND_LIMIT]


@dataclass
class Run:
    """What the clients did: the operations that were accepted, and the cash that went in and out (cents)."""

    houses: list[House]
    accounts: list[str]
    dice: random.Random
    operations: list[str] = field(default_factory=list[str])
    cash: dict[str, int] = field(default_factory=dict[str, int])

    async def client(self, turns: int) -> None:
        """One client's turns, each at any of the processes."""
        for _ in range(turns):
            house, account = self.dice.choice(self.houses), self.dice.choice(self.accounts)
            await (self.order(house, account) if self.dice.random() < 0.85 else self.move(house, account))

    async def order(self, house: House, account: str) -> None:
        """Places an order, sometimes twice under the same id."""
        given: dict[str, Any] = {}
        if self.dice.random() < 0.4:
            given["limit_price"] = str(self.dice.choice([1, 100, 300, 900]))
            given["time_in_force"] = self.dice.choice(["DAY", "GTC", "IOC", "FOK"])
        quantity = f"{self.dice.choice([1, 3, 40, 0.5, 12.25, 0.006])}"
        command = an_order(
            account,
            self.dice.choice(["BUY", "BUY", "SELL"]),
            quantity,
            self.dice.choice(SYMBOLS),
            **given,
        )
        again = [self.dice.choice(self.houses)] if self.dice.random() < 0.2 else []
        for answer in await asyncio.gather(*(each.do(command) for each in [house, *again]), return_exceptions=True):
            if isinstance(answer, Refused):
                assert {problem.code for problem in answer.problems} <= EXPECTED, answer
            elif isinstance(answer, BaseException):
                raise answer
            else:
                self.operations.append(answer.operation)

    async def move(self, house: House, account: str) -> None:
        """Deposits or withdraws a little."""
        amount = self.dice.randrange(1, 50_000)
        kind = self.dice.choice([Deposit, Withdraw])
        try:
            await house.do(kind(operation_id=op(), account_id=account, amount=f"{amount / 100:.2f}"))
        except Refused as refused:
            assert {problem.code for problem in refused.problems} <= EXPECTED, refused
            return
        self.cash[account] += amount if kind is Deposit else -amount

    async def settle(self) -> None:
        """Recovers what is not settled, at both processes at once, until all has ended but what rests at its limit."""
        for _ in range(8):
            rows = [await operation_of(self.houses[0], name) for name in set(self.operations)]
            due = [row for row in rows if row["state"] in ("RUNNING", "UNKNOWN")]
            await asyncio.gather(*(recover(house.desk, row) for row in due for house in self.houses))


@pytest.fixture
async def market() -> AsyncGenerator[MarketServer]:
    """A market on loopback."""
    async with MarketServer() as server:
        yield server


@pytest.fixture
async def houses(house: House, market: MarketServer) -> AsyncGenerator[list[House]]:
    """Two processes' worth of services over one engine and one market."""
    opened: list[House] = []
    clients: list[HttpMarket] = []
    for _ in range(2):
        client = HttpMarket(market.url, seconds=0.4)
        desk = house.desk
        desk = Desk(desk.database, desk.protocol, client, PriceBook(client, desk.database), desk.installation)
        clients.append(client)
        opened.append(House(desk, Pipeline(desk), house.admin, house.market, house.root))
    yield opened
    for each, client in zip(opened, clients, strict=True):
        await each.desk.prices.aclose()
        await client.aclose()


async def test_random_orders_end_as_the_markets_book_says(houses: list[House], market: MarketServer) -> None:
    dice = random.Random(SEED)
    accounts = [await an_account(houses[0], "9000") for _ in range(3)]
    run = Run(houses, accounts, dice, cash=dict.fromkeys(accounts, 900_000))

    def choose(route: Route, name: str) -> Fault | None:
        del name
        if route is Route.ORDER:
            return dice.choice([Fault.ERROR_BEFORE, Fault.DROP_AFTER, Fault.FORGOTTEN]) if dice.random() < 0.2 else None
        return dice.choice(FAULTS) if route is Route.EXECUTE and dice.random() < 0.4 else None

    market.choose(choose)
    async with asyncio.timeout(240):
        await asyncio.gather(*(run.client(ORDERS // CLIENTS) for _ in range(CLIENTS)))
        await market.release()
        market.choose(None)
        await run.settle()
    states = {(await operation_of(houses[0], name))["state"] for name in run.operations}
    assert "UNKNOWN" not in states
    trades = (await market.record()).trades
    assert trades, "something traded"
    assert len({trade.order_id for trade in trades}) == len(trades)
    for account in accounts:
        await agrees(houses[0], account, run.cash[account], [trade for trade in trades if trade.account_id == account])
    report = Report()
    await checks.check_tenant(houses[0].desk, houses[0].root, report, OrderCheck(houses[0].desk, report))
    assert report.findings == []


async def agrees(house: House, account: str, flows: int, trades: list[Any]) -> None:
    """Asserts that the account has what its flows and the market's trades of it leave, cent by cent."""
    held: dict[str, Decimal] = {}
    cash = Decimal(flows)
    for trade in trades:
        sign = 1 if trade.side == "BUY" else -1
        held[trade.symbol] = held.get(trade.symbol, Decimal(0)) + sign * trade.quantity
        cost = (trade.quantity * trade.price * 100).quantize(Decimal(1), rounding="ROUND_HALF_EVEN")
        cash -= sign * cost + (trade.commission * 100).quantize(Decimal(1), rounding="ROUND_HALF_EVEN")
    now = await books(house, account)
    assert now.account["cash"] == cash
    assert now.account["cash"] >= now.account["held"] >= 0
    assert {symbol: from_scaled(row["quantity"]) for symbol, row in now.positions.items()} == {
        symbol: quantity for symbol, quantity in held.items() if quantity
    }
    assert all(balance >= 0 for balance in (entry.get("balanceAfter", 0) for entry in now.entries))


async def test_orders_at_once_never_overdraw(house: House) -> None:
    account = await an_account(house, "1000")
    answers = await asyncio.gather(
        *(house.do(an_order(account, "BUY", "2")) for _ in range(12)), return_exceptions=True
    )
    refused = [answer for answer in answers if isinstance(answer, Refused)]
    done = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert len(refused) + len(done) == 12
    assert {problem.code for each in refused for problem in each.problems} == {ProblemCode.INSUFFICIENT_FUNDS}
    assert done
    now = await books(house, account)
    assert now.account["cash"] >= 0
    assert now.positions["AAPL"]["quantity"] == 2 * len(done) * 10**8


async def test_sales_at_once_never_sell_what_is_not_held(house: House) -> None:
    account = await an_account(house)
    await house.do(an_order(account, "BUY", "5"))
    answers = await asyncio.gather(
        *(house.do(an_order(account, "SELL", "1")) for _ in range(12)), return_exceptions=True
    )
    assert sum(1 for answer in answers if not isinstance(answer, BaseException)) == 5
    assert all(isinstance(answer, Refused) for answer in answers if isinstance(answer, BaseException))
    assert (await books(house, account)).positions == {}
