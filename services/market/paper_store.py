"""The embedded broker's record in one SQLite file, shared by every process that serves the same data folder.

A write is one immediate transaction that is flushed to disk before its answer goes out, so what was answered survives
a kill and a power cut, and two processes never take the same order twice.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout
from pydantic import TypeAdapter
from typing_extensions import override

from graph.money import QUANTITY_UNIT
from services.market.port import MarketOrder, MarketUnavailable, MarketUnknown, OrderReport
from services.market.store import Book, BrokerOrder, BrokerStore

T = TypeVar("T")

FORMAT = 1
WAIT_SECONDS = 4.0
_TERMS = TypeAdapter(MarketOrder)
_REPORT = TypeAdapter(OrderReport)
_TABLES = (
    """CREATE TABLE orders (
        place INTEGER PRIMARY KEY, order_id TEXT NOT NULL UNIQUE, account_id TEXT, symbol TEXT,
        signed INTEGER NOT NULL, open INTEGER NOT NULL, terms TEXT, report TEXT NOT NULL) STRICT""",
    "CREATE INDEX orders_of_account ON orders (account_id, symbol)",
    "CREATE INDEX open_orders ON orders (place) WHERE open = 1",
    "CREATE TABLE market (only INTEGER PRIMARY KEY CHECK (only = 1), day TEXT NOT NULL) STRICT",
    "CREATE TABLE halts (symbol TEXT PRIMARY KEY) STRICT",
    f"PRAGMA user_version = {FORMAT}",
)
_ALL_ORDERS = "SELECT terms, report FROM orders ORDER BY place"
_OPEN_ORDERS = "SELECT terms, report FROM orders WHERE open = 1 ORDER BY place"
_POSITIONS = """SELECT symbol, SUM(signed / :unit), SUM(signed % :unit) FROM orders
                WHERE account_id = :account GROUP BY symbol"""


class StoreUnusable(Exception):
    """The broker's file cannot be used; the text says why in one line."""


class SqliteBook(Book):
    """The record inside one transaction of a connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @override
    def order(self, order_id: str) -> BrokerOrder | None:
        rows = self._connection.execute("SELECT terms, report FROM orders WHERE order_id = ?", (order_id,))
        return next(map(_order_of, rows), None)

    @override
    def orders(self, *, open_only: bool = False) -> list[BrokerOrder]:
        return [*map(_order_of, self._connection.execute(_OPEN_ORDERS if open_only else _ALL_ORDERS))]

    @override
    def put(self, order: BrokerOrder) -> None:
        terms = order.terms
        row = (
            order.report.order_id,
            terms and terms.account_id,
            terms and terms.symbol,
            order.signed_scaled,
            not order.report.status.final,
            terms and _TERMS.dump_json(terms).decode(),
            _REPORT.dump_json(order.report).decode(),
        )
        sql = """INSERT INTO orders (order_id, account_id, symbol, signed, open, terms, report)
                 VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"""
        if self._connection.execute(sql, row).rowcount != 1:
            raise ValueError(f"order {order.report.order_id} is recorded already")

    @override
    def update(self, report: OrderReport) -> None:
        known = self.order(report.order_id)
        if known is None:
            raise ValueError(f"order {report.order_id} is not recorded")
        signed = BrokerOrder(report, known.terms).signed_scaled
        self._connection.execute(
            "UPDATE orders SET signed = ?, open = ?, report = ? WHERE order_id = ?",
            (signed, not report.status.final, _REPORT.dump_json(report).decode(), report.order_id),
        )

    @override
    def positions(self, account_id: str) -> dict[str, int]:
        # Summed in two parts, whole units and the rest, so that no number of orders leaves 64 bits.
        rows = self._connection.execute(_POSITIONS, {"account": account_id, "unit": QUANTITY_UNIT})
        sums = {symbol: whole * QUANTITY_UNIT + rest for symbol, whole, rest in rows}
        return {symbol: scaled for symbol, scaled in sums.items() if scaled}

    @override
    def market_date(self) -> date | None:
        row = self._connection.execute("SELECT day FROM market").fetchone()
        return date.fromisoformat(row[0]) if row else None

    @override
    def set_market_date(self, day: date) -> None:
        self._connection.execute("INSERT OR REPLACE INTO market (only, day) VALUES (1, ?)", (day.isoformat(),))

    @override
    def halted(self) -> frozenset[str]:
        return frozenset(symbol for (symbol,) in self._connection.execute("SELECT symbol FROM halts"))

    @override
    def set_halted(self, symbol: str, *, halted: bool) -> None:
        sql = "INSERT OR IGNORE INTO halts VALUES (?)" if halted else "DELETE FROM halts WHERE symbol = ?"
        self._connection.execute(sql, (symbol,))


class _Lane:
    """A connection and the one thread that uses it."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="market-store")
        self._connection: sqlite3.Connection | None = None

    async def open(self, path: Path) -> None:
        self._connection = await self.call(lambda: _connect(path))

    async def run(self, work: Callable[[Book], T], *, writes: bool) -> T:
        connection = self._connection
        if connection is None:
            raise MarketUnavailable("the market's record is closed")
        return await self.call(lambda: _run(connection, work, writes=writes))

    async def call(self, act: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, act)

    async def close(self) -> None:
        if self._connection is not None:
            await self.call(self._connection.close)
            self._connection = None
        self._threads.shutdown()


