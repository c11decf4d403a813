"""Imports under way: checked whole, approved where that is asked for, and done part by part, by any process.

Each part is one transaction, with what became of its lines. A process that goes on with an import claims it first, and
whoever finds another claim steps back; a part that is done is never done again, since the import tells which is next.
"""

import secrets
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import structlog

from graph import accounts, clock, imports, journal, operations, structure, uploads
from graph.database import Row, Transaction
from graph.drafting import Draft
from graph.journal import NO_HASH, Recorder
from graph.sketch import Sketch
from services import access
from services.desk import Desk
from services.importing.commands import BulkImport, Phase
from services.importing.judging import Answers, Judge, Lot, Unready, accounts_of, refused_row, require_ready
from services.importing.lines import Line, Placing
from services.importing.reading import Format, read_header, read_line
from services.operations import CLAIM, RUNNING, WAITING, end, problem_json, take_feed
from services.problems import Problem, ProblemCode, Refused, invalid, refuse
from services.retrying import settled
from services.valuation import Marks, gather_marks
from services.verdicts import Approval

MOST_GROUPS = 100_000
"""How many groups an import may make, and how many nodes' settings it may change."""
MOST_REASONS = 20
_log = structlog.get_logger()


class Overtaken(Exception):
    """The import was cancelled, has ended, or is gone on with by another process."""


async def go_on(desk: Desk, operation: Row, stopped: Callable[[], bool]) -> None:
    """Goes on with an import until it ends, waits for a person, or `stopped` says so. Raises EngineUnavailable."""
    import_id = operation["payload"]["import"]
    try:
        row = await _claimed(desk, import_id, secrets.token_hex(8))
        if row["phase"] == Phase.CHECKING:
            row = await _Check(desk, row).run(stopped)
        if row["phase"] == Phase.APPROVAL:
            await _Approval(desk, row).park()
            return
        while row["phase"] == Phase.APPLYING and not stopped():
            row = await _apply(desk, row)
    except Overtaken:
        _log.info("import_overtaken", import_id=import_id)
    except Unready as error:
        _log.warning("import_waits", import_id=import_id, reason=str(error))


async def _claimed(desk: Desk, import_id: str, token: str) -> Row:
    """The import, which is this process's to go on with from now on. Raises Overtaken where it is not under way."""

    async def work(transaction: Transaction) -> Row:
        row = await imports.take(transaction, import_id)
        await _renew(transaction, row)
        changes: Row = {"claim": token}
        if row["phase"] == Phase.CHECKING:
            changes |= {"checked": 0, "failed": 0}
        await imports.change(transaction, import_id, changes)
        return {**row, **changes}

    return await settled(lambda: desk.database.write(work, queue=import_id), BulkImport.action)


async def _taken(transaction: Transaction, row: Row) -> Row:
    """The import as it is, under its lock. Raises Overtaken where it is another process's, or not under way."""
    now = await imports.take(transaction, row["id"])
    if now.get("claim") != row["claim"] or now["phase"] != row["phase"] or now["next"] != row["next"]:
        raise Overtaken
    await _renew(transaction, now)
    return now


async def _renew(transaction: Transaction, row: Row) -> None:
    until = clock.to_text(clock.now() + CLAIM)
    if not await operations.change(transaction, row["operation"], [RUNNING], {"dueAt": until}):
        raise Overtaken


async def _ended(transaction: Transaction, row: Row, problems: Sequence[Problem], state: str) -> None:
    operation = (await operations.find(transaction, [row["operation"]]))[row["operation"]]
    await imports.change(transaction, row["id"], {"phase": Phase.ENDED.value})
    await end(transaction, operation, [RUNNING], state, problems)


