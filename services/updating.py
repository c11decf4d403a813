"""Changes of what an account is called, of its tier, template, metadata and components."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from graph import accounts, settings, templates
from graph.database import Reader, Row, Transaction
from graph.ids import Kind
from graph.journal import Recorder
from services.accounts import (
    Tier,
    check_description,
    question_of,
    require_not_closed,
    require_one_tenant,
    require_version,
)
from services.commands import Act, Effect, Target
from services.composites import check_components, component_targets, judge_components
from services.desk import Desk
from services.groups import require_open_home
from services.names import check_name
from services.partial import JsonInput, Partial
from services.permissions import Permission
from services.problems import Problem, Refused, invalid
from services.prospect import Prospect, prospect_of
from services.protocol.port import ProtocolOperation, Question
from services.settings.metadata import check_against, check_metadata


@dataclass(frozen=True, slots=True)
class Update:
    """The account as it stands, with its template and components, and the properties that change."""

    row: Row
    template: str | None
    components: Sequence[str]
    changes: Row


class UpdateAccount(Partial[Update]):
    """Changes the fields that are given; null clears one. The caller names the version that it saw."""

    action: ClassVar[str] = "updateAccount"
    structural: ClassVar[bool] = True

    id: str
    version: int
    name: str | None = None
    description: str | None = None
    tier: Tier | None = None
    metadata: JsonInput = None
    template_id: str | None = None
    component_ids: tuple[str, ...] | None = None

    def targets(self) -> Sequence[Target]:
        targets = [Target(self.id, (Kind.ACCOUNT,), Permission.UPDATE, ("id",))]
        if self.template_id is not None:
            targets.append(Target(self.template_id, (Kind.TEMPLATE,), Permission.READ, ("templateId",)))
        return [*targets, *component_targets(self.component_ids or ())]

    def changes_policy(self) -> bool:
        return self.gives("tier") or self.gives("template_id")

    def locks(self) -> Sequence[str]:
        return (self.id,)

    def check(self) -> list[Problem]:
        problems: list[Problem] = []
        if self.gives("name"):
            cleared = [invalid("name cannot be cleared; leave it out to keep it", "name")]
            problems += cleared if self.name is None else check_name(self.name, "name")
        if self.description is not None:
            problems += check_description(self.description, "description")
        if self.metadata is not None:
            problems += check_metadata(self.metadata)
        return [*problems, *check_components(self.component_ids or ())]

    async def plan(self, desk: Desk, reader: Reader, act: Act) -> Update:
        del desk
        row, prospect = await prospect_of(reader, act.places[self.id])
        require_version(row, self.version)
        require_not_closed(row, "id")
        problems = await self._misfits(reader, act, prospect)
        if self.gives("metadata"):
            problems += check_against(self.metadata or {}, prospect.above.schemas)
        components: Sequence[str] = ()
        if self.gives("component_ids"):
            found = await accounts.find(reader, self.component_ids or ())
            problems += judge_components(row, found, self.component_ids or ())
            components = await accounts.components(reader, self.id)
        if problems:
            raise Refused(*problems)
        return Update(row, prospect.template, components, self._changes())

    async def questions(self, desk: Desk, act: Act, plan: Update) -> Sequence[Question]:
        changes = self.model_dump(mode="json", exclude={"operation_id", "id", "version"})
        return (await question_of(desk, act, plan.row, ProtocolOperation.UPDATE, changes=changes),)

    async def apply(self, transaction: Transaction, recorder: Recorder, act: Act, plan: Update) -> Effect:
        del act
        version = self.version + 1
        before: Row = {"version": self.version, **{name: plan.row[name] for name in plan.changes}}
        after: Row = {"version": version, **plan.changes}
        named = [self.id]
        if self.gives("template_id"):
            before["template"], after["template"] = plan.template, self.template_id
            named += [node for node in (plan.template, self.template_id) if node is not None]
        if self.gives("component_ids"):
            before["components"], after["components"] = list(plan.components), list(self.component_ids or ())
            named += sorted({*before["components"], *after["components"]})
        at = recorder.add("ACCOUNT_UPDATED", list(dict.fromkeys(named)), before, after)
        await accounts.change(transaction, self.id, **plan.changes, version=version, updatedAt=at)
        await self._relink(transaction, plan, at)
        return Effect({"account": self.id}, self.id, [self.id])

    async def _misfits(self, reader: Reader, act: Act, prospect: Prospect) -> list[Problem]:
        """What would be wrong with the account's settings under its new tier or template."""
        if not self.gives("tier") and not self.gives("template_id"):
            return []
        if self.gives("tier"):
            prospect = replace(prospect, tier=self.tier and self.tier.value)
        if self.gives("template_id"):
            shared: Row = {}
            if self.template_id is not None:
                require_one_tenant(act.places[self.id].root, act.places[self.template_id].root, "templateId")
                if self.template_id != prospect.template:
                    await require_open_home(reader, act.places[self.template_id], "templateId")
                template = (await templates.find(reader, [self.template_id]))[self.template_id]
                shared = settings.loads(template["settings"])
            prospect = replace(prospect, template=self.template_id, shared=shared)
        return prospect.problems((), "templateId" if self.gives("template_id") else "tier")

    def _changes(self) -> Row:
        new: dict[str, Any] = {
            "name": self.name,
            "description": self.description,
            "tier": self.tier and self.tier.value,
            "metadata": settings.dumps(self.metadata or {}),
        }
        return {field: value for field, value in new.items() if self.gives(field)}

    async def _relink(self, transaction: Transaction, plan: Update, at: str) -> None:
        if self.gives("template_id") and self.template_id != plan.template:
            await accounts.use_template(transaction, self.id, self.template_id, at)
        if self.gives("component_ids"):
            wanted, now = self.component_ids or (), plan.components
            added = [node for node in wanted if node not in set(now)]
            ended = [node for node in now if node not in set(wanted)]
            await accounts.aggregate(transaction, self.id, added, ended, at)
