"""Lanes: what arrives while earlier items are under way is done together next, and nothing waits for a timer."""

import asyncio
from collections import deque
from contextvars import Context
from typing import Generic, TypeVar

from services.grouping.together import Together, together

T = TypeVar("T")
R = TypeVar("R")


class Lane(Generic[T, R]):
    """Does items in the order of their arrival, `most` at a time, one group after the other."""

    def __init__(self, work: Together[T, R], most: int) -> None:
        self._work = work
        self._most = most
        self._waiting: deque[tuple[T, asyncio.Future[R]]] = deque()
        self._task: asyncio.Task[None] | None = None

    @property
    def idle(self) -> bool:
        """Whether nothing is under way here."""
        return self._task is None

    async def do(self, item: T) -> R:
        """What the work answers for this item. Raises the item's own error.

        A caller who goes away before the item's group begins takes the item along; later it is done all the same.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[R] = loop.create_future()
        self._waiting.append((item, answer))
        if self._task is None:
            self._task = loop.create_task(self._run(), context=Context())
        try:
            return await answer
        finally:
            del answer  # an error that it holds would hold this frame, and so itself

    async def _run(self) -> None:
        group: list[tuple[T, asyncio.Future[R]]] = []
        try:
            while self._waiting:
                taken = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
                group = [(item, answer) for item, answer in taken if not answer.done()]
                if group:
                    await self._answer(group)
        finally:
            self._task = None
            for _, answer in (*group, *self._waiting):
                answer.cancel()  # where this task was: all others have their answers

    async def _answer(self, group: list[tuple[T, asyncio.Future[R]]]) -> None:
        told = await together(self._work, [item for item, _ in group])
        for (_, answer), outcome in zip(group, told, strict=True):
            if answer.done():
                continue
            if isinstance(outcome, Exception):
                answer.set_exception(outcome)
            else:
                answer.set_result(outcome)


class Lanes(Generic[T, R]):
    """A lane for each key, which is there only while something is under way in it."""

    def __init__(self) -> None:
        self._lanes: dict[str, Lane[T, R]] = {}

    async def do(self, key: str, item: T, work: Together[T, R], most: int) -> R:
        """As `Lane.do`, in the key's lane; the work of all items of one key is the same."""
        lane = self._lanes.setdefault(key, Lane(work, most))
        try:
            return await lane.do(item)
        finally:
            if lane.idle and self._lanes.get(key) is lane:
                del self._lanes[key]
