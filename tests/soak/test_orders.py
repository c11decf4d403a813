"""Orders at a market while the server is killed between any two steps: the books end as the market's, once each."""

import asyncio
import random
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from graph.database import Database
from tests.support.callers import Caller, asked, beside, calling, hasten, open_orders
from tests.support.comparing import agree
from tests.support.conditions import until
from tests.support.crowd import Crowd
from tests.support.house import Address, op
from tests.support.proxy import proxied
from tests.support.running import Server, serving, settings_for
from tests.support.size import full, pick, seed
from tests.support.steps import PLACING, RECOVERING, UNHELD, Stage, Step
from tests.support.ws4_server import MarketServer

pytestmark = pytest.mark.anyio
ROUNDS = pick(1, 5)
CLIENTS, ORDERS = 4, pick(8, 112)
MOST_KILLS = pick(1, 1000)
THERE_SECONDS = 30
SETTLED_SECONDS = 90
DEPOSIT, CENTS = "100000", 10_000_000


@dataclass(slots=True)
class Asked:
    """One order, on an account of a tenant of its own: killed at a step, and again at a later one."""

    step: Step
    later: Step
    account: str
    terms: dict[str, Any]

    @property
    def id(self) -> str:
        """Its operation id."""
        return self.terms["operationId"]

    @property
    def fills(self) -> bool:
        """Whether the market fills it in the end."""
        return "limitPrice" not in self.terms


@dataclass
class Floor:
    """The server and its market, what holds orders at their steps, and the orders."""

    server: Server
    market: MarketServer
    stage: Stage
    database: Database
    caller: Caller
    orders: list[Asked] = field(default_factory=list[Asked])

    async def prepare(self, step: Step, later: Step, side: str) -> Asked:
        """An order to place, on a new account that has cash, and shares where it sells."""
        account = await an_account(self.caller)
        terms = {"operationId": op(), "accountId": account, "symbol": "AAPL", "side": side, "quantity": "7"}
        if side == "SELL":
            first = terms | {"operationId": op(), "side": "BUY", "quantity": "20"}
            await self.caller.done("placeOrder", **first)
        order = Asked(step, later, account, terms | (step.terms if side == "BUY" else {}))
        self.orders.append(order)
        return order

    async def place(self, order: Asked) -> dict[str, Any] | None:
        """The answer to the order, asked for the first time or again; None where there is none."""
        return await self.caller.ask("placeOrder", "operation { id state }", **order.terms)

    async def kill_while_placing(self, orders: Iterable[Asked]) -> None:
        """Places orders, and kills the server when each is at its step. Nobody has an answer then."""
        there = {order.step.name: self.stage.hold(order.account, order.step) for order in orders}
        answers = [asyncio.create_task(self.place(order)) for order in orders]
        await self._kill_when(there)
        assert [answer for answer in await asyncio.gather(*answers) if answer is not None] == []

    async def kill_while_recovering(self, orders: Iterable[Asked]) -> None:
        """Starts the server, and kills it again when each order that it takes up is at its later step."""
        known = await asked(self.database, [order.id for order in orders])
        taken_up = await open_orders(self.database, [order.account for order in orders])
        for account, order_id in taken_up.items():
            self.stage.know(order_id, account)
        held = [order for order in orders if order.account in taken_up and order.later is not UNHELD]
        there = {
            f"{order.step.name}, {order.later.name}": self.stage.hold(order.account, order.later) for order in held
        }
        await hasten(self.database)
        await self.server.start()
        again = [asyncio.create_task(self.place(order)) for order in orders if order.id not in known]
        await self._kill_when(there)
        await asyncio.gather(*again)

    async def _kill_when(self, there: Mapping[str, asyncio.Event]) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(THERE_SECONDS):
                await asyncio.gather(*(event.wait() for event in there.values()))
        assert [name for name, event in there.items() if not event.is_set()] == []
        await self.server.kill()
        self.stage.let_pass()

    async def recover(self, orders: Iterable[Asked]) -> None:
        """Starts the server and waits until all orders are settled; half of them are asked for again at once."""
        await self.server.start()
        await asyncio.gather(*(self.place(order) for order in list(orders)[::2]))
        await settle(self.database, [order.account for order in orders])

    async def require_answer(self, order: Asked) -> None:
        """Asserts that the repeated operation id tells what became of the order."""
        answer = await self.place(order)
        assert answer is not None
        if order.fills:
            assert answer["operation"]["state"] == "SUCCEEDED", (order.step, order.later)
        else:
            assert answer.get("code") == "MARKET_REJECTED" or answer["operation"]["state"] == "FAILED", answer


