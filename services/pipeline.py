"""The one way that a mutation takes: once for each operation id, allowed, valid, approved, committed whole."""

from dataclasses import replace
from functools import partial
from typing import Any

from graph import clock, journal, operations, steady, structure
from graph.database import Reader, Row, Transaction
from graph.errors import EngineUnavailable
from graph.ids import Kind, new_id
from graph.journal import Recorder
from graph.turns import Turns
from services import access
from services.commands import Act, Command, Effect, Outdated, check_operation_id
from services.desk import Desk
from services.grouping.committing import MOST_COMMANDS, commit_together
from services.grouping.lane import Lanes
from services.grouping.looking import Looking
from services.judged import Judged, Ready
from services.operations import (
    APPROVED,
    RUNNING,
    WAITING,
    Decided,
    Outcome,
    Start,
    finished,
    named_by,
    new_operation,
    policy_version,
    retold,
)
from services.permissions import Viewer
from services.problems import ProblemCode, Refused, refuse, violation
from services.retrying import settled
from services.verdicts import Approval, ask

MAX_OPERATION_ID = 64


class AlreadyStarted(Exception):
    """Another process was faster to start an approved operation."""


class Pipeline:
    """Performs commands. One is made for each running application."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        # The same operation id, sent several times at once, runs one after the other.
        self._ids = Turns()
        self._looking = Looking(desk.database)
        self._commits: Lanes[Ready, Outcome] = Lanes()

    async def perform(self, viewer: Viewer, command: Command[Any]) -> Outcome:
        """Does what the command asks, once for its operation id; the first outcome where it was done before.

        Raises Refused with every problem; it then had no effect, save that UNAVAILABLE may hide one, which the same
        operation id tells.
        """
        start = Start(new_id(Kind.OPERATION), viewer)

        async def once() -> Outcome:
            nonlocal start
            # A review names its operation; else each try has an id of its own, since one of a withdrawn order is spent.
            start = start if start.reviews else replace(start, operation=new_id(Kind.OPERATION))
            return await self._perform(start, command)

        try:
            async with self._ids.of(operations.key_of(viewer.user_id, command.operation_id)):
                return await settled(once, command.action)
        except EngineUnavailable as error:
            raise refuse(ProblemCode.UNAVAILABLE, "the database does not answer now; try again") from error

    async def _perform(self, start: Start, command: Command[Any]) -> Outcome:
        desk = await self._read_for(start, command) if command.grouped else self.desk
        done = await self._done(desk, start.viewer, command)
        if done is not None:
            return done
        try:
            return await self._first(desk, start, command)
        except Refused:
            # What refuses it may be its own effect, by another process that got the same operation id.
            done = await self._done(self.desk, start.viewer, command)
            if done is None:
                raise
            return done

    async def _read_for(self, start: Start, command: Command[Any]) -> Desk:
        """The desk, over what was read for this command and those that came at the same time."""
        short = len(command.operation_id) <= MAX_OPERATION_ID
        key = operations.key_of(start.viewer.user_id, command.operation_id) if short else None
        reader = await self._looking.of(key, [target.id for target in command.targets()])
        return replace(self.desk, reader=reader)

    async def _first(self, desk: Desk, start: Start, command: Command[Any]) -> Outcome:
        act = Act(start.viewer, start.operation, await self._authorise(desk.reads, start, command))
        problems = [*check_operation_id(command.operation_id), *command.check()]
        if problems:
            raise Refused(*problems, *await command.check_placed(desk.reads))
        judged, approval = await self._judge(desk, command, act)
        if approval is not None:
            require_patience(command, approval)
            return await self._park(start, judged, command, approval)
        outcome = await self._committed(Ready(start, command, judged))
        await command.after(self.desk, outcome.operation)
        return outcome

    async def start(self, operation: Row, command: Command[Any]) -> None:
        """Performs a command that waited and now has its approval.

        Raises Refused where it can no longer be done, and AlreadyStarted where another process was faster.
        """
        await settled(lambda: self._start(operation, command), command.action)

    async def _start(self, operation: Row, command: Command[Any]) -> None:
        if await self._started(operation["id"]):  # by an earlier try, whose answer was lost
            await command.after(self.desk, operation["id"])
            return
        viewer = await access.viewer_of_user(self.desk.database, operation["user"])
        if viewer is None:
            raise refuse(ProblemCode.FORBIDDEN, "the user who asked for this can no longer sign in")
        start = Start(operation["id"], viewer, approval=Decided(operation["decider"], tuple(operation["nodes"])))
        act = Act(viewer, start.operation, await self._authorise(self.desk.database, start, command))
        judged, _ = await self._judge(self.desk, command, act)
        await self._commit(start, command, judged)
        await command.after(self.desk, start.operation)

    async def _done(self, desk: Desk, viewer: Viewer, command: Command[Any]) -> Outcome | None:
        """What became of the operation that this user named with this id before, or None."""
        if len(command.operation_id) > MAX_OPERATION_ID:
            return None
        found = await operations.find_by_key(desk.reads, viewer.user_id, command.operation_id)
        return None if found is None else await self._replay(found, command)

    async def _authorise(self, reader: Reader, start: Start, command: Command[Any]) -> Any:
        places = await access.authorise(reader, start.viewer, command.targets())
        if command.administrative():
            access.require_administrator(start.viewer)
        if start.approval is not None:
            await access.require_decider(reader, start.approval.user, start.approval.nodes)
        return places

    async def _judge(self, desk: Desk, command: Command[Any], act: Act) -> tuple[Judged, Approval | None]:
        """The judgement, once the command's plan holds and WS2 lets it through, and the approval that it needs."""
        act = replace(act, facts=await command.gather(desk, act))
        policy = await journal.policy(desk.reads, command.feed(act, desk))
        plan = await command.plan(desk, desk.reads, act)
        questions = await command.questions(desk, act, plan)
        return Judged(act, policy, questions), await ask(desk.protocol, questions)

    async def _committed(self, ready: Ready) -> Outcome:
        """The outcome of a judged command: in a group with those that wait for the same feed, where it takes part."""
        if not ready.command.grouped:
            return await self._commit(ready.start, ready.command, ready.judged)
        feed = ready.command.feed(ready.judged.act, self.desk)
        return await self._commits.do(feed, ready, partial(commit_together, self.desk, feed), MOST_COMMANDS)

    async def _commit(self, start: Start, command: Command[Any], judged: Judged) -> Outcome:
        feed = command.feed(judged.act, self.desk)

        async def work(transaction: Transaction) -> Outcome:
            await self._lock(transaction, command, judged.act)
            act = replace(judged.act, places=await self._authorise(transaction, start, command))
            plan = await command.plan(self.desk, transaction, act)
            author = journal.Author(act.viewer.username, command.action, start.operation)
            if command.founds():
                await structure.found(transaction, feed)
                await journal.create_feed(transaction, feed)
            recorder = await journal.take_feed(transaction, feed, author)
            viewer = await self._again(transaction, start.viewer)
            if viewer != act.viewer or start.approval is not None or recorder.policy != judged.policy:
                act, plan = await self._planned_again(transaction, replace(start, viewer=viewer), command, judged)
            effect = await command.apply(transaction, recorder, act, plan)
            await self._save(transaction, start, command, effect, recorder)
            await recorder.write(transaction, changes_policy=command.changes_policy())
            return Outcome(start.operation, effect.payload)

        if not command.moves:
            return await self.desk.database.write(work, queue=feed)
        async with steady.announced(self.desk.database, feed):
            return await self.desk.database.write(work, queue=feed)

    async def _planned_again(
        self, transaction: Transaction, start: Start, command: Command[Any], judged: Judged
    ) -> tuple[Act, Any]:
        """The act and its plan by rights and settings that may have changed, and cannot again: the feed is held now.

        Raises Outdated where WS2 would be asked something else.
        """
        places = await self._authorise(transaction, start, command)
        act = replace(judged.act, viewer=start.viewer, places=places)
        plan = await command.plan(self.desk, transaction, act)
        if not judged.stands(await command.questions(self.desk, act, plan)):
            raise Outdated
        return act, plan

    async def _again(self, transaction: Transaction, viewer: Viewer) -> Viewer:
        now = await access.viewer_now(transaction, viewer)
        if now is None:
            raise refuse(ProblemCode.UNAUTHENTICATED, "sign in again")
        return now

    async def _lock(self, transaction: Transaction, command: Command[Any], act: Act) -> None:
        roots = command.structures(act, self.desk)
        if roots:
            await transaction.lock_structures(roots)
        if command.moves and not await steady.still_announced(transaction, command.feed(act, self.desk)):
            raise Outdated
        await structure.lock_accounts(transaction, command.locks(), act.operation)

    async def _save(
        self, transaction: Transaction, start: Start, command: Command[Any], effect: Effect, recorder: Recorder
    ) -> None:
        outcome = finished(effect)
        if start.approval is not None:
            outcome["policy"] = policy_version(recorder.policy)
            if not await operations.change(transaction, start.operation, [APPROVED], outcome):
                raise AlreadyStarted
            return
        new = new_operation(start, command, recorder.feed, named_by(command, effect), recorder.policy)
        await operations.create(transaction, new | outcome)

    async def _park(self, start: Start, judged: Judged, command: Command[Any], approval: Approval) -> Outcome:
        review = await self._review(start, command, approval)
        feed = command.feed(judged.act, self.desk)
        names = [target.id for target in command.targets()]

        async def work(transaction: Transaction) -> Outcome:
            author = journal.Author(start.viewer.username, command.action, start.operation)
            recorder = await journal.take_feed(transaction, feed, author)
            viewer = await self._again(transaction, start.viewer)
            await self._authorise(transaction, replace(start, viewer=viewer), command)
            recorder.add("OPERATION_CHANGED", names, None, {"state": WAITING, "reasons": list(approval.reasons)})
            expires = clock.to_text(clock.now() + approval.expires_after)
            waiting: Row = {"state": WAITING, "expiresAt": expires, "dueAt": expires, "review": review, "payload": {}}
            stored = {"input": command.model_dump(mode="json"), "reasons": list(approval.reasons)}
            new = new_operation(start, command, feed, names, judged.policy)
            await operations.create(transaction, new | waiting | stored)
            await recorder.write(transaction)
            return Outcome(start.operation, {})

        return await self.desk.database.write(work, queue=feed)

    async def _review(self, start: Start, command: Command[Any], approval: Approval) -> str:
        """The id of the review that this asks for; one of an earlier try stands, since a review is not asked twice."""
        if approval not in start.reviews:
            data = {"operation": start.operation, "kind": command.action, "input": command.model_dump(mode="json")}
            reason = "; ".join(approval.reasons)
            review = await self.desk.protocol.request_review(approval.account_id, reason, data, clock.now())
            start.reviews[approval] = review
        return start.reviews[approval]

    async def _started(self, operation: str) -> bool:
        found = await operations.find(self.desk.database, [operation])
        return operation in found and found[operation]["state"] != APPROVED

    async def _replay(self, found: Row, command: Command[Any]) -> Outcome:
        outcome = retold(found, command)
        if found["state"] == RUNNING:
            await command.after(self.desk, found["id"])
        return outcome


def require_patience(command: Command[Any], approval: Approval) -> None:
    """Refuses what a person would have to approve, where the command cannot wait for that."""
    if command.waits:
        return
    message = f"this would have to wait for a person's approval, which it cannot: {'; '.join(approval.reasons)}"
    raise violation(message, rule="APPROVAL", current="at once", required="approved")
