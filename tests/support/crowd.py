"""Clients who place random orders at a market that fails, and the killing of the server at random instants."""

import asyncio
import random
from dataclasses import dataclass, field
from typing import Any

from tests.support.callers import Caller
from tests.support.house import op
from tests.support.running import Server
from tests.support.ws4_server import MarketServer
from tests.support.ws4_venue import Fault, Route

SYMBOLS = ("AAPL", "MSFT", "KO", "AAPL", "MSFT", "KO", "NOPE")
SLOW = {Fault.SILENT_BEFORE, Fault.SILENT_AFTER, Fault.STALLED, Fault.LATE}
# What can be told from truth: a false price of a market order cannot.
FAULTS = [fault for fault in Fault if fault is not Fault.BEYOND_LIMIT]
READ_FAULTS = [Fault.ERROR_BEFORE, Fault.DROP_BEFORE, Fault.GARBAGE_BEFORE, Fault.SILENT_BEFORE]
LONGEST_LIFE = 24


@dataclass
class Crowd:
    """Who trades on these accounts, and what each operation id has been told; None where nobody ever heard."""

    server: Server
    market: MarketServer
    caller: Caller
    accounts: list[str]
    dice: random.Random
    most_kills: int
    slow: bool
    told: dict[str, dict[str, Any] | None] = field(default_factory=dict[str, "dict[str, Any] | None"])
    kills: int = 0
    _up: asyncio.Event = field(default_factory=asyncio.Event)
    _doomed: asyncio.Event = field(default_factory=asyncio.Event)
    _left: int = LONGEST_LIFE // 2

    async def trade(self, clients: int, orders: int) -> None:
        """Places so many orders with so many clients, and kills and restarts the server until all are through."""
        self._up.set()
        self.market.choose(self._choose)
        self.market.venue.hear = lambda *_: self._live()
        async with asyncio.TaskGroup() as tasks:
            killing = tasks.create_task(self._kill())
            await asyncio.gather(*(tasks.create_task(self._client(orders // clients)) for _ in range(clients)))
            await self._up.wait()
            self.market.choose(None)
            killing.cancel()
        await self.market.release()

    async def _client(self, orders: int) -> None:
        for _ in range(orders):
            terms = self._terms()
            stubborn = self.dice.random() < 0.8
            answer = None
            while answer is None:
                await self._up.wait()
                self._live()
                answer = await self.caller.ask("placeOrder", "operation { id state }", **terms)
                if not stubborn:
                    break
            self.told[terms["operationId"]] = answer

    def _terms(self) -> dict[str, Any]:
        dice = self.dice
        terms = {
            "operationId": op(),
            "accountId": dice.choice(self.accounts),
            "symbol": dice.choice(SYMBOLS),
            "side": dice.choice(["BUY", "BUY", "BUY", "SELL"]),
            "quantity": dice.choice(["1", "3", "12.25", "0.5", "0.006"]),
        }
        if dice.random() < 0.3:
            limit, stands = dice.choice([("1", "IOC"), ("1", "FOK"), ("900", "DAY"), ("900", "GTC")])
            # A sale at no less than what nobody pays would rest for ever, so that it may not rest.
            terms |= {"limitPrice": limit, "timeInForce": stands if terms["side"] == "BUY" else "IOC"}
        return terms

    def _choose(self, route: Route, name: str) -> Fault | None:
        del name
        self._live()
        chance = {Route.EXECUTE: 0.6, Route.ORDER: 0.2, Route.QUOTES: 0.05}.get(route, 0)
        if self.dice.random() >= chance:
            return None
        fault = self.dice.choice(FAULTS if route is Route.EXECUTE else READ_FAULTS)
        return fault if self.slow or fault not in SLOW else None

    def _live(self) -> None:
        """One thing more has happened in the server's life, which ends after a random number of them."""
        self._left -= 1
        if self._left == 0 and self.kills < self.most_kills:
            self._up.clear()
            self._doomed.set()

    async def _kill(self) -> None:
        while self.kills < self.most_kills:
            await self._doomed.wait()
            await self.server.kill()
            self.kills += 1
            await self.server.start()
            self._doomed.clear()
            self._left = self.dice.randrange(1, LONGEST_LIFE)
            self._up.set()
