"""The way to the engine: named statements, reads in auto-commit, writes in transactions that are retried."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any, Protocol, TypeVar

import neo4j
from neo4j.exceptions import ConstraintError, DriverError, Neo4jError

from graph import clock, leftovers
from graph.backoff import pause
from graph.errors import CommitUnknown, Duplicate, EngineUnavailable
from graph.ids import Kind, kind_of
from graph.query import Query
from graph.sharing import Carried, Row, Sharing
from graph.turns import Turns

T = TypeVar("T")
Observe = Callable[[str, float, str], None]

READ_ATTEMPTS = 3
WRITE_PATIENCE_SECONDS = 30.0
CONNECTIONS = 80
STATEMENT_SECONDS = 20.0
_PAUSES = 0.002, 0.25
"""The first pause before trying again and the longest, in seconds."""
LOCK_STRUCTURES = Query(
    "database.lock_structures",
    "UNWIND $tenants AS id MATCH (s:Structure {id: id}) SET s.revision = s.revision + 1",
)
# An announced move as old as this is one of a process that died; should it live, it finds that it is not announced.
END_ABANDONED = Query(
    "database.end_abandoned",
    "UNWIND $tenants AS id MATCH (s:Structure {id: id}) "
    "WHERE s.moving > coalesce(s.moved, 0) AND s.movingSince < $before SET s.moved = s.moving",
)
ABANDONED_AFTER = timedelta(minutes=1)


class Reader(Protocol):
    """Whatever runs a named statement: the database itself, or an open transaction."""

    async def run(self, query: Query, **parameters: Any) -> list[Row]:
        """The rows of the statement, each a dictionary by column."""
        ...

    async def run_alone(self, tenants: Sequence[str], query: Query, **parameters: Any) -> list[Row]:
        """The rows of a read, while the trees of these tenants, sorted by their roots' ids, stay as they are."""
        ...

    def holds(self, tenants: Collection[str]) -> bool:
        """Whether the trees of these tenants stay as they are for as long as this reads."""
        ...


def _ignore(_name: str, _seconds: float, _outcome: str) -> None:
    """Observes nothing."""


def _ignore_calls(_name: str, _calls: int) -> None:
    """Observes nothing."""


class Transaction:
    """An open transaction; `run` sees what it has written so far."""

    def __init__(self, raw: neo4j.AsyncTransaction, observe: Observe) -> None:
        self._raw = raw
        self._observe = observe
        self._held: set[str] = set()

    async def run(self, query: Query, **parameters: Any) -> list[Row]:
        """The rows of the statement. Raises the driver's errors, which `Database.write` judges."""
        started = time.perf_counter()
        outcome = "failed"
        try:
            result = await self._raw.run(query.text, parameters)
            rows = await _rows(result)
            outcome = "ok"
            return rows
        finally:
            self._observe(query.name, time.perf_counter() - started, outcome)

    async def run_alone(self, tenants: Sequence[str], query: Query, **parameters: Any) -> list[Row]:
        """The rows of the statement, under the tenants' structure locks until the commit."""
        await self.lock_structures(tenants)
        await self.run(END_ABANDONED, tenants=list(tenants), before=clock.to_text(clock.now() - ABANDONED_AFTER))
        return await self.run(query, **parameters)

    def holds(self, tenants: Collection[str]) -> bool:
        """Whether it has the structure locks of all these tenants."""
        return self._held.issuperset(tenants)

    async def lock_structures(self, tenants: Sequence[str]) -> None:
        """Takes the structure locks of tenants, sorted by their roots' ids, until the commit."""
        await self.run(LOCK_STRUCTURES, tenants=list(tenants))
        self._held.update(tenants)


