"""Lines of an import, each judged by its commands' own rules on what the lines before it left."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from graph import journal
from graph.database import Row
from graph.drafting import Draft
from graph.ids import Kind, following
from graph.journal import Recorder
from graph.structure import Located, locate
from services import access
from services.commands import Outdated, Target
from services.desk import Desk
from services.importing.lines import Line, LineAct, Step, parent_refused
from services.judged import Judged
from services.ledger import Deposit
from services.operations import problem_json
from services.permissions import Viewer
from services.problems import Problem, ProblemCode, Refused, refuse, violation
from services.protocol.port import Question
from services.settings.json_limits import MAX_PROBLEMS
from services.valuation import Marks
from services.verdicts import Approval, ask

ASKED_AT_ONCE = 16
_TURN = 16
Answer = Approval | Refused | None


class Unready(Exception):
    """Something that lines are judged by does not answer now: WS2, or the market's date. Nothing was done."""


@dataclass(slots=True)
class Answers:
    """What WS2 says of lines, by their numbers: asked at once where it answers from this process, else beforehand."""

    desk: Desk
    known: dict[int, tuple[Judged, Answer]] = field(default_factory=dict[int, tuple[Judged, Answer]])
    unknown: dict[int, Judged] = field(default_factory=dict[int, Judged])
    fixed: bool = False
    """Whether what was not asked before may not be asked now."""

    async def of(self, number: int, judged: Judged) -> Approval | None:
        """The approval that a line needs, or None. Raises Refused, and Outdated where something else is to be asked."""
        if self.desk.protocol.immediate:
            return await ask(self.desk.protocol, judged.questions)
        known = self.known.get(number)
        if known is None or not known[0].stands(judged.questions):
            if self.fixed:
                raise Outdated
            self.unknown[number] = judged
            return None
        if isinstance(known[1], Refused):
            raise known[1]
        return known[1]

    async def settle(self) -> bool:
        """Asks what is not known yet; whether nothing was unknown. Raises Unready."""
        asked, self.unknown = self.unknown, {}
        slots = asyncio.Semaphore(ASKED_AT_ONCE)

        async def one(judged: Judged) -> Answer:
            async with slots:
                try:
                    return await ask(self.desk.protocol, judged.questions)
                except Refused as refused:
                    require_ready(refused)
                    return refused

        answers = await asyncio.gather(*(one(judged) for judged in asked.values()))
        self.known |= {number: (asked[number], found) for number, found in zip(asked, answers, strict=True)}
        return not asked


