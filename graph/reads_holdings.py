"""What accounts hold now, by symbol; a COMPOSITE account holds what its components do, seen or not."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from graph.database import Reader
from graph.query import Query

_HELD = (
    "MATCH (:Account {id: id})-[:AGGREGATES*0..1]->(:Account)-[:HOLDS]->(p:Position) "
    "WITH p.symbol AS symbol, collect([p.quantity, p.cost]) AS parts"
)
ALL = Query(
    "holdings.all",
    f"UNWIND $ids AS id CALL (id) {{ {_HELD} ORDER BY symbol "
    "RETURN collect([symbol, parts]) AS held } RETURN id, held",
    by="ids",
)
PAGE = Query(
    "holdings.page",
    f"UNWIND $ids AS id CALL (id) {{ {_HELD} WHERE symbol > $after ORDER BY symbol LIMIT $limit "
    "RETURN collect([symbol, parts]) AS held } RETURN id, held",
    by="ids",
)
TOTAL = Query(
    "holdings.total",
    "UNWIND $ids AS id CALL (id) { MATCH (:Account {id: id})-[:AGGREGATES*0..1]->(:Account)-[:HOLDS]->(p:Position) "
    "RETURN count(DISTINCT p.symbol) AS total } RETURN id, total",
    by="ids",
)
FUNDS = Query(
    "holdings.funds",
    "UNWIND $ids AS id MATCH (:Account {id: id})-[:AGGREGATES]->(c:Account) "
    "RETURN id, sum(c.cash / 1000000) AS cashHigh, sum(c.cash % 1000000) AS cashLow, "
    "sum(c.held / 1000000) AS heldHigh, sum(c.held % 1000000) AS heldLow",
    by="ids",
)
SPLIT = 1_000_000
"""Sums are made of these parts apart, so that none leaves the engines' 64 bits."""


@dataclass(frozen=True, slots=True)
class Holding:
    """One symbol that an account holds: the scaled quantity and cost (exact text) of each position of it."""

    symbol: str
    quantities: tuple[int, ...]
    costs: tuple[str | None, ...]

    @property
    def quantity(self) -> int:
        """The whole quantity, in units of 1e-8."""
        return sum(self.quantities)


@dataclass(frozen=True, slots=True)
class Funds:
    """Posted cash and what of it is held, in minor units."""

    cash: int
    held: int


async def holdings(reader: Reader, ids: Collection[str]) -> dict[str, list[Holding]]:
    """Everything that each account holds, in order of symbol."""
    return _holdings(await reader.run(ALL, ids=list(ids)))


async def page(reader: Reader, ids: Collection[str], after: str, limit: int) -> dict[str, list[Holding]]:
    """The first `limit` holdings of each account whose symbols come after `after`."""
    return _holdings(await reader.run(PAGE, ids=list(ids), after=after, limit=limit))


async def totals(reader: Reader, ids: Collection[str]) -> dict[str, int]:
    """How many symbols each account holds."""
    return {row["id"]: row["total"] for row in await reader.run(TOTAL, ids=list(ids))}


async def component_funds(reader: Reader, ids: Collection[str]) -> dict[str, Funds]:
    """The funds of each COMPOSITE account's components together; an account without components is left out."""
    rows = await reader.run(FUNDS, ids=list(ids))
    return {
        row["id"]: Funds(
            row["cashHigh"] * SPLIT + row["cashLow"],
            row["heldHigh"] * SPLIT + row["heldLow"],
        )
        for row in rows
    }


def _holdings(rows: Sequence[dict[str, Any]]) -> dict[str, list[Holding]]:
    return {row["id"]: [_holding(symbol, parts) for symbol, parts in row["held"]] for row in rows}


def _holding(symbol: str, parts: Sequence[Sequence[Any]]) -> Holding:
    return Holding(symbol, tuple(part[0] for part in parts), tuple(part[1] for part in parts))
