"""One transaction for several commands: each one's writes are kept apart until it is sure, and then go together."""

import secrets
from collections.abc import Collection, Sequence
from typing import Any

from graph import accounts, ledger, operations, period_totals, positions
from graph.database import Row, Transaction
from graph.memory import Memory
from graph.query import Query
from graph.settings import OF_ACCOUNTS, OF_GROUPS

LOCK_ACCOUNTS = Query(
    "unit.lock_accounts",
    "UNWIND $ids AS id MATCH (a:Account {id: id}) SET a.lock = $token RETURN id, a {.*} AS node",
)
# Rows that say the same twice are written once, and of several of one account the last one counts.
_ONCE = (ledger.OUTSIDE, ledger.SET_CASH)
_ORDER = (
    ledger.OUTSIDE,
    ledger.CREATE_ENTRIES,
    period_totals.ADD,
    ledger.SET_CASH,
    ledger.CREATE_VALUATIONS,
    operations.CREATE,
)
Written = dict[str, list[Row]]


class Unit(Transaction):
    """A transaction in which commands read what is known of their accounts, and write rows that are sent at the end.

    What a command of a group may write is in `_ORDER`; all that it reads is shared by ids.
    """

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._memory = Memory(transaction)
        self._kept: Written = {}
        self._new: Written = {}

    async def lock(self, ids: Collection[str]) -> None:
        """Takes the accounts' locks until the commit, in the order of their ids, and reads what stands there then."""
        ordered = sorted(ids)
        rows = await self._transaction.run(LOCK_ACCOUNTS, ids=ordered, token=secrets.token_hex(8))
        self._memory.learn(accounts.FIND, ordered, rows)

    async def read(self, ids: Sequence[str], *, settings: bool) -> None:
        """Reads where the accounts stand and what they hold, and where asked what their settings come from."""
        above = await self._memory.read_places(ids)
        await self._memory.read(positions.OF_ACCOUNTS, ids)
        if settings:
            await self._memory.read(OF_ACCOUNTS, ids)
            await self._memory.read(OF_GROUPS, above)

    async def run(self, query: Query, **parameters: Any) -> list[Row]:
        """The rows of a read that is shared by ids; a write has none, and is kept for the end."""
        if query.by is not None:
            return await self._memory.run(query, **parameters)
        assert query in _ORDER, f"{query.name} is not for commands of a group"
        self._new.setdefault(query.name, []).extend(parameters["rows"])
        return []

    async def run_alone(self, tenants: Sequence[str], query: Query, **parameters: Any) -> list[Row]:
        """The rows of a read under the tenants' structure locks, which a group never takes."""
        raise AssertionError(f"{query.name} is not for commands of a group")

    def holds(self, tenants: Collection[str]) -> bool:
        """Never: a group takes no structure lock."""
        del tenants
        return False

    def begin(self) -> None:
        """Begins a command; what one before it wrote and did not keep is forgotten."""
        self._new = {}

    async def keep(self) -> None:
        """Ends a command that took effect: those after it see the cash that it left."""
        for name, rows in self._new.items():
            self._kept.setdefault(name, []).extend(rows)
        for row in self._new.get(ledger.SET_CASH.name, ()):
            (found,) = await self._memory.run(accounts.FIND, ids=[row["id"]])
            node = {**found["node"], **row}
            self._memory.learn(accounts.FIND, [row["id"]], [{"id": row["id"], "node": node}])
        self._new = {}

    async def write(self) -> bool:
        """Sends what was kept, one statement for each kind of row; whether there was anything."""
        for query in _ORDER:
            rows = self._kept.get(query.name)
            if rows:
                await self._transaction.run(query, rows=single(query, rows))
        return bool(self._kept)


def single(query: Query, rows: list[Row]) -> list[Row]:
    """The rows of all commands, where the query writes what they name once: of such rows the last one counts."""
    if query is period_totals.ADD:
        return period_totals.merged(rows)
    return list({row["id"]: row for row in rows}.values()) if query in _ONCE else rows