@dataclass(slots=True)
class Lot:
    """What became of some lines: how many were done and refused, each one's row, and why a person has to approve."""

    rows: list[Row] = field(default_factory=list[Row])
    succeeded: int = 0
    refused: list[int] = field(default_factory=list[int])
    reasons: list[str] = field(default_factory=list[str])
    approval: Approval | None = None


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges lines of one import, in the name of who asked for it."""

    desk: Desk
    import_id: str
    operation: str
    group: str
    viewer: Viewer
    answers: Answers
    marks: Marks | None
    approved: bool | None = None
    """Whether a person approved the import; None where that is not asked for yet."""
    trial: bool = False
    """Whether nothing will take effect: what no line after it can see is then not worked out."""

    async def lines(self, draft: Draft, recorder: Recorder, lines: Sequence[Line]) -> Lot:
        """What becomes of the lines, one after the other; other work has its turn between. Raises Unready, Outdated."""
        lot = Lot()
        await self._read(draft, lines)
        for index, line in enumerate(lines):
            if index % _TURN == _TURN - 1:
                await asyncio.sleep(0)
            try:
                await self._line(draft, recorder, line, lot)
            except Refused as refused:
                require_ready(refused)
                draft.forget()
                lot.refused.append(line.number)
                lot.rows.append(refused_row(line.number, line.line_id, refused.problems))
        return lot

    async def _read(self, draft: Draft, lines: Sequence[Line]) -> None:
        """Reads at once where the lines' parents and named nodes stand."""
        names = [name for line in lines for name in (line.fields.get("parentId"), line.named()) if name is not None]
        await locate(draft, dict.fromkeys(names))

    async def _line(self, draft: Draft, recorder: Recorder, line: Line, lot: Lot) -> None:
        draft.begin()
        branch = recorder.branch(journal.Author(self.viewer.username, "bulkImport", self.operation))
        ulid = following(self.import_id, line.number)
        asked: list[Question] = []
        for step in line.steps(self.import_id):
            try:
                asked += await self._step(draft, branch, line, step, ulid)
            except Refused as refused:
                raise _of_line(refused, line, step) from None
        approval = await self.answers.of(line.number, Judged(LineAct(self.viewer, self.operation, {}), 0, asked))
        if approval is not None:
            self._need(lot, approval)
        draft.keep()
        recorder.join(branch)
        lot.succeeded += 1
        lot.rows.append({"number": line.number, "id": line.line_id, "node": line.made(self.import_id) or line.named()})

    async def _step(self, draft: Draft, recorder: Recorder, line: Line, step: Step, ulid: str) -> Sequence[Question]:
        command = step.command
        targets = command.targets()
        places = await access.authorise(draft, self.viewer, targets)
        self._require_below(targets, places)
        problems = command.check()
        if problems:
            raise Refused(*problems, *await command.check_placed(draft))
        act = LineAct(self.viewer, self.operation, places, self.marks, ulid)
        desk = replace(self.desk, reader=draft)
        plan = await command.plan(desk, draft, act)
        questions = await command.questions(desk, act, plan)
        if not (self.trial and isinstance(command, Deposit)):
            await command.apply(draft, recorder, act, plan)
        return questions

    def _require_below(self, targets: Sequence[Target], places: Mapping[str, Located]) -> None:
        """Refuses what changes a node outside of the import's group; a template is only read, and may be above."""
        for target in targets:
            place = places[target.id]
            if place.kind is not Kind.TEMPLATE and self.group not in place.path:
                raise refuse(ProblemCode.NOT_FOUND, "nothing in the import's group has this id", *target.path)

    def _need(self, lot: Lot, approval: Approval) -> None:
        if self.approved is None:
            lot.approval = lot.approval or approval
            lot.reasons += [reason for reason in approval.reasons if reason not in lot.reasons]
        elif not self.approved:
            message = f"this needs a person's approval, which the import did not have: {'; '.join(approval.reasons)}"
            raise violation(message, rule="APPROVAL", current="not approved", required="approved")


def require_ready(refused: Refused) -> None:
    """Raises Unready where the refusal is not of what is asked, but of what does not answer."""
    if any(problem.code is ProblemCode.UNAVAILABLE for problem in refused.problems):
        raise Unready(str(refused)) from refused


def refused_row(number: int, line_id: str | None, problems: Sequence[Problem]) -> Row:
    """A line that is not done, with its problems, as its part keeps it."""
    told = [problem_json(problem) for problem in problems[:MAX_PROBLEMS]]
    return {"number": number, "id": line_id, "problems": told}


def _of_line(refused: Refused, line: Line, step: Step) -> Refused:
    """The refusal of a command, by the names of the line's own fields."""
    problems = [_renamed(problem, step.fields) for problem in refused.problems]
    missing = any(found.code is ProblemCode.NOT_FOUND and found.path == ("parentId",) for found in problems)
    if line.below is not None and missing:
        return Refused(parent_refused(line.below))
    return Refused(*problems)


def _renamed(problem: Problem, fields: Mapping[str, str]) -> Problem:
    if not problem.path or problem.path[0] not in fields:
        return problem
    name = fields[problem.path[0]]
    message = problem.message
    if message.startswith(problem.path[0]):
        message = name + message.removeprefix(problem.path[0])
    return replace(problem, message=message, path=(name, *problem.path[1:]))


def accounts_of(lines: Sequence[Line]) -> list[str]:
    """The accounts that are there and whose money or own values the lines change, each once, in order of id."""
    named: dict[str, Any] = {name: None for line in lines if (name := line.named()) and name.startswith(Kind.ACCOUNT)}
    return sorted(named)
