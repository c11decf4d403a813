"""Reads that walk through the tree, as it was at one moment.

A statement walks edge by edge, and both engines show it what is committed meanwhile, the parts of one commit in any
order: what moves could be met twice or not at all. So a move is announced by a commit of its own before it begins, and
its end by another one after it. A walk during which a move was under way is begun again.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, LiteralString

import structlog

from graph import clock
from graph.database import Database, Reader, Row, Transaction
from graph.errors import CommitUnknown, EngineUnavailable
from graph.query import Query

ATTEMPTS = 8
# `moving` is the number of the last move that was announced, `moved` the one up to which all have ended.
_COUNTED = "MATCH (s:Structure {id: tenant}) RETURN sum(coalesce(s.moving, 0))"
STEADY = "movedBefore = movingBefore AND movingBefore = movingAfter AS steady, tenants"
"""What a walking statement returns beside its own columns."""
ANNOUNCE = Query(
    "steady.announce",
    "MATCH (s:Structure {id: $root}) SET s.revision = s.revision + 1 "
    "SET s.moving = coalesce(s.moving, 0) + 1 SET s.movingSince = $at RETURN s.moving AS moving",
)
ANNOUNCED = Query(
    "steady.announced",
    "MATCH (s:Structure {id: $root}) WHERE s.moving > coalesce(s.moved, 0) RETURN s.moving AS moving",
)
# Whoever announced last ends all: the lock shows that every move before it has ended.
END = Query(
    "steady.end",
    "MATCH (s:Structure {id: $root}) SET s.revision = s.revision + 1 "
    "WITH s WHERE s.moving = $moving SET s.moved = s.moving",
)
_log = structlog.get_logger()


def before(key: LiteralString, tenants: LiteralString) -> LiteralString:
    """What comes before the walk: the moves of each `tenant` that `tenants` finds by the key."""
    return f"CALL ({key}) {{ {tenants} {_COUNTED} AS movingBefore, sum(coalesce(s.moved, 0)) AS movedBefore }}"


def after(key: LiteralString, tenants: LiteralString) -> LiteralString:
    """What comes after the walk: the moves again, and the tenants' ids."""
    return f"CALL ({key}) {{ {tenants} {_COUNTED} AS movingAfter, collect(s.id) AS tenants }}"


async def read(reader: Reader, query: Query, **parameters: Any) -> list[Row]:
    """The rows of a walking statement during which nothing moved; where things move all the time, moves wait for it."""
    tenants: set[str] = set()
    for _ in range(ATTEMPTS):
        rows = await reader.run(query, **parameters)
        tenants.update(tenant for row in rows if not row["steady"] for tenant in row["tenants"])
        if all(row["steady"] or reader.holds(row["tenants"]) for row in rows):
            return rows
    return await reader.run_alone(sorted(tenants), query, **parameters)


@asynccontextmanager
async def announced(database: Database, root: str) -> AsyncGenerator[None]:
    """While it lasts, no walk through the tenant's tree is taken for one of a moment. Raises as `Database.write`."""

    async def announce(transaction: Transaction) -> int:
        (row,) = await transaction.run(ANNOUNCE, root=root, at=clock.to_text(clock.now()))
        return row["moving"]

    moving = await database.write(announce, queue=root)
    try:
        yield
    finally:
        await _end(database, root, moving)


async def _end(database: Database, root: str, moving: int) -> None:
    async def end(transaction: Transaction) -> None:
        await transaction.run(END, root=root, moving=moving)

    try:
        await database.write(end, queue=root)
    except (EngineUnavailable, CommitUnknown) as error:
        # The next move ends this one too, or a walk that has found no moment without one.
        _log.warning("move_not_ended", tenant=root, error=type(error).__name__)


async def still_announced(transaction: Transaction, root: str) -> bool:
    """Whether a move in the tenant's tree is announced; the transaction holds the structure lock."""
    return bool(await transaction.run(ANNOUNCED, root=root))
