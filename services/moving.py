"""Moves of accounts and groups in the tree."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from graph import clock, groups, moves, positions, settings
from graph.database import Reader, Row, Transaction
from graph.ids import Kind, kind_of
from graph.journal import Recorder
from services.accounts import question_of, require_not_closed, require_one_tenant
from services.commands import Act, Command, Effect, Target
from services.descendants import height, metadata_faults, named, subtree
from services.desk import Desk
from services.effective import Inherited, inherited
from services.groups import check_depth, require_open
from services.names import MAX_TEXT, check_text
from services.permissions import Permission
from services.problems import Problem, Refused, invalid, violation
from services.prospect import prospect_of, same_above
from services.protocol.port import ProtocolOperation, Question
from services.settings.metadata import check_against
from services.settings.subtree import check_subtree

FIELD = "parentId"


@dataclass(frozen=True, slots=True)
class Moved:
    """The node as it stands. With an account go its cash (minor units) and its positions: symbols and quantities."""

    row: Row
    kind: Kind
    parent: str
    carried: Row = field(default_factory=Row)


class Move(Command[Moved]):
    """Moves an account or a group under another group of its tenant, never into its own subtree.

    It needs the right to move on the node and on the group that it comes into.
    """

    action: ClassVar[str] = "move"
    structural: ClassVar[bool] = True
    moves: ClassVar[bool] = True

    id: str
    parent_id: str
    rationale: str

    def targets(self) -> Sequence[Target]:
        return (
            Target(self.id, (Kind.GROUP, Kind.ACCOUNT), Permission.MOVE, ("id",)),
            Target(self.parent_id, (Kind.GROUP,), Permission.MOVE, (FIELD,)),
        )

    def changes_policy(self) -> bool:
        return True

    def locks(self) -> Sequence[str]:
        return (self.id,) if kind_of(self.id) is Kind.ACCOUNT else ()

    def check(self) -> list[Problem]:
        return check_text(self.rationale, MAX_TEXT, "rationale")

    async def plan(self, desk: Desk, reader: Reader, act: Act) -> Moved:
        del desk
        place, parent = act.places[self.id], act.places[self.parent_id]
        require_one_tenant(place.root, parent.root, FIELD)
        if len(place.path) == 1:
            raise violation(
                "a tenant's root does not move", "id", rule="NOT_ROOT", current="root", required="below one"
            )
        if place.id in parent.path:
            raise Refused(invalid("parentId must not name the group itself or one below it", FIELD))
        if place.path[1] == parent.id:
            raise Refused(invalid("parentId must name another group than the one that it is in already", FIELD))
        check_depth(parent, 1)
        require_open((await groups.find(reader, [parent.id]))[parent.id], FIELD)
        old, new = await inherited(reader, place.path[1:]), await inherited(reader, parent.path)
        plan = self._plan_group if place.kind is Kind.GROUP else self._plan_account
        return await plan(reader, act, old, new)

    async def _plan_account(self, reader: Reader, act: Act, old: Inherited, new: Inherited) -> Moved:
        row, prospect = await prospect_of(reader, act.places[self.id])
        require_not_closed(row, "id")
        problems = replace(prospect, above=new).problems((), FIELD)
        problems += _at_parent(check_against(_metadata(row), _added(old, new)))
        if problems:
            raise Refused(*problems)
        held = (await positions.of_accounts(reader, [self.id]))[self.id]
        carried: Row = {"cash": row["cash"], "positions": [[one["symbol"], one["quantity"]] for one in held]}
        return Moved(row, Kind.ACCOUNT, act.places[self.id].path[1], carried)

    async def _plan_group(self, reader: Reader, act: Act, old: Inherited, new: Inherited) -> Moved:
        place, parent = act.places[self.id], act.places[self.parent_id]
        row = (await groups.find(reader, [self.id]))[self.id]
        require_open(row, "id")
        deeper, other = len(parent.path) >= len(place.path), not same_above(old, new)
        if deeper or other:
            nodes = await subtree(reader, self.id)
            check_depth(parent, height(nodes, self.id))
            faults = check_subtree(nodes, new.levels, new.locked, path=(FIELD,)) if other else ()
            problems = await named(reader, act.viewer, faults, self.id)
            if not problems and _added(old, new):
                found = await metadata_faults(reader, self.id, _added(old, new), FIELD)
                problems = await named(reader, act.viewer, found, self.id)
            if problems:
                raise Refused(*_at_parent(problems))
        return Moved(row, Kind.GROUP, place.path[1])

    async def questions(self, desk: Desk, act: Act, plan: Moved) -> Sequence[Question]:
        more: dict[str, Any] = {"parent": self.parent_id, "rationale": self.rationale}
        operation = ProtocolOperation.UPDATE
        if plan.kind is Kind.ACCOUNT:
            return (await question_of(desk, act, plan.row, operation, **more),)
        return (Question(self.id, operation, clock.now(), {"kind": "GROUP", "name": plan.row["name"], **more}),)

    async def apply(self, transaction: Transaction, recorder: Recorder, act: Act, plan: Moved) -> Effect:
        del act
        version = plan.row["version"]
        before: Row = {"parent": plan.parent, "version": version}
        after: Row = {"parent": self.parent_id, "version": version + 1, "rationale": self.rationale, **plan.carried}
        at = recorder.add("MOVED", [self.id, plan.parent, self.parent_id], before, after)
        await moves.move(transaction, self.id, plan.kind, self.parent_id, at)
        return Effect({"node": self.id}, self.id, [self.id])


def _added(old: Inherited, new: Inherited) -> list[Any]:
    """The metadata schemas that come to hold."""
    return [schema for schema in new.schemas if schema not in old.schemas]


def _metadata(account: Row) -> Any:
    return settings.loads(account["metadata"])


def _at_parent(problems: Sequence[Problem]) -> list[Problem]:
    """The problems as ones of the new parent: the caller gave no setting or metadata that they could name."""
    return [replace(problem, path=(FIELD,)) for problem in problems]
