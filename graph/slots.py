"""Slots: so much at once. Who waits is served by turns between callers, and each caller's own in the order of asking.

One caller never holds all slots, so that another one finds some at once; and where no place to wait is left, it is the
caller with the most who wait that loses its last one.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

KEPT_FREE = 5
"""One slot of so many is never held by the caller that holds all others."""


class Full(Exception):
    """No place to wait is left, or none of the slots came free in time."""


def _ignore(_running: int, _waiting: int) -> None:
    """Observes nothing."""


class Slots:
    """`most` slots, and places for so many to wait for them, so many seconds each."""

    def __init__(self, most: int, waiting: int, seconds: float, observe: Callable[[int, int], None] = _ignore) -> None:
        self._most = most
        self._most_of_one = most - most // KEPT_FREE
        self._most_waiting = waiting
        self._seconds = seconds
        self._observe = observe
        self._held: dict[str, int] = {}
        self._lists: dict[str, deque[asyncio.Future[None]]] = {}
        """Who waits, by caller; the callers in the order of their turns."""
        self.running = 0
        self.waiting = 0

    @asynccontextmanager
    async def taken(self, caller: str) -> AsyncGenerator[None]:
        """A slot of the caller's. Raises Full."""
        if self._is_free(caller):
            self._take(caller)
        else:
            await self._wait(caller)
        self._observe(self.running, self.waiting)
        try:
            yield
        finally:
            self._give_back(caller)

    def _is_free(self, caller: str) -> bool:
        # Nobody waits who could take it: whatever comes free is given to those who wait.
        return self.running < self._most and self._held.get(caller, 0) < self._most_of_one

    def _take(self, caller: str) -> None:
        self.running += 1
        self._held[caller] = self._held.get(caller, 0) + 1

    async def _wait(self, caller: str) -> None:
        self._make_room(caller)
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lists.setdefault(caller, deque()).append(place)
        self.waiting += 1
        self._observe(self.running, self.waiting)
        try:
            async with asyncio.timeout(self._seconds):
                await place
        except BaseException as error:
            self._leave(caller, place)
            if isinstance(error, TimeoutError):
                raise Full from None
            raise

    def _make_room(self, caller: str) -> None:
        """Takes a place from who has the most of them. Raises Full where that is this caller."""
        if self.waiting < self._most_waiting:
            return
        longest = max(self._lists, key=lambda each: len(self._lists[each]), default=caller)
        if len(self._lists.get(longest, ())) <= len(self._lists.get(caller, ())) + 1:
            raise Full
        place = self._lists[longest].pop()
        if not place.done():
            place.set_exception(Full())
        self._left(longest)

    def _leave(self, caller: str, place: "asyncio.Future[None]") -> None:
        if place.done() and not place.cancelled():
            if place.exception() is None:  # The slot came as its caller went.
                self._give_back(caller)
        elif place in self._lists.get(caller, ()):
            self._lists[caller].remove(place)
            self._left(caller)
            self._observe(self.running, self.waiting)

    def _left(self, caller: str) -> None:
        self.waiting -= 1
        if not self._lists[caller]:
            del self._lists[caller]

    def _give_back(self, caller: str) -> None:
        self.running -= 1
        self._held[caller] -= 1
        if not self._held[caller]:
            del self._held[caller]
        while self._lists and (following := self._following()) is not None:
            self._serve(following)
        self._observe(self.running, self.waiting)

    def _following(self) -> str | None:
        """Whose turn it is, or None where nobody who waits may have a slot now."""
        return next((caller for caller in self._lists if self._is_free(caller)), None)

    def _serve(self, caller: str) -> None:
        places = self._lists.pop(caller)
        place = places.popleft()
        self.waiting -= 1
        if places:
            self._lists[caller] = places  # behind all others
        if not place.done():  # else its caller is about to go
            place.set_result(None)
            self._take(caller)
