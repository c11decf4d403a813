"""Settings of groups, accounts and templates; what a group locks, and what it asks of metadata below it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from graph import accounts, clock, groups, settings, templates
from graph.database import Reader, Row, Transaction
from graph.ids import Kind
from graph.journal import Recorder
from services.accounts import question_of, require_not_closed
from services.commands import Act, Effect, Target
from services.descendants import metadata_faults, named, subtree, users
from services.desk import Desk
from services.effective import Inherited, in_force, inherited
from services.facts import policy_facts
from services.groups import require_open, require_open_home
from services.partial import JsonInput, Partial
from services.permissions import Permission
from services.problems import Problem, Refused, invalid
from services.prospect import prospect_of
from services.protocol.port import ProtocolOperation, Question
from services.settings.json_limits import Json
from services.settings.metadata_schema import check_schema
from services.settings.resolution import Stored, apply_changes
from services.settings.rules import RULE_KEYS
from services.settings.subtree import Invalid, check_subtree, overridden
from services.settings.validation import check_changes, check_locks, check_own

_KINDS = (Kind.GROUP, Kind.ACCOUNT, Kind.TEMPLATE)
_FIND = {Kind.GROUP: groups.find, Kind.ACCOUNT: accounts.find, Kind.TEMPLATE: templates.find}
_CHANGE = {Kind.GROUP: groups.change, Kind.ACCOUNT: accounts.change, Kind.TEMPLATE: templates.change}


@dataclass(frozen=True, slots=True)
class Configured:
    """The node as it stands, the changes by key, and the keys that it will lock itself."""

    row: Row
    kind: Kind
    changes: Mapping[str, Json]
    locks: frozenset[str] = frozenset()


class Configure(Partial[Configured]):
    """Sets settings of a node; null removes one.

    A group may also lock keys, so that nothing below it sets them, and give a JSON Schema for the metadata below it
    (null removes it). What would make a node below invalid, or an account that uses the template, is refused.
    """

    action: ClassVar[str] = "configure"
    structural: ClassVar[bool] = True

    id: str
    settings: JsonInput
    lock: tuple[str, ...] = ()
    unlock: tuple[str, ...] = ()
    metadata_schema: JsonInput = None

    def targets(self) -> Sequence[Target]:
        return (Target(self.id, _KINDS, Permission.CONFIGURE, ("id",)),)

    def changes_policy(self) -> bool:
        return True

    def locks(self) -> Sequence[str]:
        return (self.id,) if self.id.startswith(Kind.ACCOUNT) else ()

    def check(self) -> list[Problem]:
        problems = check_changes(self.settings)[1]
        problems += check_locks(list(self.lock), ("lock",))[1]
        problems += check_locks(list(self.unlock), ("unlock",))[1]
        if set(self.lock) & set(self.unlock):
            problems.append(invalid("unlock must not name a key that lock names too", "unlock"))
        if self.metadata_schema is not None:
            problems += check_schema(self.metadata_schema)
        if not self.id.startswith(Kind.GROUP):
            fields = {"lock": self.lock, "unlock": self.unlock, "metadataSchema": self.gives("metadata_schema")}
            problems += [invalid(f"{name} is for groups alone", name) for name, given in fields.items() if given]
        return problems

    async def plan(self, desk: Desk, reader: Reader, act: Act) -> Configured:
        del desk
        kind = act.places[self.id].kind
        row = (await _FIND[kind](reader, [self.id]))[self.id]
        match kind:
            case Kind.GROUP:
                plan, problems = await self._plan_group(reader, act, row)
            case Kind.ACCOUNT:
                plan, problems = await self._plan_account(reader, act, row)
            case _:
                plan, problems = await self._plan_template(reader, act, row)
        if problems:
            raise Refused(*problems)
        return plan

    async def questions(self, desk: Desk, act: Act, plan: Configured) -> Sequence[Question]:
        more: dict[str, Any] = {"settings": dict(plan.changes), "lock": list(self.lock), "unlock": list(self.unlock)}
        operation = ProtocolOperation.CONFIGURE
        if plan.kind is Kind.ACCOUNT:
            return (await question_of(desk, act, plan.row, operation, **more),)
        more |= {"kind": plan.kind.name, "name": plan.row["name"]}
        if plan.kind is Kind.GROUP:
            more["policy"] = policy_facts((await in_force(desk.reads, act.places[self.id])).values)
        return (Question(self.id, operation, clock.now(), more),)

    async def apply(self, transaction: Transaction, recorder: Recorder, act: Act, plan: Configured) -> Effect:
        at, row, version = recorder.next_at(), plan.row, plan.row["version"]
        stored = settings.loads(row["settings"])
        own = apply_changes(stored, plan.changes, at)
        before: Row = {"version": version, "settings": _part(stored, plan.changes)}
        after: Row = {"version": version + 1, "settings": _part(own, plan.changes)}
        written: Row = {"settings": settings.dumps(own)}
        if self.lock or self.unlock:
            before["locks"], written["locks"] = row["locks"], sorted(plan.locks)
        if self.gives("metadata_schema"):
            given = self.metadata_schema
            before["metadataSchema"] = row["metadataSchema"]
            written["metadataSchema"] = None if given is None else settings.dumps(given)
        recorder.add("CONFIGURED", list(act.places[self.id].path[:2]), before, {**written, **after})
        change = _CHANGE[plan.kind]
        await change(transaction, self.id, **written, version=version + 1, updatedAt=at)
        return Effect({"settings": self.id}, self.id, [self.id])

    async def _plan_account(self, reader: Reader, act: Act, row: Row) -> tuple[Configured, list[Problem]]:
        require_not_closed(row, "id")
        changes, _ = check_changes(self.settings)
        _, prospect = await prospect_of(reader, act.places[self.id])
        own = apply_changes(prospect.own, changes, _now())
        problems = replace(prospect, own=own).problems(tuple(changes), "settings")
        return Configured(row, Kind.ACCOUNT, changes), problems

    async def _plan_template(self, reader: Reader, act: Act, row: Row) -> tuple[Configured, list[Problem]]:
        await require_open_home(reader, act.places[self.id], "id")
        changes, _ = check_changes(self.settings)
        own = apply_changes(settings.loads(row["settings"]), changes, _now())
        problems = check_own(own)
        if not problems:
            nodes = await users(reader, self.id, own)
            faults = check_subtree(nodes, path=("settings",), touched=tuple(changes))
            problems = self._placed(await named(reader, act.viewer, faults, self.id), changes)
        return Configured(row, Kind.TEMPLATE, changes), problems

    async def _plan_group(self, reader: Reader, act: Act, row: Row) -> tuple[Configured, list[Problem]]:
        require_open(row, "id")
        changes, _ = check_changes(self.settings)
        locks = frozenset(row["locks"]).union(self.lock).difference(self.unlock)
        above = await inherited(reader, act.places[self.id].path[1:])
        own = apply_changes(settings.loads(row["settings"]), changes, _now())
        problems = [*check_own(own), *check_locks(sorted(locks), ("lock",))[1]]
        problems += overridden(own, (), above.locked, ("settings",))
        if not problems:
            problems = await self._below(reader, act, above, own, locks - set(row["locks"]))
        return Configured(row, Kind.GROUP, changes, locks), problems

    async def _below(
        self, reader: Reader, act: Act, above: Inherited, own: Mapping[str, Stored], newly: Collection[str]
    ) -> list[Problem]:
        """What would be wrong below the group with its new settings, newly locked keys and metadata schema."""
        changes, _ = check_changes(self.settings)
        problems: list[Problem] = []
        if newly or RULE_KEYS & changes.keys():
            nodes = [
                replace(node, own=own, locks=node.locks.difference(self.unlock).union(self.lock))
                if node.id == self.id
                else node
                for node in await subtree(reader, self.id)
            ]
            faults = check_subtree(nodes, above.levels, above.locked, path=("settings",), touched=tuple(changes))
            problems += self._placed(await named(reader, act.viewer, faults, self.id), changes)
        if self.metadata_schema is not None:
            broken: Iterable[Invalid] = await metadata_faults(reader, self.id, [self.metadata_schema], "metadataSchema")
            found = await named(reader, act.viewer, broken, self.id)
            problems += [replace(problem, path=("metadataSchema",)) for problem in found]
        return problems

    def _placed(self, problems: Sequence[Problem], changes: Collection[str]) -> list[Problem]:
        """The problems with the paths of the fields that cause them."""
        return [replace(problem, path=self._cause(problem.path[-1], changes)) for problem in problems]

    def _cause(self, key: str, changes: Collection[str]) -> tuple[str, ...]:
        if key in self.lock:
            return ("lock", str(self.lock.index(key)))
        return ("settings", key) if key in changes else ("settings",)


def _part(stored: Mapping[str, Stored], changes: Collection[str]) -> str:
    """The changed keys as they are stored, as text: numbers with a fraction have one form in the journal."""
    return settings.dumps({key: stored.get(key) for key in changes})


def _now() -> str:
    return clock.to_text(clock.now())
