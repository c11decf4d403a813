"""Commits commands of one feed in one transaction, in their order, with an outcome for each.

The transaction takes the locks of all their accounts and the feed, and then reads once what all of them depend on. Each
command is planned and applied on what those before it left; what it writes is kept in memory until all had their turn.
So one that is refused leaves nothing behind, and the number of statements does not grow with the commands.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from graph import operations
from graph.database import Row, Transaction
from graph.journal import Author, Recorder
from graph.unit import Unit
from graph.users import Session
from services import access
from services.commands import Act, Outdated
from services.desk import Desk
from services.judged import Ready
from services.operations import Outcome, finished, named_by, new_operation, retold
from services.permissions import Viewer
from services.problems import ProblemCode, Refused, refuse

MOST_COMMANDS = 64


async def commit_together(desk: Desk, feed: str, commands: Sequence[Ready]) -> list[Outcome | Exception]:
    """Commits judged commands of one feed: for each its outcome, or why it was Refused or Outdated (no effect).

    Raises, for all of them, EngineUnavailable (no effect), CommitUnknown (an effect or none, which each operation id
    tells), or what nobody expects (no effect); `together` finds out of which command that is.
    """

    async def work(transaction: Transaction) -> list[Outcome | Exception]:
        return await _Group(desk, feed, commands).commit(transaction)

    return await desk.database.write(work, queue=feed)


@dataclass(slots=True)
class _Standing:
    """What the commands of a group stand on, read under their locks."""

    recorder: Recorder
    viewers: dict[Session, Viewer]
    done: dict[str, Row]
    """The operations that are there by their keys: those of this group too, one after the other."""

    def changed(self, one: Ready) -> bool:
        """Whether other rights or settings may hold than when the command was judged."""
        return one.judged.policy != self.recorder.policy or one.judged.act.viewer != self.viewers.get(_session(one))


class _Group:
    """Commands in one transaction."""

    def __init__(self, desk: Desk, feed: str, commands: Sequence[Ready]) -> None:
        self._desk = desk
        self._feed = feed
        self._commands = commands

    async def commit(self, transaction: Transaction) -> list[Outcome | Exception]:
        """The outcome of each command, or its refusal, once all is written; the commit itself follows."""
        unit = Unit(transaction)
        named = list(dict.fromkeys(node for one in self._commands for node in one.command.locks()))
        keys = list(dict.fromkeys(one.key for one in self._commands))
        taken = await unit.take(named, self._feed, {_session(one) for one in self._commands}, keys)
        recorder = Recorder(self._feed, taken.head, Author("", "", None))
        standing = _Standing(recorder, access.viewers_of(taken.sessions), taken.operations)
        if any(standing.changed(one) for one in self._commands):
            await unit.read_settings(named)
        outcomes = [await self._outcome(unit, standing, one) for one in self._commands]
        await unit.write(recorder)
        return outcomes

    async def _outcome(self, unit: Unit, standing: _Standing, one: Ready) -> Outcome | Exception:
        known = standing.done.get(one.key)
        try:
            return await self._perform(unit, standing, one) if known is None else retold(known, one.command)
        except (Refused, Outdated) as error:
            return error

    async def _perform(self, unit: Unit, standing: _Standing, one: Ready) -> Outcome:
        viewer = standing.viewers.get(_session(one))
        if viewer is None:
            raise refuse(ProblemCode.UNAUTHENTICATED, "sign in again")
        unit.begin()
        act, plan = await self._planned(unit, standing, one, viewer)
        author = Author(viewer.username, one.command.action, one.start.operation)
        recorder = standing.recorder.branch(author)
        effect = await one.command.apply(unit, recorder, act, plan)
        new = new_operation(one.start, one.command, self._feed, named_by(one.command, effect), recorder.policy)
        row = new | finished(effect)
        await operations.create(unit, row)
        await unit.keep()
        standing.recorder.join(recorder)
        standing.done[one.key] = row
        return Outcome(one.start.operation, effect.payload, operations.as_read(row))

    async def _planned(self, unit: Unit, standing: _Standing, one: Ready, viewer: Viewer) -> tuple[Act, Any]:
        """The act by the rights of now, and its plan. Raises Outdated where WS2 would be asked something else."""
        places = await access.authorise(unit, viewer, one.command.targets())
        act = replace(one.judged.act, viewer=viewer, places=places)
        desk = replace(self._desk, reader=unit)
        plan = await one.command.plan(desk, unit, act)
        changed = standing.changed(one)
        if changed and not one.judged.stands(await one.command.questions(desk, act, plan)):
            raise Outdated
        return act, plan


def _session(one: Ready) -> Session:
    return one.start.viewer.user_id, one.start.viewer.session_id
