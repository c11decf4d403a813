"""Whether a tenant is as it was: by the end of its feed, which everything that takes effect in the tenant moves.

What was read can be shown again while the feed ends where it ended. For that it must have been read after every commit
up to there could be read whole, which an engine does not promise at once: the end of a feed may be seen before the rest
of the commit that moved it. A commit is whole once its lock on the feed is free, so we take the lock once, and read
after that.
"""

import asyncio
import math
import secrets
import time
from collections import OrderedDict
from collections.abc import Sequence
from contextvars import Context
from dataclasses import dataclass

import structlog

from graph.compiled import ASKED, PLACE, VIEWER
from graph.database import Database, Transaction
from graph.errors import GraphError
from graph.query import Query
from graph.recent import remember

_log = structlog.get_logger()
QUIET_SECONDS = 1.0
"""How long a feed has stayed as it is before something is kept of it, and how seldom its lock is taken for that."""
MOST_KNOWN = 10_000
"""Of how many feeds, and of how many questions, this is remembered."""
UNMOVED = Query(
    "reads.unmoved",
    f"{VIEWER} MATCH (f:Feed {{id: asked[1]}}) RETURN {PLACE}, until, rights, f.hash AS head",
    by=ASKED,
    of=PLACE,
    placed=True,
)
TENANTS = Query(
    "reads.tenants",
    "UNWIND $ids AS id MATCH (n:Account {id: id}) RETURN n.root AS tenant "
    "UNION UNWIND $ids AS id MATCH (n:Group {id: id}) RETURN n.root AS tenant",
)
SETTLE = Query("reads.settle", "MATCH (f:Feed {id: $feed}) SET f.lock = $token RETURN f.hash AS head")


@dataclass(slots=True)
class _Seen:
    """The end of a feed when its lock was taken last, and whether it was the same the time before."""

    head: str = ""
    quiet: bool = False
    looked: float = -math.inf
    looking: asyncio.Task[None] | None = None


class Quiet:
    """The feeds of one database that have not moved for a while."""

    def __init__(self, database: Database, seconds: float = QUIET_SECONDS) -> None:
        self._database = database
        self._seconds = seconds
        self._seen: OrderedDict[str, _Seen] = OrderedDict()
        self._tenants: OrderedDict[tuple[str, ...], str] = OrderedDict()

    async def tenant(self, ids: Sequence[str]) -> str | None:
        """The one tenant that all these nodes are of, for good; None where there are several.

        Raises EngineUnavailable.
        """
        key = tuple(ids)
        if key not in self._tenants:
            rows = await self._database.run(TENANTS, ids=list(ids))
            if len(rows) != 1:
                return None
            remember(self._tenants, key, rows[0]["tenant"], MOST_KNOWN)
        return self._tenants[key]

    def head(self, feed: str) -> str | None:
        """The hash up to which everything can be read whole from now on; None where the feed moves, or may move.

        Nobody waits for the lock that tells: it is taken meanwhile, and whoever asks later is told.
        """
        seen = self._seen.get(feed) or _Seen()
        remember(self._seen, feed, seen, MOST_KNOWN)
        if seen.quiet:
            return seen.head
        if seen.looking is None and time.monotonic() - seen.looked >= self._seconds:
            seen.looking = asyncio.get_running_loop().create_task(self._look(feed, seen), context=Context())
        return None

    def moved(self, feed: str) -> None:
        """Notes that a feed does not end any more where it ended."""
        if seen := self._seen.get(feed):
            seen.quiet = False

    async def looked(self) -> None:
        """Waits until no lock is being taken."""
        await asyncio.gather(*(seen.looking for seen in self._seen.values() if seen.looking))

    async def _look(self, feed: str, seen: _Seen) -> None:
        async def settle(transaction: Transaction) -> str:
            rows = await transaction.run(SETTLE, feed=feed, token=secrets.token_hex(8))
            return rows[0]["head"] if rows else ""

        try:
            before, seen.head = seen.head, await self._database.write(settle, queue=feed)
            seen.quiet = seen.head == before != ""
        except GraphError:
            seen.head = ""  # the next look begins anew
        except Exception:
            _log.exception("feed_not_settled", feed=feed)
        finally:
            seen.looked, seen.looking = time.monotonic(), None
