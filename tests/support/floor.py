"""A server and a market that hold orders at any step, so that the server is killed just there."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from graph.database import Database
from services.worker import AT_ONCE
from tests.support.callers import Caller, are_settled, asked, beside, calling, hasten, open_orders
from tests.support.conditions import until
from tests.support.house import Address, op
from tests.support.proxy import proxied
from tests.support.running import Server, serving, settings_for
from tests.support.size import full
from tests.support.steps import UNHELD, Stage, Step
from tests.support.ws4_server import MarketServer

THERE_SECONDS = 120
SETTLED_SECONDS = 180
TRADER, TRADERS_PASSWORD = "trader", "a password for the trader"
WEEK = ["MON", "TUE", "WED", "THU", "FRI"]
DEPOSIT, CENTS = "100000", 10_000_000
# As many as the server takes up at once, less those that are due by themselves.
MOST_HELD = AT_ONCE - 2


@dataclass(frozen=True, slots=True)
class Asked:
    """One order, on an account of a tenant of its own: killed at a step, and again at a later one.

    Where it needed an approval, it waits for it, and `decision` is what is killed at the step.
    """

    step: Step
    later: Step
    account: str
    terms: dict[str, Any]
    decision: dict[str, Any] | None = None

    @property
    def id(self) -> str:
        """The operation id of what is killed."""
        return (self.decision or self.terms)["operationId"]

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
    trader: Caller
    orders: list[Asked] = field(default_factory=list[Asked])
    lives: int = 0
    """How often the server was killed."""
    cut: int = 0
    """How many orders were killed at their first step."""

    async def prepare(self, step: Step, later: Step, side: str) -> Asked:
        """An order to place, on a new account that has cash, and shares where it sells."""
        _, account = await an_account(self.caller)
        terms = _terms(account, side)
        if side == "SELL":
            await self.caller.done("placeOrder", **_terms(account, "BUY"))
        self.orders.append(Asked(step, later, account, terms | (step.terms if side == "BUY" else {})))
        return self.orders[-1]

    async def prepare_waiting(self, step: Step, later: Step) -> Asked:
        """An order of somebody else that waits for the caller's approval."""
        group, account = await an_account(self.caller, tier="REV", settings={"policy.entryDays": WEEK})
        await self.caller.done("grant", username=TRADER, nodeId=group, role="OPERATOR")
        terms = _terms(account, "BUY")
        placed = (await self.trader.done("placeOrder", **terms))["operation"]
        assert placed["state"] == "AWAITING_APPROVAL"
        decision = {"operationId": op(), "targetOperationId": placed["id"], "approve": True, "reason": "seen"}
        self.orders.append(Asked(step, later, account, terms, decision))
        return self.orders[-1]

    async def ask(self, order: Asked) -> dict[str, Any] | None:
        """The answer to what is killed, asked for the first time or again; None where there is none."""
        if order.decision:
            return await self.caller.ask("decideOperation", "operation { id state }", **order.decision)
        return await self.caller.ask("placeOrder", "operation { id state }", **order.terms)

    async def kill_while_placing(self, orders: Sequence[Asked]) -> None:
        """Places orders, and kills the server when each is at its step; none of those that are there has an answer."""
        asking: list[asyncio.Task[dict[str, Any] | None]] = []
        # The market's patience is the shortest: what it holds comes last.
        for at_market in (False, True):
            there: dict[str, asyncio.Event] = {}
            for order in orders:
                if (order.step.commit is None) is at_market:
                    there[order.step.name] = self.stage.hold(order.account, order.step)
                    asking.append(asyncio.create_task(self._insist(order)))
            await _all_there(there)
        await self._kill()
        answers = await asyncio.gather(*asking)
        self.cut += answers.count(None)

    async def _insist(self, order: Asked) -> dict[str, Any] | None:
        """Asks until there is an answer or the server is dead: on a slow machine it may say UNAVAILABLE."""
        life = self.lives
        while (answer := await self.ask(order)) is None and life == self.lives:
            pass
        return answer

    async def kill_while_recovering(self, orders: Sequence[Asked]) -> None:
        """Starts the server, and kills it again when each order that it takes up is at its later step."""
        known = await asked(self.database, [order.id for order in orders])
        taken_up = await open_orders(self.database, [order.account for order in orders])
        for account, order_id in taken_up.items():
            self.stage.know(order_id, account)
        held = [order for order in orders if order.account in taken_up and order.later is not UNHELD][:MOST_HELD]
        there = {
            f"{order.step.name}, {order.later.name}": self.stage.hold(order.account, order.later) for order in held
        }
        await hasten(self.database, [order.account for order in held])
        await self.server.start()
        again = [asyncio.create_task(self.ask(order)) for order in orders if order.id not in known]
        await _all_there(there)
        await self._kill()
        await asyncio.gather(*again)

    async def _kill(self) -> None:
        self.lives += 1
        await self.server.kill()
        self.stage.let_pass()

    async def recover(self, orders: Iterable[Asked]) -> None:
        """Starts the server and waits until all orders are settled; half of them are asked for again at once."""
        await self.server.start()
        await asyncio.gather(*(self.ask(order) for order in list(orders)[::2]))
        await settle(self.database, [order.account for order in orders])

    async def require_answer(self, order: Asked) -> None:
        """Asserts that the repeated operation id tells what became of the order."""
        again = await self.ask(order)
        assert again is not None
        answer = (
            await self.trader.ask("placeOrder", "operation { id state }", **order.terms) if order.decision else again
        )
        assert answer is not None
        if order.fills:
            assert answer["operation"]["state"] == "SUCCEEDED", (order.step, order.later)
        else:
            assert answer.get("code") == "MARKET_REJECTED" or answer["operation"]["state"] == "FAILED", answer


