"""The totals of groups as of now: as they are folded, all of one moment; walked where the fold is far behind."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import LiteralString, Protocol, TypeVar

import structlog

from graph import folding, reads_rollups
from graph.database import Reader, Row, Transaction
from graph.errors import CommitUnknown, Duplicate, EngineUnavailable
from graph.folding import Turned
from graph.query import Query
from graph.reads_rollups import CurrencySum, HeldSum
from graph.stood import NotThereYet
from graph.totals import ACCOUNTS, CASH, PARTED, Count, Cursor, Kept, is_cash

T = TypeVar("T")
MOST_BEHIND = 5_000
"""A reader folds at most about so many records itself."""
ATTEMPTS = 40
_PAUSE_SECONDS = 0.001
# The feed's head and the cursor are read before the sums: what is read after the cursor is not older than it says.
_MOMENT = (
    "UNWIND $ids AS id MATCH (g:Group {id: id}) WITH id, g.root AS tenant "
    "CALL (tenant) { MATCH (f:Feed {id: tenant}) RETURN collect(f.number) AS heads } "
    "CALL (tenant) { MATCH (k:Fold {id: tenant}) RETURN collect(k.state) AS cursors } "
)


def _totals(edges: LiteralString) -> LiteralString:
    return (
        f"{_MOMENT} CALL (id) {{ MATCH (:Branch {{id: id}})-[:{edges}]->(t:Total) "
        "RETURN collect([t.key, t.state]) AS sums } RETURN id, tenant, heads, cursors, sums"
    )


CASH_BELOW = Query("totals.cash", _totals("SUMS_CASH"), by="ids")
ALL_BELOW = Query("totals.all", _totals("SUMS_CASH|SUMS_HELD"), by="ids")
_log = structlog.get_logger()


class Store(Reader, Protocol):
    """Reads and writes, as the database itself."""

    async def write(self, work: Callable[[Transaction], Awaitable[T]], *, queue: str) -> T:
        """Runs `work` in a transaction and commits; as `Database.write`."""
        ...

    def stir(self, feed: str) -> None:
        """Notes that a feed's totals are behind; as `Database.stir`."""
        ...


@dataclass(frozen=True, slots=True)
class Below:
    """What is below a group: cash by currency, in order, and positions."""

    cash: Sequence[CurrencySum]
    held: Sequence[HeldSum]


async def read(store: Store, ids: Collection[str], *, held: bool) -> dict[str, Below]:
    """What is below each group, by id: everything that was committed before the call counts.

    All groups of a tenant are of the same moment, and that is later than no call of `read` that follows this one.
    Positions are read where `held` says so. Raises EngineUnavailable.
    """
    query = ALL_BELOW if held else CASH_BELOW
    tenants: dict[str, list[Row]] = {}
    for row in await store.run(query, ids=list(ids)):
        tenants.setdefault(row["tenant"], []).append(row)
    found: dict[str, Below] = {}
    for tenant, rows in tenants.items():
        found |= _settled(rows) or await _caught_up(store, query, tenant, rows)
    return found


def _settled(rows: Sequence[Row]) -> dict[str, Below] | None:
    """The totals of one tenant's groups as the rows tell them; None where the feed has gone on since."""
    if not all(row["cursors"] for row in rows):
        return None
    # Groups may have been read in different turns: the earliest is the one that all of them can still tell.
    cursor = min(Cursor(*row["cursors"][0]) for row in rows)
    return _after(rows, cursor.turn - 1) if cursor.settled >= _head(rows) else None


def _after(rows: Sequence[Row], turn: int) -> dict[str, Below] | None:
    found: dict[str, Below] = {}
    for row in rows:
        sums = [(key, Kept.read(state).after(turn)) for key, state in row["sums"]]
        told = [(key, counted) for key, counted in sums if counted is not None]
        if len(told) < len(sums):
            return None
        found[row["id"]] = _below(sorted(told))
    return found


def _below(sums: Sequence[tuple[str, Count]]) -> Below:
    cash, held = list[CurrencySum](), list[HeldSum]()
    for key, counted in sums:
        _, currency, *symbol = key.split(":", 2)
        if is_cash(key):
            cash += [CurrencySum(currency, counted[ACCOUNTS], counted.get(CASH, 0))] if ACCOUNTS in counted else []
        else:
            several = ((quantity, times) for quantity, times in counted.items() if quantity != PARTED)
            held += [HeldSum(currency, symbol[0], int(quantity), times) for quantity, times in several]
    return Below(cash, held)


def _head(rows: Sequence[Row]) -> int:
    """The feed's head at the earliest that it was read, which is after the reader asked."""
    return min((head for row in rows for head in row["heads"]), default=0)


def _number(rows: Sequence[Row]) -> int:
    return min((Cursor(*cursor).number for row in rows for cursor in row["cursors"]), default=0)


async def _caught_up(store: Store, query: Query, tenant: str, rows: Sequence[Row]) -> dict[str, Below]:
    """Folds as far as the feed's head was, and reads the totals in the transaction of the last turn."""
    ids, head = [row["id"] for row in rows], _head(rows)
    store.stir(tenant)
    if head - _number(rows) <= MOST_BEHIND:

        async def work(transaction: Transaction) -> dict[str, Below] | None:
            # Whoever had this turn before may have folded as far.
            told = _settled(await transaction.run(query, ids=ids))
            if told is not None:
                return told
            cursor = (await folding.turn(transaction, tenant)).cursor
            return _after(await transaction.run(query, ids=ids), cursor.turn) if cursor.number >= head else None

        for attempt in range(ATTEMPTS):
            try:
                told = await store.write(work, queue=_queue(tenant))
            except (NotThereYet, CommitUnknown, Duplicate):
                told = None
                await asyncio.sleep(_PAUSE_SECONDS * attempt)
            except EngineUnavailable:
                break  # it may still be read from
            except Exception:
                _log.exception("fold_failed", tenant=tenant)
                break  # what cannot be folded can be walked
            if told is not None:
                return told
    _log.info("roll_ups_walked", tenant=tenant, behind=head - _number(rows))
    return await walked(store, ids, held=query is ALL_BELOW)


async def walked(reader: Reader, ids: Collection[str], *, held: bool) -> dict[str, Below]:
    """The same by walking through all accounts below each group. Raises EngineUnavailable."""
    cash = await reads_rollups.cash(reader, ids)
    positions = await reads_rollups.held(reader, ids) if held else {}
    return {group: Below(sums, positions.get(group, ())) for group, sums in cash.items()}


async def catch_up(store: Store, tenant: str, turns: int) -> bool:
    """Folds what a tenant's feed has, in so many turns at most; whether that was all.

    Raises NotThereYet, Unfoldable, or as `Database.write`.
    """

    for _ in range(turns):
        cursor = (await fold(store, tenant)).cursor
        if cursor.number == cursor.settled:
            return True
    return False


async def fold(store: Store, tenant: str) -> Turned:
    """Folds what a tenant's feed has for one turn. Raises as `catch_up`."""
    return await store.write(lambda transaction: folding.turn(transaction, tenant), queue=_queue(tenant))


def _queue(tenant: str) -> str:
    return f"fold:{tenant}"