class _Check:
    """The first walk over all lines: each one is read, placed and judged, and nothing of it takes effect."""

    def __init__(self, desk: Desk, row: Row) -> None:
        self._desk = desk
        self._row = row
        self._columns = read_header(row["header"]) if row["format"] == Format.CSV else None
        self._placing = Placing(row["id"], row["group"], row["lines"])
        self._sketch = Sketch(desk.database)
        self._failed = 0
        self._reasons: list[str] = []
        self._approval: Approval | None = None

    async def run(self, stopped: Callable[[], bool]) -> Row:
        """The import in its next phase, or as it is where it was stopped. Raises Overtaken, Unready."""
        try:
            return await self._run(stopped)
        except Refused as refused:
            return await self._end("FAILED", refused.problems)

    async def _run(self, stopped: Callable[[], bool]) -> Row:
        first = 1
        for number in range(self._row["parts"]):
            if stopped():
                return self._row
            texts = await uploads.part(self._desk.database, self._row["upload"], number)
            if texts is None:
                message = "the upload is kept no longer; send it again"
                raise refuse(ProblemCode.NOT_FOUND, message, "uploadId")
            await self._part(number, first, texts)
            first += len(texts)
        return await self._decided()

    async def _part(self, number: int, first: int, texts: uploads.Lines) -> None:
        rows, lines = list[Row](), list[Line]()
        for place, text in enumerate(texts, first):
            asked = read_line(text, self._columns)
            placed = self._placing.place(place, asked)
            if isinstance(placed, Line):
                lines.append(placed)
            else:
                rows.append(refused_row(place, asked.line_id, placed))
        lot = await self._judged(lines)
        refused_rows = {row["number"]: row for row in lot.rows if "problems" in row}
        for line in lines:
            if line.number in refused_rows:
                self._placing.refuse(line.line_id)
        rows += [refused_rows.get(line.number) or self._kept(line) for line in lines]
        rows.sort(key=lambda row: row["number"])
        failed = len(rows) - lot.succeeded
        self._failed += failed
        self._approval = self._approval or lot.approval
        self._reasons = list(dict.fromkeys([*self._reasons, *lot.reasons]))[:MOST_REASONS]
        await self._save(number, rows, failed, first - 1 + len(texts))

    def _kept(self, line: Line) -> Row:
        return {"number": line.number, "id": line.line_id} if self._row["dryRun"] else line.row()

    async def _judged(self, lines: Sequence[Line]) -> Lot:
        """What would become of the lines; once more for as long as WS2 says of one what was not reckoned with."""
        row = self._row
        viewer = await access.viewer_of_user(self._desk.database, row["user"])
        if viewer is None:
            raise refuse(ProblemCode.FORBIDDEN, "the user who asked for this can no longer sign in")
        answers = Answers(self._desk)
        marks = await _marks(self._desk, lines)
        judge = Judge(self._desk, row["id"], row["operation"], row["group"], viewer, answers, marks, trial=True)
        self._sketch.begin()
        while True:
            lot = await judge.lines(Draft(self._sketch), _trial(row), lines)
            if len(self._sketch) > MOST_GROUPS:
                message = f"an import makes at most {MOST_GROUPS:,} groups; import the rest by another one"
                raise refuse(ProblemCode.LIMIT_EXCEEDED, message)
            if await answers.settle():
                return lot
            self._sketch.back_to(0)
            for line in lines:
                self._sketch.drop(line.made(row["id"]) or "")

    async def _save(self, number: int, rows: Sequence[Row], failed: int, checked: int) -> None:
        async def work(transaction: Transaction) -> None:
            await _taken(transaction, self._row)
            await imports.save_part(transaction, self._row["id"], number, rows, 0, failed)
            await imports.change(transaction, self._row["id"], {"checked": checked, "failed": self._failed})

        await settled(lambda: self._desk.database.write(work, queue=self._row["id"]), BulkImport.action)

    async def _decided(self) -> Row:
        """The import, after all its lines are checked: ended, or in the phase that is next."""
        row = self._row
        stops = self._failed > 0 and (not row["skipInvalid"] or self._failed == row["lines"])
        if row["dryRun"] or stops:
            problem = invalid(
                f"{self._failed:,} of {row['lines']:,} lines have problems; nothing was imported", "uploadId"
            )
            return await self._end("SUCCEEDED" if row["dryRun"] else "FAILED", [] if row["dryRun"] else [problem])
        changes: Row = {"phase": Phase.APPLYING.value}
        if self._approval is not None:
            minutes = self._approval.expires_after.total_seconds()
            account = self._approval.account_id
            told = {"reasons": self._reasons, "expiresAfter": minutes, "askedFor": account}
            changes = {"phase": Phase.APPROVAL.value, **told}

        async def work(transaction: Transaction) -> None:
            await _taken(transaction, row)
            await imports.change(transaction, row["id"], changes)
            # The parts hold all that is still to be done: the upload is not needed any more.
            await uploads.change(transaction, row["upload"], {"expiresAt": clock.to_text(clock.now())})

        await settled(lambda: self._desk.database.write(work, queue=row["id"]), BulkImport.action)
        return {**row, **changes}

    async def _end(self, state: str, problems: Sequence[Problem]) -> Row:
        async def work(transaction: Transaction) -> None:
            await _taken(transaction, self._row)
            await _ended(transaction, self._row, problems, state)

        await settled(lambda: self._desk.database.write(work, queue=self._row["root"]), BulkImport.action)
        return {**self._row, "phase": Phase.ENDED.value}


