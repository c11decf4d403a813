"""Templates: settings that accounts share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from graph import clock, groups, settings, templates
from graph.database import Reader, Row, Transaction
from graph.ids import Kind
from graph.journal import Recorder
from services.accounts import require_version
from services.commands import Act, Command, Effect, Target
from services.desk import Desk
from services.groups import require_open, require_open_home
from services.names import check_name
from services.partial import JsonInput
from services.permissions import Permission
from services.problems import Problem, Refused, invalid
from services.protocol.port import ProtocolOperation, Question
from services.settings.resolution import apply_changes
from services.settings.validation import check_changes, check_own


@dataclass(frozen=True, slots=True)
class NewTemplate:
    """The template's id, its group and tenant, and its settings by key."""

    id: str
    parent: str
    root: str
    values: dict[str, Any]


class CreateTemplate(Command[NewTemplate]):
    """Creates a template in a group. How its settings go with others is checked where an account uses it."""

    action: ClassVar[str] = "createTemplate"
    structural: ClassVar[bool] = True
    waits: ClassVar[bool] = False

    name: str
    parent_id: str | None = None
    settings: JsonInput

    def targets(self) -> Sequence[Target]:
        if self.parent_id is None:
            return ()
        return (Target(self.parent_id, (Kind.GROUP,), Permission.CREATE, ("parentId",)),)

    def check(self) -> list[Problem]:
        problems = [*check_name(self.name, "name"), *check_changes(self.settings)[1]]
        if self.parent_id is None:
            problems.append(invalid("parentId must name the group that the template belongs to", "parentId"))
        return problems

    async def plan(self, desk: Desk, reader: Reader, act: Act) -> NewTemplate:
        del desk
        assert self.parent_id is not None, "check comes first"
        require_open((await groups.find(reader, [self.parent_id]))[self.parent_id], "parentId")
        values, _ = check_changes(self.settings)
        problems = check_own(apply_changes({}, values, clock.to_text(clock.now())))
        if problems:
            raise Refused(*problems)
        return NewTemplate(act.new_id(Kind.TEMPLATE), self.parent_id, act.places[self.parent_id].root, values)

    async def questions(self, desk: Desk, act: Act, plan: NewTemplate) -> Sequence[Question]:
        del desk, act
        facts = {"kind": "TEMPLATE", "name": self.name, "settings": plan.values}
        return (Question(plan.id, ProtocolOperation.CREATE, clock.now(), facts),)

    async def apply(self, transaction: Transaction, recorder: Recorder, act: Act, plan: NewTemplate) -> Effect:
        del act
        at = recorder.next_at()
        row: Row = {
            "id": plan.id,
            "root": plan.root,
            "name": self.name,
            "version": 1,
            "createdAt": at,
            "updatedAt": at,
            "settings": settings.dumps(apply_changes({}, plan.values, at)),
        }
        recorder.add("TEMPLATE_CREATED", [plan.id, plan.parent], None, {**row, "parent": plan.parent})
        await templates.create(transaction, row, plan.parent)
        return Effect({"template": plan.id}, plan.id, [plan.id])


class UpdateTemplate(Command[Row]):
    """Renames a template that the caller saw at a version. The plan is the template as it stands."""

    action: ClassVar[str] = "updateTemplate"
    structural: ClassVar[bool] = True

    id: str
    version: int
    name: str

    def targets(self) -> Sequence[Target]:
        return (Target(self.id, (Kind.TEMPLATE,), Permission.UPDATE, ("id",)),)

    def check(self) -> list[Problem]:
        return check_name(self.name, "name")

    async def plan(self, desk: Desk, reader: Reader, act: Act) -> Row:
        del desk
        template = (await templates.find(reader, [self.id]))[self.id]
        require_version(template, self.version)
        await require_open_home(reader, act.places[self.id], "id")
        return template

    async def questions(self, desk: Desk, act: Act, plan: Row) -> Sequence[Question]:
        del desk, act
        facts = {"kind": "TEMPLATE", "name": plan["name"], "newName": self.name}
        return (Question(self.id, ProtocolOperation.UPDATE, clock.now(), facts),)

    async def apply(self, transaction: Transaction, recorder: Recorder, act: Act, plan: Row) -> Effect:
        del act
        before = {"name": plan["name"], "version": self.version}
        after = {"name": self.name, "version": self.version + 1}
        at = recorder.add("TEMPLATE_UPDATED", [self.id], before, after)
        await templates.change(transaction, self.id, **after, updatedAt=at)
        return Effect({"template": self.id}, self.id, [self.id])
