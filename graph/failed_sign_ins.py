"""How often signing in failed lately, for a bounded number of keys. A count ends some time after its last failure."""

from collections.abc import Sequence

from graph.database import Reader, Row, Transaction
from graph.query import Query

FIND = Query(
    "failed_sign_ins.find",
    "UNWIND $keys AS key MATCH (f:FailedSignIns {id: key}) WHERE f.until > $now "
    "RETURN f.id AS key, f.failures AS failures ORDER BY key",
)
# The lock comes first, so that two who count at once count two.
COUNT = Query(
    "failed_sign_ins.count",
    "UNWIND $keys AS key MERGE (f:FailedSignIns {id: key}) SET f.lock = $until WITH f "
    "SET f.failures = CASE WHEN f.until > $now THEN f.failures + 1 ELSE 1 END, f.until = $until",
)
END = Query("failed_sign_ins.end", "MATCH (f:FailedSignIns {id: $key}) SET f.until = $now")
# Nothing else deletes, and this only under a lock: two transactions that delete the same node disturb each other.
DROP = Query(
    "failed_sign_ins.drop_ended",
    "MATCH (k:Lease {id: 'installation'}) SET k.lock = $now WITH k "
    "MATCH (f:FailedSignIns) WHERE f.until <= $now AND f.id > '' WITH f LIMIT $limit "
    "DELETE f RETURN count(*) AS dropped",
)


async def find(reader: Reader, keys: Sequence[str], now: str) -> dict[str, int]:
    """How many failures each key has at this instant (text)."""
    rows = await reader.run(FIND, keys=list(keys), now=now)
    return dict.fromkeys(keys, 0) | {row["key"]: row["failures"] for row in rows}


async def count(transaction: Transaction, keys: Sequence[str], now: str, until: str) -> None:
    """Adds a failure to each key; what it has ends at `until`. Duplicate where two begin to count a key at once."""
    await transaction.run(COUNT, keys=sorted(keys), now=now, until=until)


async def end(transaction: Transaction, key: str, now: str) -> None:
    """Ends the count of a key at this instant (text)."""
    await transaction.run(END, key=key, now=now)


async def drop_ended(transaction: Transaction, now: str, limit: int) -> int:
    """Removes counts that have ended, at most so many; how many that were."""
    rows: list[Row] = await transaction.run(DROP, now=now, limit=limit)
    return rows[0]["dropped"] if rows else 0
