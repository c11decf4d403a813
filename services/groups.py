"""Groups: tenants at the top, and the folders of accounts below them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from graph import clock, groups
from graph.database import Reader, Row, Transaction
from graph.ids import Kind
from graph.journal import Recorder
from graph.structure import Located
from services.accounts import require_version
from services.commands import Act, Command, Effect, Target
from services.desk import Desk
from services.founding import NewNode
from services.names import MAX_TEXT, check_name, check_text
from services.permissions import Permission
from services.problems import Problem, ProblemCode, refuse, violation
from services.protocol.port import ProtocolOperation, Question

MAX_DEPTH = 2_000


@dataclass(frozen=True, slots=True)
class GroupPlan:
    """Where the new group will stand."""

    id: str
    root: str
    installation: str


class CreateGroup(NewNode[GroupPlan]):
    """Creates a group under another one, or a tenant of its own where no parent is given."""

    action: ClassVar[str] = "createGroup"
    makes: ClassVar[Kind] = Kind.GROUP
    waits: ClassVar[bool] = False

    name: str

    def targets(self) -> Sequence[Target]:
        if self.parent_id is None:
            return ()
        return (Target(self.parent_id, (Kind.GROUP,), Permission.CREATE, ("parentId",)),)

    def check(self) -> list[Problem]:
        return check_name(self.name, "name")

    async def plan(self, desk: Desk, reader: Reader, act: Act) -> GroupPlan:
        if self.parent_id is not None:
            check_depth(act.places[self.parent_id], 1)
            require_open((await groups.find(reader, [self.parent_id]))[self.parent_id], "parentId")
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


class ChangeGroup(Command[Row]):
    """A change of a group that the caller saw at a version. The plan is the group as it stands."""

    id: str
    version: int

    def targets(self) -> Sequence[Target]:
        return (Target(self.id, (Kind.GROUP,), Permission.UPDATE, ("id",)),)

    async def plan(self, desk: Desk, reader: Reader, act: Act) -> Row:
        del desk, act
        group = (await groups.find(reader, [self.id]))[self.id]
        require_version(group, self.version)
        require_open(group, "id")
        await self.judge(reader)
        return group

    async def judge(self, reader: Reader) -> None:
        """Refuses what this change may not do."""

    def change(self) -> dict[str, Any]:
        """What the protocol engine is told of the change."""
        raise NotImplementedError

    async def questions(self, desk: Desk, act: Act, plan: Row) -> Sequence[Question]:
        del desk, act
        facts = {"kind": "GROUP", "name": plan["name"], **self.change()}
        return (Question(self.id, ProtocolOperation.UPDATE, clock.now(), facts),)

    async def write(self, transaction: Transaction, recorder: Recorder, before: Row, after: Row) -> Effect:
        """Writes the changed properties with the next version, and records them."""
        version = self.version + 1
        at = recorder.add(
            "GROUP_UPDATED", [self.id], {**before, "version": self.version}, {**after, "version": version}
        )
        kept = {name: value for name, value in after.items() if name != "reason"}
        await groups.change(transaction, self.id, **kept, version=version, updatedAt=at)
        return Effect({"group": self.id}, self.id, [self.id])


class UpdateGroup(ChangeGroup):
    """Renames a group."""

    action: ClassVar[str] = "updateGroup"
    structural: ClassVar[bool] = True
    name: str

    def check(self) -> list[Problem]:
        return check_name(self.name, "name")

    def change(self) -> dict[str, Any]:
        return {"newName": self.name}

    async def apply(self, transaction: Transaction, recorder: Recorder, act: Act, plan: Row) -> Effect:
        del act
        return await self.write(transaction, recorder, {"name": plan["name"]}, {"name": self.name})


class CloseGroup(ChangeGroup):
    """Closes a group for good: nothing open is in it, nothing comes into it, and it stays where it is to be read."""

    action: ClassVar[str] = "closeGroup"
    structural: ClassVar[bool] = True
    reason: str

    def check(self) -> list[Problem]:
        return check_text(self.reason, MAX_TEXT, "reason")

    async def judge(self, reader: Reader) -> None:
        if await groups.has_open_child(reader, self.id):
            message = "a group can be closed once all accounts and groups in it are closed or moved away"
            raise violation(message, "id", rule="GROUP_EMPTY", current="open accounts or groups", required="none")

    def change(self) -> dict[str, Any]:
        return {"close": True, "reason": self.reason}

    async def apply(self, transaction: Transaction, recorder: Recorder, act: Act, plan: Row) -> Effect:
        del act, plan
        closed = {"closedAt": recorder.next_at(), "reason": self.reason}
        return await self.write(transaction, recorder, {"closedAt": None}, closed)


def require_open(group: Row, *path: str) -> None:
    """Raises RULE_VIOLATION for a closed group, which nothing changes and nothing enters any more."""
    if group["closedAt"] is not None:
        message = "the group is closed; nothing in it can change any more"
        raise violation(message, *path, rule="GROUP_OPEN", current="closed", required="open")


async def require_open_home(reader: Reader, template: Located, *path: str) -> None:
    """Raises RULE_VIOLATION for a template of a closed group, which changes no more and gets no new users."""
    home = template.path[1]
    require_open((await groups.find(reader, [home]))[home], *path)


def check_depth(parent: Located, levels: int) -> None:
    """Refuses a tree that would become deeper than MAX_DEPTH with so many levels below the parent."""
    depth = len(parent.path) + levels
    if depth > MAX_DEPTH:
        message = f"a tree has at most {MAX_DEPTH} levels; this would make {depth}"
        raise refuse(ProblemCode.LIMIT_EXCEEDED, message, "parentId")