class _Approval:
    """One approval covers all lines of an import: what any of them needs is asked once, after all are checked."""

    def __init__(self, desk: Desk, row: Row) -> None:
        self._desk = desk
        self._row = row

    async def park(self) -> None:
        """Lets the import wait for a person's decision."""
        row, now = self._row, clock.now()
        command = BulkImport(
            operation_id=row["operationId"],
            group_id=row["group"],
            upload_id=row["upload"],
            dry_run=row["dryRun"],
            skip_invalid=row["skipInvalid"],
        )
        stored = command.model_dump(mode="json")
        data: dict[str, Any] = {"operation": row["operation"], "kind": command.action, "input": stored}
        review = await self._review(data)
        expires = clock.to_text(now + timedelta(seconds=row["expiresAfter"]))
        waiting: Row = {"state": WAITING, "expiresAt": expires, "dueAt": expires, "review": review}

        async def work(transaction: Transaction) -> None:
            await _taken(transaction, row)
            operation = (await operations.find(transaction, [row["operation"]]))[row["operation"]]
            recorder = await take_feed(transaction, operation)
            after = {"state": WAITING, "reasons": row["reasons"]}
            recorder.add("OPERATION_CHANGED", [row["group"]], {"state": RUNNING}, after)
            changes = {**waiting, "input": stored, "reasons": row["reasons"]}
            if not await operations.change(transaction, row["operation"], [RUNNING], changes):
                raise Overtaken
            await recorder.write(transaction)

        await settled(lambda: self._desk.database.write(work, queue=row["root"]), BulkImport.action)

    async def _review(self, data: dict[str, Any]) -> str:
        reason = "; ".join(self._row["reasons"])
        try:
            return await self._desk.protocol.request_review(self._row["askedFor"], reason, data, clock.now())
        except Refused as refused:
            require_ready(refused)
            raise


async def _apply(desk: Desk, row: Row) -> Row:
    """Does the next part; the import as it is then. Raises Overtaken, Unready."""

    async def once() -> Row:
        found = await imports.parts(desk.database, row["id"], [row["next"]])
        kept = found[row["next"]]
        lines = [Line.of(each) for each in kept if "fields" in each]
        marks = await _marks(desk, lines)
        answers = await _asked(desk, row, lines, marks)

        async def work(transaction: Transaction) -> Row:
            return await _Part(desk, row, kept, lines).apply(transaction, answers, marks)

        return await desk.database.write(work, queue=row["root"])

    return await settled(once, BulkImport.action)


async def _asked(desk: Desk, row: Row, lines: Sequence[Line], marks: Marks | None) -> Answers:
    """What WS2 says of the lines, asked before any lock is taken where it does not answer from this process."""
    answers = Answers(desk)
    if desk.protocol.immediate:
        return answers
    viewer = await access.viewer_of_user(desk.database, row["user"])
    if viewer is not None:
        judge = Judge(desk, row["id"], row["operation"], row["group"], viewer, answers, marks, approved=row["approved"])
        settled_all = False
        while not settled_all:
            await judge.lines(Draft(Sketch(desk.database)), _trial(row), lines)
            settled_all = await answers.settle()
    answers.fixed = True
    return answers


