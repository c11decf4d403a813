"""One transaction for several commands: each one's writes are kept apart until it is sure, and then go together."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from graph import accounts, clock, journal, ledger, operations, period_totals, positions, users
from graph.database import Row, Transaction
from graph.journal import Recorder
from graph.memory import Memory
from graph.query import Query, gathered, written
from graph.settings import OF_ACCOUNTS, OF_GROUPS
from graph.structure import LOCATE_ACCOUNTS, LOCK_ACCOUNTS

# Locks first, accounts by their ids and the feed last, and then what is read under them.
TAKE = gathered(
    "unit.take",
    accounts=(LOCK_ACCOUNTS, ("id", "node")),
    heads=(journal.TAKE_FEED, ("epoch", "number", "policy", "hash", "at")),
    sessions=(users.NOW, ("id", "username", "administrator", "grants", "session")),
    operations=(operations.FIND_BY_KEY, ("key", "operation")),
    places=(LOCATE_ACCOUNTS, ("id", "root", "path")),
    positions=(positions.OF_ACCOUNTS, ("account", "position")),
)
_WRITES = {
    "entries": ledger.CREATE_ENTRIES,
    "totals": period_totals.ADD,
    "cash": ledger.SET_CASH,
    "valuations": ledger.CREATE_VALUATIONS,
    "operations": operations.CREATE,
}
WRITE = written("unit.write", **_WRITES, head=journal.APPEND)
_KNOWN = (ledger.OUTSIDE, *_WRITES.values())
# Rows that say the same twice are written once, and of several of one account the last one counts.
_ONCE = (ledger.OUTSIDE, ledger.SET_CASH)
Written = dict[str, list[Row]]


@dataclass(frozen=True, slots=True)
class Taken:
    """What was read under the locks: the feed's head, who the sessions belong to, and operations by their keys."""

    head: Row
    sessions: dict[users.Session, Row]
    operations: dict[str, Row]


class Unit(Transaction):
    """A transaction in which commands read what is known of their accounts, and write rows that are sent at the end.

    What a command of a group may write is in `_KNOWN`; all that it reads is shared by ids.
    """

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._memory = Memory(transaction)
        self._above: Sequence[str] = ()
        self._kept: Written = {}
        self._new: Written = {}

    async def take(
        self, ids: Collection[str], feed: str, sessions: Collection[users.Session], keys: list[str]
    ) -> Taken:
        """Takes the locks of the accounts and of the feed until the commit, and reads what stands there then."""
        ordered = sorted(ids)
        now = clock.to_text(clock.now())
        values = {"ids": ordered, "feed": feed, "token": secrets.token_hex(8), "rows": users.asked(sessions)}
        (row,) = await self._transaction.run(TAKE, **values, keys=keys, now=now)
        assert len(row["heads"]) == 1, f"the feed {feed} is there once"
        self._memory.learn(accounts.FIND, ordered, row["accounts"])
        self._memory.learn(positions.OF_ACCOUNTS, ordered, row["positions"])
        self._above = await self._memory.learn_places(ordered, row["places"])
        found = {each["key"]: operations.loaded(each["operation"]) for each in row["operations"]}
        return Taken(row["heads"][0], users.by_sessions(row["sessions"]), found)

    async def read_settings(self, ids: Sequence[str]) -> None:
        """Reads what the settings of the accounts come from."""
        await self._memory.read(OF_ACCOUNTS, ids)
        await self._memory.read(OF_GROUPS, self._above)

    async def run(self, query: Query, **parameters: Any) -> list[Row]:
        """The rows of a read that is shared by ids; a write has none, and is kept for the end."""
        if query.by is not None:
            return await self._memory.run(query, **parameters)
        assert query in _KNOWN, f"{query.name} is not for commands of a group"
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

    async def write(self, recorder: Recorder) -> None:
        """Sends what was kept, and the records of it."""
        if not self._kept:
            return
        outside = self._rows(ledger.OUTSIDE)
        if outside:
            await self._transaction.run(ledger.OUTSIDE, rows=outside)
        rows = {key: self._rows(query) for key, query in _WRITES.items()}
        await self._transaction.run(WRITE, **rows, **recorder.appended())

    def _rows(self, query: Query) -> list[Row]:
        return single(query, self._kept.get(query.name, []))


def single(query: Query, rows: list[Row]) -> list[Row]:
    """The rows of all commands, where the query writes what they name once: of such rows the last one counts."""
    if query is period_totals.ADD:
        return period_totals.merged(rows)
    return list({row["id"]: row for row in rows}.values()) if query in _ONCE else rows
