"""Decisions by a person over operations that wait for one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import structlog

from graph import clock, operations
from graph.database import Reader, Row, Transaction
from graph.errors import GraphError
from graph.journal import Recorder
from graph.structure import locate
from services.access import NOT_FOUND_MESSAGE, require
from services.commands import Act, Command, Effect, Target
from services.desk import Desk
from services.names import MAX_TEXT, check_text
from services.operations import APPROVED, WAITING, end_operation, problem_json
from services.permissions import Permission
from services.pipeline import AlreadyStarted, Outcome, Pipeline
from services.problems import Problem, ProblemCode, Refused, refuse, rule_violation
from services.registry import restored

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Decision:
    """The operation that is decided, as it stands."""

    target: Row


class DecideOperation(Command[Decision]):
    """Approves or rejects an operation of somebody else."""

    action: ClassVar[str] = "decideOperation"
    target_operation_id: str
    approve: bool
    reason: str

    def targets(self) -> Sequence[Target]:
        return ()

    def feed(self, act: Act, desk: Desk) -> str:
        return act.facts["root"] if act.facts else desk.installation

    async def gather(self, desk: Desk, act: Act) -> Row:
        return await self._visible(desk.database, act)

    async def plan(self, desk: Desk, reader: Reader, act: Act) -> Decision:
        del desk
        target = await self._visible(reader, act)
        places = await locate(reader, target["nodes"])
        for node in target["nodes"]:
            if node in places:
                require(act.viewer, Permission.DECIDE, places[node].path, ("targetOperationId",))
        if target["user"] == act.viewer.user_id:
            message = "somebody else than the requester must decide this"
            raise refuse(ProblemCode.FORBIDDEN, message, "targetOperationId")
        problems = check_text(self.reason, MAX_TEXT, "reason")
        if problems:
            raise Refused(*problems)
        if target["state"] != WAITING:
            message = f"the operation waits for no decision; it is {target['state']}"
            raise refuse(ProblemCode.CONFLICT, message, "targetOperationId")
        if target["expiresAt"] <= clock.to_text(clock.now()):
            raise refuse(
                ProblemCode.CONFLICT, "the review has expired; ask for the operation anew", "targetOperationId"
            )
        return Decision(target)

    async def apply(self, transaction: Transaction, recorder: Recorder, act: Act, plan: Decision) -> Effect:
        target = plan.target["id"]
        decision: Row = {"decidedBy": act.viewer.username, "decisionReason": self.reason}
        state = APPROVED if self.approve else "REJECTED"
        after = {"state": state, **decision, "decider": act.viewer.user_id}
        at = recorder.add("OPERATION_CHANGED", plan.target["nodes"], {"state": WAITING}, {"operation": target, **after})
        due = at if self.approve else None
        ended: Row = {} if self.approve else {"finishedAt": at, "problems": [problem_json(_rejected(self.reason))]}
        if not await operations.change(transaction, target, [WAITING], {**after, "dueAt": due, **ended}):
            raise refuse(ProblemCode.CONFLICT, "the operation was decided or has expired", "targetOperationId")
        return Effect({"decided": target}, target, plan.target["nodes"])

    async def _visible(self, reader: Reader, act: Act) -> Row:
        found = (await operations.find(reader, [self.target_operation_id])).get(self.target_operation_id)
        if found is not None:
            places = await locate(reader, found["nodes"])
            if act.viewer.administrator or any(act.viewer.sees(place.path) for place in places.values()):
                return found
        raise refuse(ProblemCode.NOT_FOUND, NOT_FOUND_MESSAGE, "targetOperationId")


def _rejected(reason: str) -> Problem:
    return rule_violation("APPROVAL", f"a person rejected this: {reason}", "rejected", "approved")


async def start_approved(pipeline: Pipeline, target_id: str) -> None:
    """Performs an operation that was approved; any process may, again, until it ended or began."""
    found = (await operations.find(pipeline.desk.database, [target_id])).get(target_id)
    if found is None or found["state"] != APPROVED:
        return
    try:
        await pipeline.start(found, restored(found))
    except AlreadyStarted:
        _log.info("operation_already_started", operation=target_id)
    except Refused as refused:
        if any(problem.code is ProblemCode.UNAVAILABLE for problem in refused.problems):
            _log.warning("approved_operation_waits", operation=target_id)
            return
        await end_operation(pipeline.desk, found, [APPROVED], "FAILED", _kept(found, refused.problems))
    except GraphError:
        _log.warning("approved_operation_waits", operation=target_id)


def _kept(operation: Row, problems: Sequence[Problem]) -> list[Problem]:
    """The problems without what a reader of the operation may not see, who sees one of its nodes at least."""
    several = len(operation["nodes"]) > 1
    return [
        replace(problem, message="less is available than this takes", details={})
        if several and problem.code is ProblemCode.INSUFFICIENT_FUNDS
        else problem.for_all()
        for problem in problems
    ]


async def decide(pipeline: Pipeline, viewer: Any, command: DecideOperation) -> Outcome:
    """Decides, and starts what was approved, so that the answer shows the state after it. Raises Refused."""
    outcome = await pipeline.perform(viewer, command)
    if command.approve:
        await start_approved(pipeline, command.target_operation_id)
    return outcome
