"""What slows the guessing of passwords down: failed sign-ins are counted in the graph, for every process alike."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from graph import clock, failed_sign_ins
from graph.database import Database, Transaction
from graph.errors import Duplicate
from services.problems import ProblemCode, refuse

FREE_FAILURES = 5
FREE_FAILURES_OF_ADDRESS = 50
WINDOW = timedelta(minutes=15)
DELAY_SECONDS = 1.0
MOST_WAITING = 20
KEYS = 65_536
"""How many counts there are for names, and for addresses, at most: any name falls on one of them."""
DROPPED_AT_ONCE = 5_000


@dataclass(slots=True)
class _Queue:
    """Those who sign in by one name, or from one address, now and in this process."""

    users: int = 0
    waiting: int = 0
    few: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(FREE_FAILURES))
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to sign in. `failures` are those before it, of its name and of its address."""

    database: Database
    name: str
    address: str
    failures: dict[str, int] = field(default_factory=dict[str, int])

    async def look(self) -> Sequence[str]:
        """Those of its keys that failed too often. Raises EngineUnavailable."""
        now = clock.to_text(clock.now())
        self.failures.update(await failed_sign_ins.find(self.database, [self.name, self.address], now))
        free = {self.name: FREE_FAILURES, self.address: FREE_FAILURES_OF_ADDRESS}
        return [key for key in free if self.failures[key] >= free[key]]

    async def failed(self) -> None:
        """Counts a failure. Raises EngineUnavailable."""

        async def work(transaction: Transaction) -> None:
            now = clock.now()
            until = clock.to_text(now + WINDOW)
            await failed_sign_ins.count(transaction, [self.name, self.address], clock.to_text(now), until)

        try:
            await self.database.write(work, queue=self.address)
        except Duplicate:  # another process began to count the same key at that moment, and its node is there now
            await self.database.write(work, queue=self.address)

    async def succeeded(self, transaction: Transaction) -> None:
        """Forgets the failures of the name, with what the success writes."""
        if self.failures[self.name]:
            await failed_sign_ins.end(transaction, self.name, clock.to_text(clock.now()))


class Guard:
    """Makes attempts wait where their name or address failed too often. One is made for each process."""

    def __init__(self) -> None:
        self._queues: dict[str, _Queue] = {}

    @asynccontextmanager
    async def attempt(self, database: Database, name: str, address: str, salt: str) -> AsyncGenerator[Attempt]:
        """An attempt, when its turn has come: few by one name go at once, so that none overtakes what is counted.

        Raises Refused where too many wait already, and EngineUnavailable.
        """
        one = Attempt(database, _key("name", name, salt), _key("address", address, salt))
        with self._queue(one.name) as queue:
            async with queue.few:
                late = await one.look()
                if not late:
                    yield one
                    return
            for key in late:
                await self._slow(key)
            yield one

    @contextmanager
    def _queue(self, key: str) -> Generator[_Queue]:
        queue = self._queues.setdefault(key, _Queue())
        queue.users += 1
        try:
            yield queue
        finally:
            queue.users -= 1
            if not queue.users:
                del self._queues[key]

    async def _slow(self, key: str) -> None:
        with self._queue(key) as queue:
            if queue.waiting >= MOST_WAITING:
                raise refuse(ProblemCode.LIMIT_EXCEEDED, "too many failed sign-ins; wait a while and try again")
            queue.waiting += 1
            try:
                async with queue.turn:
                    await asyncio.sleep(DELAY_SECONDS)
            finally:
                queue.waiting -= 1


async def drop_ended(database: Database) -> int:
    """Removes counts that have ended, so many at once; how many that were. Raises EngineUnavailable."""

    async def work(transaction: Transaction) -> int:
        return await failed_sign_ins.drop_ended(transaction, clock.to_text(clock.now()), DROPPED_AT_ONCE)

    return await database.write(work, queue="failed sign-ins")


def _key(kind: str, value: str, salt: str) -> str:
    """The key of a name or an address; it does not tell it, and one of KEYS is found for whatever is asked for."""
    digest = hashlib.sha256(f"{salt}:{kind}:{value}".encode(errors="surrogatepass")).digest()
    return f"{kind}:{int.from_bytes(digest[:8]) % KEYS}"
