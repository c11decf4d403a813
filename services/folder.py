"""Keeps the totals of groups close behind what is written, so that those who read them seldom fold."""

import asyncio
import contextlib

import structlog

from graph import reads_totals
from graph.database import Database
from graph.errors import GraphError
from graph.folding import Turned
from graph.stood import NotThereYet

INTERVAL_SECONDS = 1.0
TURNS = 20
"""How many turns of one tenant go before it is the others' turn."""
_log = structlog.get_logger()


class Folder:
    """Folds the tenants that this process has written to, or found to be behind."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def run(self, stopped: asyncio.Event) -> None:
        """Folds every second until it is stopped."""
        while not stopped.is_set():
            more = [await self.fold(tenant) for tenant in sorted(self._database.stirred()) if not stopped.is_set()]
            if any(more):
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(INTERVAL_SECONDS):
                    await stopped.wait()

    async def fold(self, tenant: str) -> bool:
        """Folds a tenant for some turns; whether there is more to fold at once.

        A turn that took all that was there is settled by the next one, a second later, with what was written meanwhile:
        else a busy tenant would be folded all the time.
        """
        try:
            turned = await self._turns(tenant)
        except NotThereYet:
            self._database.stir(tenant)  # the engine shows a commit part by part: the rest is there soon
            return False
        except GraphError:
            _log.warning("fold_waits_for_the_database", tenant=tenant)
            self._database.stir(tenant)
            return False
        except Exception:
            # Readers walk where a tenant cannot be folded; the others are folded all the same.
            _log.exception("fold_failed", tenant=tenant)
            return False
        if turned.cursor.number > turned.cursor.settled:
            self._database.stir(tenant)
        return turned.more

    async def _turns(self, tenant: str) -> Turned:
        """The last of some turns, or of those that had more after them and the one that had not."""
        turned = await reads_totals.fold(self._database, tenant)
        for _ in range(TURNS - 1):
            if not turned.more:
                break
            turned = await reads_totals.fold(self._database, tenant)
        return turned
