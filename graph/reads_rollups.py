"""Sums over the subtrees of groups: real money of accounts that are not CLOSED, each account once."""

from collections.abc import Collection
from dataclasses import dataclass

from graph.database import Reader
from graph.query import Query
from graph.reads_holdings import SPLIT

_REAL = (
    "UNWIND $ids AS id MATCH (:Group {id: id})-[:CONTAINS*1..]->(a:Account) "
    "WHERE a.simulated = false AND a.kind <> 'COMPOSITE' AND a.status <> 'CLOSED'"
)
CASH = Query(
    "rollups.cash",
    f"{_REAL} RETURN id, a.currency AS currency, count(a) AS accounts, "
    "sum(a.cash / 1000000) AS high, sum(a.cash % 1000000) AS low ORDER BY id, currency",
)
# Accounts that hold the same quantity of the same symbol are one row: each position is priced and rounded by itself.
HELD = Query(
    "rollups.held",
    f"{_REAL} MATCH (a)-[:HOLDS]->(p:Position) "
    "RETURN id, a.currency AS currency, p.symbol AS symbol, p.quantity AS quantity, count(p) AS times",
)


@dataclass(frozen=True, slots=True)
class CurrencySum:
    """The cash of a subtree's accounts in one currency, in minor units, and how many accounts they are."""

    currency: str
    accounts: int
    cash: int


@dataclass(frozen=True, slots=True)
class HeldSum:
    """A quantity (1e-8) of a symbol that so many positions of one currency have."""

    currency: str
    symbol: str
    quantity: int
    times: int


async def cash(reader: Reader, ids: Collection[str]) -> dict[str, list[CurrencySum]]:
    """The cash below each group, in order of currency."""
    found: dict[str, list[CurrencySum]] = {group: [] for group in ids}
    for row in await reader.run(CASH, ids=list(found)):
        found[row["id"]].append(CurrencySum(row["currency"], row["accounts"], row["high"] * SPLIT + row["low"]))
    return found


async def held(reader: Reader, ids: Collection[str]) -> dict[str, list[HeldSum]]:
    """The positions below each group."""
    found: dict[str, list[HeldSum]] = {group: [] for group in ids}
    for row in await reader.run(HELD, ids=list(found)):
        found[row["id"]].append(HeldSum(row["currency"], row["symbol"], row["quantity"], row["times"]))
    return found
