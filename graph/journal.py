"""The journal: each feed's Change nodes, numbered without a gap in commit order and chained by hash.

A transaction takes its feed last, adds one record for each of its effects, and writes them with the feed's new head.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from graph import clock
from graph.database import Reader, Row, Transaction
from graph.query import Query

FORMAT = 1
NO_HASH = "0" * 64

CREATE_FEED = Query(
    "journal.create_feed",
    "CREATE (f:Feed {id: $feed, epoch: $epoch, number: 0, policy: 0, hash: $hash, at: $at})",
)
TAKE_FEED = Query(
    "journal.take_feed",
    "MATCH (f:Feed {id: $feed}) SET f.lock = $token "
    "RETURN f.epoch AS epoch, f.number AS number, f.policy AS policy, f.hash AS hash, f.at AS at",
)
POLICY = Query(
    "journal.policy", "UNWIND $feeds AS id MATCH (f:Feed {id: id}) RETURN id, f.policy AS policy", by="feeds"
)
POLICY_OF_ACCOUNTS = Query(
    "journal.policy_of_accounts",
    "UNWIND $ids AS account MATCH (a:Account {id: account}) MATCH (f:Feed {id: a.root}) "
    "RETURN DISTINCT f.id AS id, f.policy AS policy",
)
APPEND = Query(
    "journal.append",
    "MATCH (f:Feed {id: $feed}) SET f.number = $number, f.policy = $policy, f.hash = $hash, f.at = $at "
    "WITH f UNWIND $records AS record CREATE (c:Change) SET c = record",
)


@dataclass(frozen=True, slots=True)
class Author:
    """Who acts, by what action (the mutation's name), and under which Operation node."""

    actor: str
    action: str
    operation: str | None


class Recorder:
    """The records that one transaction adds to a feed whose lock it holds.

    `policy` is the number of the feed's last record that changed which settings hold; 0 where none did.
    """

    def __init__(self, feed: str, head: Row, author: Author) -> None:
        self.feed = feed
        self.policy: int = head["policy"]
        self._epoch: str = head["epoch"]
        self._number: int = head["number"]
        self._hash: str = head["hash"]
        self._at = clock.from_text(head["at"])
        self._author = author
        self._next: datetime | None = None
        self.records: list[Row] = []

    def next_at(self) -> str:
        """The instant, as text, that the next record will have, for what is written before the record is complete."""
        if self._next is None:
            self._next = max(clock.now(), self._at + clock.TICK)
        return clock.to_text(self._next)

    def add(self, kind: str, nodes: list[str], before: Any, after: Any) -> str:
        """Adds a record of one effect and returns its instant as text, to be used in what the effect writes.

        `nodes` are the ids that the effect touches, the one that it is about first. `before` and `after` hold the
        values that the past is rebuilt from, as JSON values without floats.
        """
        at = self.next_at()
        assert self._next is not None, "an instant that was told is kept"
        self._at, self._next = self._next, None
        self._number += 1
        record: Row = {
            "format": FORMAT,
            "feed": self.feed,
            "epoch": self._epoch,
            "number": self._number,
            "at": at,
            "kind": kind,
            "actor": self._author.actor,
            "action": self._author.action,
            "outcome": "DONE",
            "operation": self._author.operation or "",
            "nodes": nodes,
            "payload": orjson.dumps({"before": before, "after": after}, option=orjson.OPT_SORT_KEYS).decode(),
            "salt": secrets.token_hex(16),
            "previousHash": self._hash,
        }
        self._hash = record_hash(record)
        self.records.append({**record, "hash": self._hash})
        return record["at"]

    @property
    def head(self) -> Row:
        """The feed's end after the records of this recorder."""
        at = clock.to_text(self._at)
        return {"epoch": self._epoch, "number": self._number, "policy": self.policy, "hash": self._hash, "at": at}

    def branch(self, author: Author) -> "Recorder":
        """A recorder of what another author adds next; its records count once they are joined."""
        return Recorder(self.feed, self.head, author)

    def join(self, branch: "Recorder") -> None:
        """Adds the records of a branch, where nothing was added since it began."""
        added, head = branch.records, branch.head
        assert head["number"] == self._number + len(added), "branches are joined one after the other"
        self._number, self._hash, self._at = head["number"], head["hash"], clock.from_text(head["at"])
        self._next = None
        self.records += added

    async def write(self, transaction: Transaction, *, changes_policy: bool = False) -> None:
        """Writes the records and the feed's new head; `changes_policy` where they change which settings hold."""
        await transaction.run(APPEND, **self.appended(changes_policy=changes_policy))

    def appended(self, *, changes_policy: bool = False) -> dict[str, Any]:
        """The values that APPEND takes for what `write` writes."""
        return {
            "feed": self.feed,
            "number": self._number,
            "policy": self._number if changes_policy else self.policy,
            "hash": self._hash,
            "at": clock.to_text(self._at),
            "records": self.records,
        }


def record_hash(record: Row) -> str:
    """SHA-256, in hexadecimal, of a record's properties but its hash: JSON with sorted keys, no spaces, UTF-8."""
    covered = {name: value for name, value in record.items() if name != "hash"}
    return hashlib.sha256(orjson.dumps(covered, option=orjson.OPT_SORT_KEYS)).hexdigest()


async def create_feed(transaction: Transaction, feed: str) -> None:
    """Creates a feed with its first epoch and no record."""
    at = clock.to_text(clock.now())
    await transaction.run(CREATE_FEED, feed=feed, epoch=secrets.token_hex(8), hash=NO_HASH, at=at)


async def policy(reader: Reader, feed: str) -> int:
    """The number of the feed's last record that changed which settings hold; 0 where none did, or no feed is there."""
    rows = await reader.run(POLICY, feeds=[feed])
    return rows[0]["policy"] if rows else 0


async def take_feed(transaction: Transaction, feed: str, author: Author) -> Recorder:
    """Takes the feed's lock until the commit and returns the recorder of its next records."""
    rows = await transaction.run(TAKE_FEED, feed=feed, token=secrets.token_hex(8))
    assert len(rows) == 1, f"the feed {feed} is there once"
    return Recorder(feed, rows[0], author)