class Database:
    """One engine, through the official driver."""

    def __init__(
        self,
        driver: neo4j.AsyncDriver,
        name: str | None,
        observe: Observe = _ignore,
        carried: Carried = _ignore_calls,
    ) -> None:
        self._driver = driver
        self._name = name
        self._observe = observe
        self._queues = Turns()
        self._sharing = Sharing(self._run, carried)
        self._stirred: set[str] = set()
        self.sessions = 0
        """How many sessions are open now: each has one of the pool's CONNECTIONS, or waits for one."""

    @classmethod
    def connect(
        cls,
        uri: str,
        username: str,
        password: str,
        name: str | None,
        observe: Observe = _ignore,
        carried: Carried = _ignore_calls,
    ) -> "Database":
        """A database over a new driver. It connects at the first statement; `close` it when done.

        `observe` is told each statement's name, seconds and outcome, and `carried` how many calls a shared one answers.
        """
        driver = neo4j.AsyncGraphDatabase.driver(
            uri,
            auth=(username, password),
            max_connection_pool_size=CONNECTIONS,
            connection_timeout=5.0,
            connection_acquisition_timeout=10.0,
            liveness_check_timeout=30.0,
            keep_alive=True,
            notifications_min_severity="OFF",
            telemetry_disabled=True,
        )
        return cls(driver, name, observe, carried)

    async def close(self) -> None:
        """Ends every connection."""
        await self._driver.close()

    @asynccontextmanager
    async def _session(self, access: str = neo4j.WRITE_ACCESS) -> AsyncGenerator[neo4j.AsyncSession]:
        self.sessions += 1
        try:
            async with self._driver.session(database=self._name, default_access_mode=access) as session:
                yield session
        finally:
            self.sessions -= 1

    async def run(self, query: Query, **parameters: Any) -> list[Row]:
        """Reads in auto-commit: the rows, with those that are asked for meanwhile where the query is shared.

        Raises EngineUnavailable.
        """
        if query.by is None:
            return await self._run(query, parameters)
        return await self._sharing.run(query, parameters)

    async def _run(self, query: Query, parameters: Row) -> list[Row]:
        for attempt in range(READ_ATTEMPTS):
            started = time.perf_counter()
            outcome = "failed"
            try:
                async with asyncio.timeout(STATEMENT_SECONDS):
                    rows = await self._read(query, parameters)
            except (Neo4jError, DriverError, OSError, TimeoutError) as error:
                if attempt + 1 == READ_ATTEMPTS or not _may_pass(error):
                    raise _typed(error) from error
            else:
                outcome = "ok"
                return rows
            finally:
                self._observe(query.name, time.perf_counter() - started, outcome)
            await asyncio.sleep(pause(attempt, *_PAUSES))
        raise AssertionError("the last attempt returns or raises")

    async def _read(self, query: Query, parameters: Row) -> list[Row]:
        async with self._session(neo4j.READ_ACCESS) as session:
            result = await session.run(query.text, parameters)
            return await _rows(result)

    async def run_alone(self, tenants: Sequence[str], query: Query, **parameters: Any) -> list[Row]:
        """Reads in a transaction that holds the tenants' structure locks: the rows. Raises EngineUnavailable."""

        async def work(transaction: Transaction) -> list[Row]:
            return await transaction.run_alone(tenants, query, **parameters)

        async with AsyncExitStack() as turns:
            for tenant in tenants[:-1]:
                await turns.enter_async_context(self._queues.of(tenant))
            try:
                return await self.write(work, queue=tenants[-1])
            except CommitUnknown as error:
                raise EngineUnavailable(str(error)) from error

    def holds(self, tenants: Collection[str]) -> bool:
        """Never: each of its statements is by itself."""
        del tenants
        return False

    async def write(self, work: Callable[[Transaction], Awaitable[T]], *, queue: str) -> T:
        """Runs `work` in a transaction, again where the engine asks for it, and commits.

        `work` may run several times and has no effect outside the database. Writers of one `queue` (a feed) wait
        for each other inside this process, so that they do not conflict at the engine. Raises EngineUnavailable
        (no effect), CommitUnknown (an effect or none), Duplicate (no effect), or what `work` raises (no effect).
        """
        async with self._queues.of(queue):
            deadline = time.monotonic() + WRITE_PATIENCE_SECONDS
            attempt = 0
            while True:
                try:
                    value = await self._attempt(work)
                except (Neo4jError, DriverError, OSError, TimeoutError) as error:
                    if not _may_pass(error) or time.monotonic() > deadline:
                        raise _typed(error) from error
                    if not isinstance(error, Neo4jError) and attempt >= READ_ATTEMPTS:
                        raise EngineUnavailable(str(error)) from error
                else:
                    self.stir(queue)
                    return value
                attempt += 1
                await asyncio.sleep(pause(attempt, *_PAUSES))

    def stir(self, feed: str) -> None:
        """Notes that something may have been added to a tenant's feed; other queues are no feeds of tenants."""
        if kind_of(feed) is Kind.GROUP:
            self._stirred.add(feed)

    def stirred(self) -> set[str]:
        """The tenants whose feeds were stirred since the last call."""
        found, self._stirred = self._stirred, set()
        return found

    async def _attempt(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        async with self._session() as session:
            raw = await session.begin_transaction(timeout=WRITE_PATIENCE_SECONDS)
            try:
                async with asyncio.timeout(WRITE_PATIENCE_SECONDS):
                    value = await work(Transaction(raw, self._observe))
            except BaseException:
                await _abandon(raw)
                raise
            started = time.perf_counter()
            try:
                async with asyncio.timeout(STATEMENT_SECONDS):
                    await raw.commit()
            except (Neo4jError, DriverError, OSError) as error:
                if isinstance(error, ConstraintError) or (isinstance(error, Neo4jError) and error.is_retryable()):
                    raise
                raise CommitUnknown(str(error)) from error
            finally:
                self._observe("commit", time.perf_counter() - started, "ended")
            return value

    async def execute(self, texts: Sequence[str]) -> None:
        """Runs schema statements, each in auto-commit. Raises EngineUnavailable or the engine's own error.

        Two processes that change the schema at once may deadlock on a label: the one that the engine refuses goes
        again. What a process left behind that died while it created a constraint is removed.
        """
        deadline = time.monotonic() + WRITE_PATIENCE_SECONDS
        for text in texts:
            attempt = 0
            while not await self._executed(text, attempt, deadline):
                attempt += 1
                await asyncio.sleep(pause(attempt, *_PAUSES))

    async def _executed(self, text: str, attempt: int, deadline: float) -> bool:
        try:
            async with self._session() as session:
                if attempt >= leftovers.PATIENCE:
                    await leftovers.drop(session, text)
                result = await session.run(neo4j.Query(text))  # pyright: ignore[reportArgumentType]
                await result.consume()
        except (Neo4jError, DriverError, OSError) as error:
            if isinstance(error, Neo4jError) and _is_passing(error) and time.monotonic() < deadline:
                return False
            raise _typed(error) from error
        return True

    async def ready(self) -> bool:
        """Whether the engine answers now."""
        try:
            async with asyncio.timeout(2.0):
                await self._driver.verify_connectivity()
        except (Neo4jError, DriverError, OSError, TimeoutError):
            return False
        return True


async def _rows(result: neo4j.AsyncResult) -> list[Row]:
    """The rows as the driver has read them: statements return maps and values, so none is converted once more."""
    return [dict(record.items()) async for record in result]


async def _abandon(raw: neo4j.AsyncTransaction) -> None:
    try:
        await raw.close()
    except (Neo4jError, DriverError, OSError):
        return


def _is_passing(error: Neo4jError) -> bool:
    return error.is_retryable() or leftovers.is_in_the_way(error)


def _may_pass(error: BaseException) -> bool:
    if isinstance(error, Neo4jError | DriverError):
        return error.is_retryable()
    return isinstance(error, OSError) and not isinstance(error, TimeoutError)


def _typed(error: BaseException) -> BaseException:
    if isinstance(error, ConstraintError):
        return Duplicate(str(error))
    if isinstance(error, Neo4jError) and not error.is_retryable() and _is_of_the_statement(error):
        return error
    return EngineUnavailable(str(error))


def _is_of_the_statement(error: Neo4jError) -> bool:
    """Whether a statement of ours is wrong; else the engine's state is: its users, its disk, its limits."""
    parts = (error.code or "").split(".")
    return parts[1:2] == ["ClientError"] and parts[2:3] in (["Statement"], ["Schema"])
