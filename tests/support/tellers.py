"""Clients who hand in random ledger operations to several servers: twice, at once, and going away meanwhile."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.support.cashbooks import WAITING, Cashbooks, Request
from tests.support.composing import Composer
from tests.support.windows import Window

SESSION = 100
"""For how many operations a client works before they sign in anew: a session lives an hour."""
STATE = "operation { id state }"


@dataclass
class Teller:
    """One client: what they compose by chance, and how they hand it in."""

    window: Window
    composer: Composer
    others: Sequence[Window]
    """Two windows of users who may decide what this one asks for."""
    owed: list[Request] = field(default_factory=list[Request])
    """What was asked for without waiting for an answer, and is still not known to be done.

    A refusal tells nothing of an earlier request that is still under way: see `settle`."""
    left: int = 0
    twice: int = 0
    sessions: int = 0

    @property
    def books(self) -> Cashbooks:
        """What was acknowledged to every client."""
        return self.composer.books

    @property
    def dice(self) -> random.Random:
        """What decides by chance how it is handed in."""
        return self.composer.dice

    async def work(self, operations: int) -> None:
        """Asks for so many operations, each under an id of its own, until each has an answer."""
        done = 0
        while done < operations:
            if done // SESSION > self.sessions:
                self.sessions += 1
                await self.window.sign_in(self._server())
            requests = self.composer.compose()
            await asyncio.gather(*(self._hand_in(request) for request in requests))
            done += len(requests)
            if self.owed and self.dice.random() < 0.2:
                await self._ask_again(self.dice.choice(self.owed))

    async def settle(self) -> None:
        """Asks what became of the rest, once nothing is under way any more: a refusal is final then."""
        for request in self.owed:
            await self._once(request)

    async def _ask_again(self, request: Request) -> None:
        await self._once(request)
        if self.books.state(request) is not None and request in self.owed:
            self.owed.remove(request)

    async def _hand_in(self, request: Request) -> None:
        first = self.books.asked.setdefault(request.key, request) is request
        way = self.dice.choices((self._once, self._twins, self._twice, self._gone, self._owing), (70, 12, 6, 8, 4))[0]
        await way(request)
        if first and self.books.state(request) == WAITING and self.dice.random() < 0.8:
            await self._have_decided(request)

    async def _once(self, request: Request) -> None:
        self.books.take(request, await self.window.ask(self._server(), request))

    async def _twins(self, request: Request) -> None:
        """Sends the same operation id to every server at once, and to one of them a second time."""
        self.twice += 1
        servers = [*range(len(self.window.urls)), self._server()]
        answers = await asyncio.gather(*(self.window.ask(server, request) for server in servers))
        # A server cannot know that another one is at it: it may refuse what that one does a moment later.
        for answer in sorted(answers, key=lambda answer: "code" not in answer):
            self.books.take(request, answer)

    async def _twice(self, request: Request) -> None:
        self.twice += 1
        await self._once(request)
        await self._once(request)

    async def _gone(self, request: Request) -> None:
        await self._leave(request)
        await self._once(request)
        if self.books.state(request) is None:
            self.owed.append(request)  # for the same reason: what was left may still be under way

    async def _owing(self, request: Request) -> None:
        await self._leave(request)
        self.owed.append(request)

    async def _leave(self, request: Request) -> None:
        self.left += 1
        await self.window.leave(self._server(), request, late=self.dice.random() < 0.5)

    async def _have_decided(self, request: Request) -> None:
        """Lets two others decide at once, on different servers; one decision counts, and the repeated id tells it."""
        operation = self.books.operations[request.key][0]
        wishes = [self.dice.random() < 0.75 for _ in self.others]
        first = self._server()
        answers = await asyncio.gather(
            *(
                other.api((first + number) % len(other.urls)).do(
                    "decideOperation",
                    STATE,
                    targetOperationId=operation,
                    approve=wish,
                    reason="looked at",
                )
                for number, (other, wish) in enumerate(zip(self.others, wishes, strict=True))
            )
        )
        decided = [(wish, answer) for wish, answer in zip(wishes, answers, strict=True) if "code" not in answer]
        assert sorted(answer.get("code", "") for answer in answers) == ["", "CONFLICT"], answers
        ((approved, answer),) = decided
        state = answer["operation"]["state"]
        assert state in ({"SUCCEEDED", "FAILED"} if approved else {"REJECTED"}), answer
        await self._once(request)
        assert self.books.state(request) == state, (request, answer)

    def _server(self) -> int:
        return self.dice.randrange(len(self.window.urls))
