"""Work that is due: reviews that expire, approved operations that have not begun, orders and dates under way.

All of it is told by the graph, so that any process goes on with what another one left. A process claims an operation
by moving its due instant on; what it does then is safe to do twice.
"""

import asyncio
import contextlib
import time

import structlog

from graph import clock, operations
from graph.database import Row
from graph.errors import GraphError
from services.deciding import start_approved
from services.folder import Folder
from services.guard import DROPPED_AT_ONCE, drop_ended
from services.importing import running
from services.importing.commands import BulkImport
from services.importing.uploading import DROPPED_UPLOADS, drop_expired
from services.market_control import ACTIONS, go_on
from services.operations import APPROVED, CLAIM, WAITING, end_operation
from services.orders.recovery import recover
from services.pipeline import Pipeline
from services.problems import rule_violation

_log = structlog.get_logger()
INTERVAL_SECONDS = 1.0
TIDY_SECONDS = 60.0
AT_ONCE = 16
MOST_IMPORTS = 2
"""How many imports a process goes on with at once: each holds an index of all its lines."""
MOST_QUEUED = 64
"""How many imports a process has claimed or goes on with; it leaves others to other processes, or for later."""


class Worker:
    """Runs due work of the whole installation until it is stopped. One is made for each process."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._stopped = asyncio.Event()
        self._tidy_at = 0.0
        self._imports: dict[str, asyncio.Task[None]] = {}
        self._slots = asyncio.Semaphore(MOST_IMPORTS)

    async def run(self) -> None:
        """Looks for due work every second, and folds totals beside it, until `stop`."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(Folder(self._pipeline.desk.database).run(self._stopped))
            try:
                await self._look()
            finally:
                await self._end_imports()

    async def _look(self) -> None:
        while not self._stopped.is_set():
            try:
                while await self.turn() == AT_ONCE and not self._stopped.is_set():
                    pass  # a full batch: more may be due
                await self._tidy()
            except GraphError:
                _log.warning("due_work_waits_for_the_database")
            except Exception:
                # A fault in one turn must not end the server, which the next turn may serve as well as before.
                _log.exception("due_work_failed")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(INTERVAL_SECONDS):
                    await self._stopped.wait()

    def stop(self) -> None:
        """Ends `run` after the work under way."""
        self._stopped.set()

    async def turn(self) -> int:
        """Does what is due now; how many operations that were. Raises EngineUnavailable."""
        database = self._pipeline.desk.database
        found = await operations.due(database, clock.to_text(clock.now()), AT_ONCE)
        await asyncio.gather(*(self._one(operation) for operation in found))
        return len(found)

    async def _tidy(self) -> None:
        """Drops counts of failed sign-ins that have ended, and uploads that are kept no longer, now and then."""
        if time.monotonic() < self._tidy_at:
            return
        full = await drop_ended(self._pipeline.desk.database) == DROPPED_AT_ONCE
        full |= await drop_expired(self._pipeline.desk.database) == DROPPED_UPLOADS
        self._tidy_at = time.monotonic() + (0 if full else TIDY_SECONDS)

    async def _one(self, operation: Row) -> None:
        try:
            until = clock.to_text(clock.now() + CLAIM)
            if await operations.claim(self._pipeline.desk.database, operation, until):
                await self._do(operation)
        except GraphError:
            _log.warning("due_operation_waits_for_the_database", operation=operation["id"])
        except Exception:
            # One operation that cannot go on must not keep the others from going on; it is due again after its claim.
            _log.exception("due_operation_failed", operation=operation["id"])

    async def _do(self, operation: Row) -> None:
        match operation["state"]:
            case state if state == WAITING:
                message = "nobody decided in time; ask for it anew"
                expired = rule_violation("REVIEW_EXPIRY", message, "expired", "approved")
                await end_operation(self._pipeline.desk, operation, [WAITING], "REJECTED", [expired])
            case state if state == APPROVED:
                await start_approved(self._pipeline, operation["id"])
            case _ if operation["kind"] == BulkImport.action:
                self._begin_import(operation)
            case _ if operation["kind"] in ACTIONS:
                await go_on(self._pipeline.desk, operation["id"])
            case _:
                await recover(self._pipeline.desk, operation)

    def _begin_import(self, operation: Row) -> None:
        """Goes on with an import beside all other work, when it is its turn."""
        if operation["id"] not in self._imports and len(self._imports) < MOST_QUEUED:
            task = asyncio.create_task(self._import(operation))
            self._imports[operation["id"]] = task
            task.add_done_callback(lambda _: self._imports.pop(operation["id"], None))

    async def _import(self, operation: Row) -> None:
        try:
            async with self._slots:
                await running.go_on(self._pipeline.desk, operation, self._stopped.is_set)
        except GraphError:
            _log.warning("import_waits_for_the_database", operation=operation["id"])
        except Exception:
            _log.exception("import_failed", operation=operation["id"])

    async def _end_imports(self) -> None:
        """Waits for the parts under way; where that is cut short, they are undone, and are done later."""
        self._stopped.set()
        try:
            await asyncio.gather(*self._imports.values())
        finally:
            for task in self._imports.values():
                task.cancel()
