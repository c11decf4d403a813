"""Numbered Cypher migrations, applied once each, in order, by one process at a time."""

import asyncio
import hashlib
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from importlib import resources

from graph import clock, period_totals
from graph.database import Database, Transaction
from graph.errors import Duplicate, GraphError
from graph.query import Query

LEASE_SECONDS = 60
WAIT_SECONDS = 120.0

_BOOTSTRAP = (
    "CREATE CONSTRAINT migration_number IF NOT EXISTS FOR (n:Migration) REQUIRE n.number IS UNIQUE",
    "CREATE CONSTRAINT lease_id IF NOT EXISTS FOR (n:Lease) REQUIRE n.id IS UNIQUE",
)
APPLIED = Query(
    "migrate.applied",
    "MATCH (m:Migration) WHERE m.number > 0 RETURN m.number AS number, m.hash AS hash ORDER BY m.number",
)
RECORD = Query("migrate.record", "CREATE (m:Migration {number: $number, name: $name, hash: $hash, at: $at})")
TAKE_LEASE = Query(
    "migrate.take_lease",
    "MERGE (l:Lease {id: $id}) SET l.lock = $owner "
    "WITH l WHERE l.owner IS NULL OR l.owner = $owner OR l.until < $now "
    "SET l.owner = $owner, l.until = $until RETURN l.owner AS owner",
)
DROP_LEASE = Query("migrate.drop_lease", "MATCH (l:Lease {id: $id}) WHERE l.owner = $owner SET l.owner = NULL")


# What a migration makes of the data that is there, by its name: it is given what keeps the lease from running out.
_FILLS: Mapping[str, Callable[[Database, Callable[[], Awaitable[None]]], Awaitable[None]]] = {
    "period_totals": period_totals.rebuild
}


class MigrationError(GraphError):
    """The data cannot be brought to this version, in one plain line."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: its number, name, statements and the hash of its text."""

    number: int
    name: str
    statements: tuple[str, ...]
    hash: str


def shipped() -> list[Migration]:
    """The migrations of this version, in order."""
    folder = resources.files("graph").joinpath("migrations")
    return [
        read(file.name, file.read_text("utf-8"))
        for file in sorted(folder.iterdir(), key=lambda file: file.name)
        if file.name.endswith(".cypher")
    ]


def read(file_name: str, text: str) -> Migration:
    """The migration that a file such as `0001_base.cypher` holds."""
    number, _, name = file_name.removesuffix(".cypher").partition("_")
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("//"))
    statements = tuple(part.strip() for part in "\n".join(lines).split(";") if part.strip())
    return Migration(int(number), name, statements, hashlib.sha256(text.encode()).hexdigest())


async def pending(database: Database, known: Sequence[Migration]) -> list[Migration]:
    """The migrations that the data still needs. Raises MigrationError where its history is not a part of ours."""
    by_number = {migration.number: migration for migration in known}
    applied = {row["number"]: row["hash"] for row in await database.run(APPLIED)}
    for number, fingerprint in applied.items():
        migration = by_number.get(number)
        if migration is None:
            raise MigrationError(f"the data was written by a newer version (migration {number:04d}); install that one")
        if migration.hash != fingerprint:
            raise MigrationError(f"migration {number:04d}_{migration.name} was edited after it was applied")
    return [migration for migration in known if migration.number not in applied]


async def migrate(database: Database, known: Sequence[Migration] | None = None) -> list[Migration]:
    """Applies what is pending and returns it. Raises MigrationError, EngineUnavailable."""
    migrations = shipped() if known is None else known
    await database.execute(_BOOTSTRAP)
    owner = secrets.token_hex(8)
    await acquire_lease(database, "migrations", owner)
    try:
        todo = await pending(database, migrations)
        for migration in todo:
            await database.execute(migration.statements)
            if migration.name in _FILLS:
                await _FILLS[migration.name](database, partial(acquire_lease, database, "migrations", owner))
            await _record(database, migration)
        return todo
    finally:
        await release_lease(database, "migrations", owner)


async def _record(database: Database, migration: Migration) -> None:
    async def work(transaction: Transaction) -> None:
        at = clock.to_text(clock.now())
        await transaction.run(RECORD, number=migration.number, name=migration.name, hash=migration.hash, at=at)

    await database.write(work, queue="migrations")


async def acquire_lease(database: Database, name: str, owner: str) -> None:
    """Waits until `owner` holds the lease, for a minute at most from its taking. Raises MigrationError."""

    async def work(transaction: Transaction) -> bool:
        now = clock.now()
        until = clock.to_text(now + timedelta(seconds=LEASE_SECONDS))
        rows = await transaction.run(TAKE_LEASE, id=name, owner=owner, now=clock.to_text(now), until=until)
        return bool(rows)

    try:
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                try:
                    if await database.write(work, queue=name):
                        return
                except Duplicate:  # two processes made the lease's node at once
                    continue
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise MigrationError(f"another process holds the lease '{name}' and does not end") from None


async def release_lease(database: Database, name: str, owner: str) -> None:
    """Gives the lease back."""

    async def work(transaction: Transaction) -> None:
        await transaction.run(DROP_LEASE, id=name, owner=owner)

    await database.write(work, queue=name)
