"""Clients who transfer money over servers that die under them: they ask again, ask twice at once, or go away."""

import asyncio
import random
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx

from graph.database import Database
from tests.support.branches import Branches
from tests.support.callers import Caller, asked
from tests.support.transfers import POSTED, Outcomes, Transfer, Transfers
from tests.support.windows import SHORT, Window

TRIES = 50
GIVEN_UP = 0.2
"""How many of those that lost an answer ask no more."""


@dataclass
class Pace:
    """Gives out the numbers of transfers, one after the other, as far as it is allowed to."""

    count: int
    limit: int
    given: int = 0
    _moved: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def take(self) -> int | None:
        """The next number; None when all were given out."""
        async with self._moved:
            await self._moved.wait_for(lambda: self.given < self.limit or self.given == self.count)
            if self.given == self.count:
                return None
            self.given += 1
            self._moved.notify_all()
            return self.given - 1

    async def reached(self, point: int) -> None:
        """Waits until so many were given out."""
        async with self._moved:
            await self._moved.wait_for(lambda: self.given >= point)

    async def allow(self, limit: int) -> None:
        """Lets so many be given out, and no more."""
        async with self._moved:
            self.limit = min(limit, self.count)
            self._moved.notify_all()


@dataclass
class Payers:
    """The clients of one user, over all servers."""

    branches: Branches
    window: Window
    transfers: Transfers
    pace: Pace
    dice: random.Random
    cuts: float
    """For what share of the transfers a commit is cut."""
    outcomes: Outcomes = field(default_factory=Outcomes)
    lost: int = 0
    """How many requests had no answer, those included whose client went away."""
    twins: int = 0

    async def client(self) -> None:
        """One client, until there is nothing left to transfer."""
        while (number := await self.pace.take()) is not None:
            if self.dice.random() < self.cuts:
                self.branches.cut(self.dice)
            way = self.dice.choices((self._insist, self._ask_all, self._leave), (85, 10, 5))[0]
            await way(self.transfers.of(number))

    async def settle(self, database: Database, clients: int) -> int:
        """Asks for what is still open until it has its truth, which the graph has already; how many were there.

        Nothing else may be under way any more.
        """
        numbers, there = sorted(self.outcomes.open), 0
        for start in range(0, len(numbers), clients):
            there += await self._settle(
                database, [self.transfers.of(each) for each in numbers[start : start + clients]]
            )
        assert not self.outcomes.open
        return there

    async def repeat(self, most: int, clients: int) -> None:
        """Asks once more for some of the transfers that were acknowledged: each has its outcome."""
        done = sorted(self.outcomes.done)
        numbers = self.dice.sample(done, min(most, len(done)))
        for start in range(0, len(numbers), clients):
            await self._settled([self.transfers.of(each) for each in numbers[start : start + clients]])

    async def _settle(self, database: Database, transfers: list[Transfer]) -> int:
        found = await asked(database, [transfer.id for transfer in transfers])
        await self._settled(transfers)
        for transfer in transfers:
            known = found[transfer.id]["id"] if transfer.id in found else None
            assert known in (None, self.outcomes.done.get(transfer.number)), f"{transfer} was there as {known}"
        return len(found)

    async def _settled(self, transfers: list[Transfer]) -> None:
        """Asks for these, while nothing else asks for them: each has an answer, and it is final."""
        answers = await asyncio.gather(*(self._answered(transfer) for transfer in transfers))
        for transfer, answer in zip(transfers, answers, strict=True):
            self.outcomes.take(transfer, answer, alone=True)

    async def _answered(self, transfer: Transfer) -> dict[str, Any]:
        """The answer to a transfer: a busy machine may not have one at once."""
        for _ in range(TRIES):
            answer = await self._ask_any(transfer)
            if answer is not None:
                return answer
        raise AssertionError(f"there is no answer to {transfer}")

    async def _insist(self, transfer: Transfer) -> None:
        """Asks one server after another until there is an answer; at times it is content with none."""
        for attempt in range(TRIES):
            answer = await self._ask_any(transfer)
            self.outcomes.take(transfer, answer, alone=not attempt)
            if answer is not None or self.dice.random() < GIVEN_UP:
                return
        raise AssertionError(f"there is no answer to {transfer}")

    async def _ask_all(self, transfer: Transfer) -> None:
        """Asks every server at once, and one of them twice."""
        self.twins += 1
        up = await self.branches.now()
        answers = await asyncio.gather(*(self._ask(each, transfer) for each in (*up, self.dice.choice(up))))
        # A server cannot know that another one is at it: it may refuse what that one does a moment later.
        for answer in sorted(answers, key=lambda answer: answer is not None and "code" not in answer):
            self.outcomes.take(transfer, answer, alone=False)

    async def _leave(self, transfer: Transfer) -> None:
        """Goes away without an answer."""
        self.lost += 1
        server = self.dice.choice(await self.branches.now())
        with suppress(OSError, httpx.TransportError):  # it dies meanwhile
            await self.window.leave(server, transfer.request, late=self.dice.random() < 0.5)
        self.outcomes.take(transfer, None, alone=True)

    async def _ask_any(self, transfer: Transfer) -> dict[str, Any] | None:
        return await self._ask(self.dice.choice(await self.branches.now()), transfer)

    async def _ask(self, server: int, transfer: Transfer) -> dict[str, Any] | None:
        caller = Caller(self.window.client, self.window.urls[server], self.window.token or "", SHORT)
        answer = await caller.ask("transfer", POSTED, **transfer.given)
        self.lost += answer is None
        return answer
