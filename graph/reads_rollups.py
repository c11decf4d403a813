"""Sums over the subtrees of groups: real money of accounts that are not CLOSED, each account once."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import LiteralString

from graph import steady
from graph.database import Reader
from graph.query import Query
from graph.reads_holdings import SPLIT

_TENANT = "MATCH (t:Group {id: id}) WITH t.root AS tenant"
_BEFORE, _AFTER = steady.before("id", _TENANT), steady.after("id", _TENANT)
COUNTED: LiteralString = "a.simulated = false AND a.kind <> 'COMPOSITE' AND a.status <> 'CLOSED'"
"""That an account `a` counts in the totals of the groups above it."""
_REAL = f"MATCH (:Group {{id: id}})-[:CONTAINS*1..]->(a:Account) WHERE {COUNTED}"
_CASH = (
    f"CALL (id) {{ {_REAL} WITH a.currency AS currency, count(a) AS accounts, "
    "sum(a.cash / 1000000) AS high, sum(a.cash % 1000000) AS low ORDER BY currency "
    "RETURN collect([currency, accounts, high, low]) AS sums }"
)
CASH = Query(
    "rollups.cash",
    f"UNWIND $ids AS id {_BEFORE} {_CASH} {_AFTER} RETURN id, sums, {steady.STEADY}",
)
# Accounts that hold the same quantity of the same symbol are one sum: each position is priced and rounded by itself.
_HELD = (
    f"CALL (id) {{ {_REAL} MATCH (a)-[:HOLDS]->(p:Position) "
    "WITH a.currency AS currency, p.symbol AS symbol, p.quantity AS quantity, count(p) AS times "
    "RETURN collect([currency, symbol, quantity, times]) AS sums }"
)
HELD = Query(
    "rollups.held",
    f"UNWIND $ids AS id {_BEFORE} {_HELD} {_AFTER} RETURN id, sums, {steady.STEADY}",
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
    rows = await steady.read(reader, CASH, ids=list(ids))
    return {row["id"]: [_currency_sum(*found) for found in row["sums"]] for row in rows}


def _currency_sum(currency: str, accounts: int, high: int, low: int) -> CurrencySum:
    return CurrencySum(currency, accounts, high * SPLIT + low)


async def held(reader: Reader, ids: Collection[str]) -> dict[str, list[HeldSum]]:
    """The positions below each group."""
    rows = await steady.read(reader, HELD, ids=list(ids))
    return {row["id"]: [HeldSum(*found) for found in row["sums"]] for row in rows}
