"""Reads that walk through the tree, as it was at one moment.

A statement walks edge by edge, and both engines show it what is committed meanwhile: what moves could be met twice or
not at all. So each tenant counts its moves, and a walk during which one was counted is begun again.
"""

from typing import Any, LiteralString

from graph.database import Reader, Row
from graph.query import Query

ATTEMPTS = 8
_COUNTED = "MATCH (s:Structure {id: tenant}) RETURN sum(coalesce(s.moves, 0))"
STEADY = "movesBefore = movesAfter AS steady, tenants"
"""What a walking statement returns beside its own columns."""


def before(key: LiteralString, tenants: LiteralString) -> LiteralString:
    """What comes before the walk: the count of the moves of each `tenant` that `tenants` finds by the key."""
    return f"CALL ({key}) {{ {tenants} {_COUNTED} AS movesBefore }}"


def after(key: LiteralString, tenants: LiteralString) -> LiteralString:
    """What comes after the walk: the count again, and the tenants' ids."""
    return f"CALL ({key}) {{ {tenants} {_COUNTED} AS movesAfter, collect(s.id) AS tenants }}"


async def read(reader: Reader, query: Query, **parameters: Any) -> list[Row]:
    """The rows of a walking statement during which nothing moved; where things move all the time, moves wait for it."""
    tenants: set[str] = set()
    for _ in range(ATTEMPTS):
        rows = await reader.run(query, **parameters)
        moving = [row for row in rows if not row["steady"]]
        if not moving:
            return rows
        tenants.update(tenant for row in moving for tenant in row["tenants"])
    return await reader.run_alone(sorted(tenants), query, **parameters)
