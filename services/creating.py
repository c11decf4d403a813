"""New accounts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from graph import accounts, clock, groups, settings, templates
from graph.database import Reader, Row, Transaction
from graph.ids import Kind
from graph.journal import Recorder
from graph.money import currency_decimals
from graph.structure import Located
from services.accounts import AccountKind, Tier, check_description, new_account, require_one_tenant
from services.commands import Act, Effect, Target
from services.composites import check_components, component_targets, judge_components
from services.desk import Desk
from services.effective import inherited
from services.facts import account_facts, policy_facts
from services.founding import NewNode
from services.groups import check_depth, require_open, require_open_home
from services.names import check_name
from services.partial import JsonInput
from services.permissions import Permission
from services.problems import Problem, Refused, invalid
from services.prospect import Prospect
from services.protocol.port import ProtocolOperation, Question
from services.settings.metadata import check_against, check_metadata
from services.settings.resolution import apply_changes
from services.settings.validation import check_changes


@dataclass(frozen=True, slots=True)
class NewAccount:
    """The account as it will be (without its settings and instants), and what decides its settings."""

    row: Row
    prospect: Prospect
    installation: str


class CreateAccount(NewNode[NewAccount]):
    """Creates an account in a group, or as a tenant of its own where no parent is given."""

    action: ClassVar[str] = "createAccount"
    makes: ClassVar[Kind] = Kind.ACCOUNT

    name: str
    description: str | None = None
    kind: AccountKind = AccountKind.INDIVIDUAL
    tier: Tier | None = None
    currency: str = "USD"
    template_id: str | None = None
    settings: JsonInput = None
    metadata: JsonInput = None
    component_ids: tuple[str, ...] | None = None

    def targets(self) -> Sequence[Target]:
        targets = component_targets(self.component_ids or ())
        if self.template_id is not None:
            targets.insert(0, Target(self.template_id, (Kind.TEMPLATE,), Permission.READ, ("templateId",)))
        if self.parent_id is not None:
            targets.insert(0, Target(self.parent_id, (Kind.GROUP,), Permission.CREATE, ("parentId",)))
        return targets

    def check(self) -> list[Problem]:
        problems = check_name(self.name, "name")
        if self.description is not None:
            problems += check_description(self.description, "description")
        if currency_decimals(self.currency) is None:
            problems.append(invalid("currency must be a code of ISO 4217, such as USD", "currency"))
        if self.component_ids and self.kind is not AccountKind.COMPOSITE:
            problems.append(invalid("only a COMPOSITE account has components", "componentIds"))
        problems += check_components(self.component_ids or ())
        problems += check_metadata(self._metadata())
        return [*problems, *check_changes(self._settings())[1]]

    async def plan(self, desk: Desk, reader: Reader, act: Act) -> NewAccount:
        account_id, root = act.new_id(Kind.ACCOUNT), self.feed(act, desk)
        row = new_account(account_id, root, "", **self._given())
        parent = act.places[self.parent_id] if self.parent_id else None
        if parent is not None:
            check_depth(parent, 1)
            require_open((await groups.find(reader, [parent.id]))[parent.id], "parentId")
        prospect = await self._prospect(reader, act, account_id, root, parent)
        blame = "templateId" if self.template_id else "tier" if self.tier else "parentId"
        problems = prospect.problems(tuple(prospect.own), blame)
        problems += check_against(self._metadata(), prospect.above.schemas)
        if self.component_ids:
            found = await accounts.find(reader, self.component_ids)
            problems += judge_components(row, found, self.component_ids)
        if problems:
            raise Refused(*problems)
        return NewAccount(row, prospect, desk.installation)

    async def questions(self, desk: Desk, act: Act, plan: NewAccount) -> Sequence[Question]:
        del desk, act
        policy = policy_facts(plan.prospect.values())
        facts: dict[str, Any] = {"kind": "ACCOUNT", "name": self.name, "policy": policy}
        facts["account"] = account_facts(plan.row)
        return (Question(plan.prospect.id, ProtocolOperation.CREATE, clock.now(), facts),)

    async def apply(self, transaction: Transaction, recorder: Recorder, act: Act, plan: NewAccount) -> Effect:
        del act
        at, node = recorder.next_at(), plan.prospect.id
        own = apply_changes({}, check_changes(self._settings())[0], at)
        row = {**plan.row, "createdAt": at, "updatedAt": at, "settings": settings.dumps(own)}
        components = list(self.component_ids or ())
        edges = {"parent": self.parent_id, "template": self.template_id, "components": components}
        named = [name for name in (node, self.parent_id, self.template_id, *components) if name is not None]
        recorder.add("ACCOUNT_CREATED", named, None, {**row, **edges})
        await accounts.create(transaction, row, self.parent_id, plan.installation)
        if self.template_id is not None:
            await accounts.use_template(transaction, node, self.template_id, at)
        await accounts.aggregate(transaction, node, components, [], at)
        return Effect({"account": node}, node, [node])

    def _given(self) -> Row:
        return {
            "name": self.name,
            "description": self.description,
            "kind": self.kind.value,
            "tier": self.tier and self.tier.value,
            "currency": self.currency,
            "metadata": settings.dumps(self._metadata()),
        }

    async def _prospect(self, reader: Reader, act: Act, account_id: str, root: str, parent: Located | None) -> Prospect:
        shared: Row = {}
        if self.template_id is not None:
            require_one_tenant(root, act.places[self.template_id].root, "templateId")
            await require_open_home(reader, act.places[self.template_id], "templateId")
            template = (await templates.find(reader, [self.template_id]))[self.template_id]
            shared = settings.loads(template["settings"])
        own = apply_changes({}, check_changes(self._settings())[0], clock.to_text(clock.now()))
        above = await inherited(reader, parent.path if parent else ())
        return Prospect(account_id, self.tier and self.tier.value, own, self.template_id, shared, above)

    def _settings(self) -> Any:
        return {} if self.settings is None else self.settings

    def _metadata(self) -> Any:
        return {} if self.metadata is None else self.metadata
