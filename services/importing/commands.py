"""bulkImport, and what a person does to an import under way: cancelImport and resumeImport."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import ClassVar

from graph import clock, groups, imports, operations, uploads
from graph.database import Reader, Row, Transaction
from graph.ids import Kind, kind_of
from graph.journal import Recorder
from graph.structure import locate
from services.access import NOT_FOUND_MESSAGE, require
from services.commands import Act, Command, Effect, Target
from services.desk import Desk
from services.groups import require_open
from services.operations import RUNNING, WAITING
from services.permissions import Permission
from services.problems import ProblemCode, refuse

CANCELLED = "CANCELLED"
_KEPT = timedelta(hours=48)
"""How long an upload is kept from the moment that it is imported."""


class Phase(StrEnum):
    """How far an import is: ImportPhase of the API."""

    CHECKING = "CHECKING"
    APPROVAL = "APPROVAL"
    APPLYING = "APPLYING"
    ENDED = "ENDED"


@dataclass(frozen=True, slots=True)
class Imported:
    """The upload that is imported; the import, where it waited for approval and is there already; the tenant."""

    upload: Row
    known: Row | None
    root: str


class BulkImport(Command[Imported]):
    """Imports the lines of an upload below a group: all are checked first, and then done part by part."""

    action: ClassVar[str] = "bulkImport"

    group_id: str
    upload_id: str
    dry_run: bool = False
    skip_invalid: bool = False

    def targets(self) -> Sequence[Target]:
        return (Target(self.group_id, (Kind.GROUP,), Permission.CREATE, ("groupId",)),)

    async def plan(self, desk: Desk, reader: Reader, act: Act) -> Imported:
        del desk
        require_open((await groups.find(reader, [self.group_id]))[self.group_id], "groupId")
        import_id = act.new_id(Kind.IMPORT)
        known = (await imports.find(reader, [import_id])).get(import_id)
        upload = await uploads.find(reader, self.upload_id)
        if upload is None or upload["user"] != act.viewer.user_id or not upload["ready"]:
            if known is None:
                message = "no upload of yours that is whole has this id; it may have expired"
                raise refuse(ProblemCode.NOT_FOUND, message, "uploadId")
            upload = {}
        return Imported(upload, known, act.places[self.group_id].root)

    async def apply(self, transaction: Transaction, recorder: Recorder, act: Act, plan: Imported) -> Effect:
        import_id = act.new_id(Kind.IMPORT)
        at = recorder.add("OPERATION_CHANGED", [self.group_id], None, {"operation": act.operation, "state": RUNNING})
        if plan.known is None:
            await imports.create(transaction, self._new(act, plan, import_id, at))
            kept = max(plan.upload["expiresAt"], clock.to_text(clock.now() + _KEPT))
            await uploads.change(transaction, self.upload_id, {"expiresAt": kept})
        else:
            await imports.change(transaction, import_id, {"phase": Phase.APPLYING.value, "approved": True})
        return Effect({"import": import_id}, import_id, [self.group_id], state=RUNNING, changes={"dueAt": at})

    def _new(self, act: Act, plan: Imported, import_id: str, at: str) -> Row:
        return {
            "id": import_id,
            "operation": act.operation,
            "root": plan.root,
            "group": self.group_id,
            "user": act.viewer.user_id,
            "actor": act.viewer.username,
            "upload": self.upload_id,
            "format": plan.upload["format"],
            "header": plan.upload.get("header"),
            "parts": plan.upload["parts"],
            "lines": plan.upload["lines"],
            "dryRun": self.dry_run,
            "skipInvalid": self.skip_invalid,
            "operationId": self.operation_id,
            "phase": Phase.CHECKING.value,
            "approved": False,
            "checked": 0,
            "next": 0,
            "succeeded": 0,
            "failed": 0,
            "createdAt": at,
        }


class ImportCommand(Command[Row]):
    """A change of an import under way. The plan is the import as it stands."""

    import_id: str

    def targets(self) -> Sequence[Target]:
        return ()

    def feed(self, act: Act, desk: Desk) -> str:
        return act.facts["root"] if act.facts else desk.installation

    async def gather(self, desk: Desk, act: Act) -> Row:
        return await self._visible(desk.database, act)

    async def plan(self, desk: Desk, reader: Reader, act: Act) -> Row:
        del desk
        found = await self._visible(reader, act)
        places = await locate(reader, [found["group"]])
        require(act.viewer, Permission.CREATE, places[found["group"]].path, ("importId",))
        return found

    async def _visible(self, reader: Reader, act: Act) -> Row:
        found = None
        if kind_of(self.import_id) is Kind.IMPORT:
            found = (await imports.find(reader, [self.import_id])).get(self.import_id)
        if found is not None:
            places = await locate(reader, [found["group"]])
            if found["group"] in places and act.viewer.sees(places[found["group"]].path):
                return found
        raise refuse(ProblemCode.NOT_FOUND, NOT_FOUND_MESSAGE, "importId")

    async def change(
        self, transaction: Transaction, recorder: Recorder, plan: Row, states: Sequence[str], state: str
    ) -> Effect:
        """Changes the state of the operation of a locked import. Raises CONFLICT where it is in another one."""
        after = {"operation": plan["operation"], "state": state}
        at = recorder.add("OPERATION_CHANGED", [plan["group"]], {"states": list(states)}, after)
        running = state == RUNNING
        changes: Row = {"state": state, "dueAt": at if running else None, "finishedAt": None if running else at}
        if not await operations.change(transaction, plan["operation"], states, changes):
            message = f"the import must be {' or '.join(states)}"
            raise refuse(ProblemCode.CONFLICT, message, "importId")
        return Effect({"import": self.import_id}, self.import_id, [plan["group"]])


class CancelImport(ImportCommand):
    """Stops an import. What is done stays, and what is not can be gone on with."""

    action: ClassVar[str] = "cancelImport"

    async def apply(self, transaction: Transaction, recorder: Recorder, act: Act, plan: Row) -> Effect:
        del act
        now = await imports.take(transaction, self.import_id)
        effect = await self.change(transaction, recorder, plan, [RUNNING, WAITING], CANCELLED)
        if now["approved"]:
            # An approval is of what is done now; whoever goes on later is asked about anew.
            await imports.change(transaction, self.import_id, {"approved": False, "phase": Phase.APPROVAL.value})
        return effect


class ResumeImport(ImportCommand):
    """Goes on with an import that was cancelled, in the name of who asked for it."""

    action: ClassVar[str] = "resumeImport"

    async def apply(self, transaction: Transaction, recorder: Recorder, act: Act, plan: Row) -> Effect:
        if plan["user"] != act.viewer.user_id:
            message = "an import is gone on with by who asked for it"
            raise refuse(ProblemCode.FORBIDDEN, message, "importId")
        await imports.take(transaction, self.import_id)
        return await self.change(transaction, recorder, plan, [CANCELLED], RUNNING)