async def _all_there(there: Mapping[str, asyncio.Event]) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(THERE_SECONDS):
            await asyncio.gather(*(event.wait() for event in there.values()))
    assert [name for name, event in there.items() if not event.is_set()] == []


@asynccontextmanager
async def open_floor(folder: Path, engine: Address) -> AsyncGenerator[Floor]:
    """A server whose way to its engine and whose market can hold what it does."""
    async with AsyncExitStack() as stack:
        market = await stack.enter_async_context(MarketServer())
        proxy, address = await stack.enter_async_context(proxied(engine))
        settings = settings_for(address) | {"MARKET_URL": market.url}
        server = await stack.enter_async_context(serving(folder, settings))
        database = await stack.enter_async_context(beside(server, engine))
        caller = await stack.enter_async_context(calling(server.url))
        await caller.done("createUser", "username", username=TRADER, password=TRADERS_PASSWORD)
        trader = await stack.enter_async_context(calling(server.url, TRADER, TRADERS_PASSWORD))
        opened = Floor(server, market, Stage(market, proxy), database, caller, trader)
        # The first order of a symbol makes its instrument, which the orders that come meanwhile wait for.
        await opened.ask(await opened.prepare(UNHELD, UNHELD, "BUY"))
        yield opened


async def an_account(caller: Caller, **given: Any) -> tuple[str, str]:
    """The root group of a new tenant, and a new account with cash in it."""
    group = (await caller.done("createGroup", "group { id }", name="Tenant"))["group"]["id"]
    made = await caller.done("createAccount", "account { id }", name="Trader", parentId=group, **given)
    await caller.done("deposit", accountId=made["account"]["id"], amount=DEPOSIT)
    return group, made["account"]["id"]


def _terms(account: str, side: str) -> dict[str, Any]:
    return {"operationId": op(), "accountId": account, "symbol": "AAPL", "side": side, "quantity": "7"}


async def settle(database: Database, accounts: Sequence[str]) -> None:
    """Waits until the server has settled every order of the accounts, which in a small run it does at once."""

    async def settled() -> bool:
        if not full():
            await hasten(database, accounts)
        return await are_settled(database, accounts)

    await until(settled, SETTLED_SECONDS)