@pytest.fixture
async def floor(tmp_path: Path, apart: Address) -> AsyncGenerator[Floor]:
    """A server whose way to its engine and whose market can hold what it does."""
    async with AsyncExitStack() as stack:
        market = await stack.enter_async_context(MarketServer())
        proxy, address = await stack.enter_async_context(proxied(apart))
        settings = settings_for(address) | {"MARKET_URL": market.url}
        server = await stack.enter_async_context(serving(tmp_path, settings))
        database = await stack.enter_async_context(beside(server, apart))
        caller = await stack.enter_async_context(calling(server.url))
        opened = Floor(server, market, Stage(market, proxy), database, caller)
        # The first order of a symbol makes its instrument, which the orders that come meanwhile wait for.
        await opened.place(await opened.prepare(UNHELD, UNHELD, "BUY"))
        yield opened


async def test_killed_between_any_two_steps_of_placing_and_of_recovering(floor: Floor) -> None:
    for number in range(ROUNDS):
        side = "SELL" if number % 2 else "BUY"
        later = [RECOVERING[(place + number) % len(RECOVERING)] for place in range(len(PLACING))]
        orders = await asyncio.gather(*(floor.prepare(*steps, side) for steps in zip(PLACING, later, strict=True)))
        await floor.kill_while_placing(orders)
        await floor.kill_while_recovering(orders)
        await floor.recover(orders)
        await asyncio.gather(*(floor.require_answer(order) for order in orders))

    trades = (await floor.market.record()).trades
    traded = await agree(floor.database, {order.account: CENTS for order in floor.orders}, trades)
    sold = sum(order.terms["side"] == "SELL" for order in floor.orders)
    assert traded == sold + sum(order.fills for order in floor.orders)
    checked = await prove(floor.server)
    print(f"{len(floor.orders)} orders, {traded} trades, {2 * ROUNDS} kills: {checked}")  # noqa: T201


async def test_killed_at_random_instants_while_the_market_fails(
    tmp_path: Path, apart: Address, own: Address | None
) -> None:
    # An engine of the server's own takes longer to start each time.
    engine = own if full() else apart
    settings = settings_for(engine) if engine else {}
    dice = random.Random(seed())
    async with (
        MarketServer() as market,
        serving(tmp_path, settings | {"MARKET_URL": market.url}) as server,
        calling(server.url) as caller,
    ):
        accounts = await asyncio.gather(*(an_account(caller) for _ in range(CLIENTS)))
        crowd = Crowd(server, market, caller, accounts, dice, MOST_KILLS, slow=full())
        await crowd.trade(CLIENTS, ORDERS)
        async with beside(server, engine) as database:
            await settle(database, accounts)
            traded = await agree(database, dict.fromkeys(accounts, CENTS), (await market.record()).trades)
            await require_told(database, crowd.told)
        checked = await prove(server)
    assert crowd.kills
    print(f"{len(crowd.told)} orders, {traded} trades, {crowd.kills} kills: {checked}")  # noqa: T201


async def an_account(caller: Caller) -> str:
    """A new account with cash, in a tenant of its own."""
    group = (await caller.done("createGroup", "group { id }", name="Tenant"))["group"]["id"]
    made = await caller.done("createAccount", "account { id }", name="Trader", parentId=group)
    await caller.done("deposit", accountId=made["account"]["id"], amount=DEPOSIT)
    return made["account"]["id"]


async def settle(database: Database, accounts: Sequence[str]) -> None:
    """Waits until the server has settled every order of the accounts, which in a small run it does at once."""

    async def settled() -> bool:
        if not full():
            await hasten(database)
        return not await open_orders(database, accounts)

    await until(settled, SETTLED_SECONDS)


async def require_told(database: Database, told: Mapping[str, dict[str, Any] | None]) -> None:
    """Asserts that what was answered is so: what was accepted is there, and what was refused is not."""
    known = await asked(database, list(told))
    for operation_id, answer in told.items():
        if answer and "code" in answer:
            assert operation_id not in known, answer
        elif answer:
            assert known[operation_id]["id"] == answer["operation"]["id"]


async def prove(server: Server) -> str:
    """What `accountgraph check` says, which is that everything adds up, with the market too."""
    status, told = await server.command("check")
    assert status == 0, told
    return told