class SqliteStore(BrokerStore):
    """Keeps the record in a file. Readers have a connection of their own, so they do not wait for a writer."""

    def __init__(self) -> None:
        self._reader = _Lane()
        self._writer = _Lane()

    @classmethod
    async def open(cls, path: Path) -> "SqliteStore":
        """The store of that file, which is made where it does not exist.

        Raises StoreUnusable where it is no such file, of another version, or cannot be written.
        """
        store = cls()
        try:
            await store._writer.call(lambda: _prepare(path))
            await store._writer.open(path)
            await store._reader.open(path)
        except (OSError, sqlite3.Error, Timeout) as fault:
            await store.aclose()
            raise StoreUnusable(f"the market's file {path} cannot be used: {fault}") from fault
        except StoreUnusable:
            await store.aclose()
            raise
        return store

    @override
    async def read(self, work: Callable[[Book], T]) -> T:
        return await self._reader.run(work, writes=False)

    @override
    async def write(self, work: Callable[[Book], T]) -> T:
        return await self._writer.run(work, writes=True)

    @override
    async def aclose(self) -> None:
        await self._reader.close()
        await self._writer.close()


def _order_of(row: tuple[str | None, str]) -> BrokerOrder:
    terms, report = row
    return BrokerOrder(_REPORT.validate_json(report), _TERMS.validate_json(terms) if terms else None)


def _connect(path: Path) -> sqlite3.Connection:
    # Each connection stays in its lane's one thread except at the very end, where it may be closed by another.
    connection = sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _prepare(path: Path) -> None:
    """Makes the file or checks its version, one process at a time: a switch to WAL does not wait for another."""
    with FileLock(path.with_name(path.name + ".lock"), timeout=WAIT_SECONDS):
        path.touch(mode=0o600)
        connection = _connect(path)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            with _transaction(connection, writes=True):
                _create(connection, path)
        finally:
            connection.close()


def _create(connection: sqlite3.Connection, path: Path) -> None:
    found: int = connection.execute("PRAGMA user_version").fetchone()[0]
    tables: int = connection.execute("SELECT COUNT(*) FROM sqlite_schema").fetchone()[0]
    if found == FORMAT:
        return
    if found or tables:
        raise StoreUnusable(f"the market's file {path} has version {found}; this program knows version {FORMAT}")
    for statement in _TABLES:
        connection.execute(statement)


@contextmanager
def _transaction(connection: sqlite3.Connection, *, writes: bool) -> Generator[None]:
    connection.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.execute("COMMIT")


def _run(connection: sqlite3.Connection, work: Callable[[Book], T], *, writes: bool) -> T:
    done: list[T] = []
    try:
        with _transaction(connection, writes=writes):
            done.append(work(SqliteBook(connection)))
    except sqlite3.Error as fault:
        connection.rollback()
        if writes and done:  # what its failed commit left on the disk is not known
            raise MarketUnknown(f"the market's record may not have been written: {fault}") from fault
        raise MarketUnavailable(f"the market's record cannot be used: {fault}") from fault
    return done[0]