class _Part:
    """A part of an import, done in one transaction."""

    def __init__(self, desk: Desk, row: Row, kept: Sequence[Row], lines: Sequence[Line]) -> None:
        self._desk = desk
        self._row = row
        self._kept = kept
        self._lines = lines

    async def apply(self, transaction: Transaction, answers: Answers, marks: Marks | None) -> Row:
        """The import after the part."""
        row = self._row
        await transaction.lock_structures([row["root"]])
        draft = Draft(Sketch(transaction), transaction)
        locked = accounts_of(self._lines)
        if locked:
            rows = await transaction.run(structure.LOCK_ACCOUNTS, ids=locked, token=secrets.token_hex(8))
            draft.memory.learn(accounts.FIND, locked, rows)
        now = await _taken(transaction, row)
        author = journal.Author(row["actor"], BulkImport.action, row["operation"])
        recorder = await journal.take_feed(transaction, row["root"], author)
        # Rights as of the feed's lock: what is revoked by a commit before this one does not count any more.
        viewer = await access.viewer_of_user(transaction, row["user"])
        if viewer is None:
            return await self._stopped(transaction, now)
        judge = Judge(
            self._desk, row["id"], row["operation"], row["group"], viewer, answers, marks, approved=row["approved"]
        )
        lot = await judge.lines(draft, recorder, self._lines)
        return await self._written(transaction, draft, recorder, now, lot)

    async def _written(self, transaction: Transaction, draft: Draft, recorder: Recorder, now: Row, lot: Lot) -> Row:
        row, number = self._row, self._row["next"]
        await draft.write()
        done = {each["number"]: each for each in lot.rows}
        rows = [done.get(each["number"], each) for each in self._kept]
        failed = len(rows) - lot.succeeded
        await imports.save_part(transaction, row["id"], number, rows, lot.succeeded, failed)
        changes: Row = {
            "next": number + 1,
            "succeeded": now["succeeded"] + lot.succeeded,
            "failed": now["failed"] + len(lot.refused),
        }
        if number + 1 == row["parts"]:
            changes["phase"] = Phase.ENDED.value
            await self._end(transaction, recorder, changes)
        await imports.change(transaction, row["id"], changes)
        if recorder.records:
            changed = any(record["kind"] == "CONFIGURED" for record in recorder.records)
            await recorder.write(transaction, changes_policy=changed)
        return {**row, **changes}

    async def _end(self, transaction: Transaction, recorder: Recorder, counts: Row) -> None:
        state = "SUCCEEDED" if counts["succeeded"] else "FAILED"
        after = {"state": state, "succeeded": counts["succeeded"], "failed": counts["failed"]}
        at = recorder.add("OPERATION_CHANGED", [self._row["group"]], {"state": RUNNING}, after)
        problems: list[Problem] = []
        if not counts["succeeded"]:
            problems.append(invalid("no line could be imported", "uploadId"))
        told = [problem_json(problem) for problem in problems]
        ended: Row = {"state": state, "finishedAt": at, "dueAt": None, "problems": told}
        await operations.change(transaction, self._row["operation"], [RUNNING], ended)

    async def _stopped(self, transaction: Transaction, now: Row) -> Row:
        """Cancels the import of a user who can no longer sign in: it may be gone on with once they can."""
        operation = (await operations.find(transaction, [now["operation"]]))[now["operation"]]
        problem = Problem(ProblemCode.FORBIDDEN, "the user who asked for this can no longer sign in")
        await end(transaction, operation, [RUNNING], "CANCELLED", [problem])
        return self._row


async def _marks(desk: Desk, lines: Sequence[Line]) -> Marks | None:
    """The market's date and prices, where a line moves money; one call for all lines. Raises Unready."""
    if not any(line.fields.keys() & {"openingBalance", "amount"} for line in lines):
        return None
    try:
        return await gather_marks(desk, accounts_of(lines))
    except Refused as refused:
        require_ready(refused)
        raise


def _trial(row: Row) -> Recorder:
    """A recorder of what is only judged: its records are written nowhere."""
    head: Row = {"epoch": "", "number": 0, "policy": 0, "hash": NO_HASH, "at": clock.to_text(clock.now())}
    return Recorder(row["root"], head, journal.Author(row["actor"], BulkImport.action, row["operation"]))
