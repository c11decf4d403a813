"""Groups: tenants at the top, and the folders of accounts below them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from graph import clock, groups
from graph.database import Reader, Row, Transaction
from graph.ids import Kind
from graph.journal import Recorder
from graph.structure import Located
from services.commands import Act, Command, Effect, Target
from services.desk import Desk
from services.names import check_name
from services.permissions import Permission
from services.problems import Problem, ProblemCode, refuse
from services.protocol.port import ProtocolOperation, Question

MAX_DEPTH = 2_000


@dataclass(frozen=True, slots=True)
class GroupPlan:
    """Where the new group will stand."""

    id: str
    root: str
    installation: str


class CreateGroup(Command[GroupPlan]):
    """Creates a group under another one, or a tenant of its own where no parent is given."""

    action: ClassVar[str] = "createGroup"
    structural: ClassVar[bool] = True

    name: str
    parent_id: str | None = None

    def targets(self) -> Sequence[Target]:
        if self.parent_id is None:
            return ()
        return (Target(self.parent_id, (Kind.GROUP,), Permission.CREATE, ("parentId",)),)

    def administrative(self) -> bool:
        return self.parent_id is None

    def founds(self) -> bool:
        return self.parent_id is None

    def feed(self, act: Act, desk: Desk) -> str:
        del desk
        return act.new_id(Kind.GROUP) if self.parent_id is None else act.places[self.parent_id].root

    def check(self) -> list[Problem]:
        return check_name(self.name, "name")

    async def plan(self, desk: Desk, reader: Reader, act: Act) -> GroupPlan:
        del reader
        if self.parent_id is not None:
            check_depth(act.places[self.parent_id], 1)
        return GroupPlan(act.new_id(Kind.GROUP), self.feed(act, desk), desk.installation)

    async def questions(self, desk: Desk, act: Act, plan: GroupPlan) -> Sequence[Question]:
        del desk, act
        return (Question(plan.id, ProtocolOperation.CREATE, clock.now(), {"kind": "GROUP", "name": self.name}),)

    async def apply(self, transaction: Transaction, recorder: Recorder, act: Act, plan: GroupPlan) -> Effect:
        del act
        after: Row = {"name": self.name, "parent": self.parent_id}
        at = recorder.add("GROUP_CREATED", [plan.id, *([self.parent_id] if self.parent_id else [])], None, after)
        properties: Row = {
            "id": plan.id,
            "root": plan.root,
            "name": self.name,
            "version": 1,
            "createdAt": at,
            "updatedAt": at,
            "settings": "{}",
            "locks": [],
        }
        await groups.create(transaction, properties, self.parent_id, plan.installation)
        return Effect({"group": plan.id}, plan.id, [plan.id])


def check_depth(parent: Located, levels: int) -> None:
    """Refuses a tree that would become deeper than MAX_DEPTH with so many levels below the parent."""
    depth = len(parent.path) + levels
    if depth > MAX_DEPTH:
        message = f"a tree has at most {MAX_DEPTH} levels; this would make {depth}"
        raise refuse(ProblemCode.LIMIT_EXCEEDED, message, "parentId")
