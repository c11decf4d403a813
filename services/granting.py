"""Roles granted to users on nodes, and taken back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from graph import users
from graph.database import Reader, Row, Transaction
from graph.ids import Kind
from graph.journal import Recorder
from services.commands import Act, Command, Effect, Target
from services.desk import Desk
from services.permissions import Permission, Role
from services.problems import ProblemCode, refuse


@dataclass(frozen=True, slots=True)
class GrantPlan:
    """The user, and whether they hold the role on this very node already."""

    user: Row
    held: bool


class RoleChange(Command[GrantPlan]):
    """A role of a user on a node and everything below it."""

    structural: ClassVar[bool] = True
    username: str
    node_id: str
    role: Role

    def targets(self) -> Sequence[Target]:
        return (Target(self.node_id, (Kind.GROUP, Kind.ACCOUNT), Permission.GRANT, ("nodeId",)),)

    async def plan(self, desk: Desk, reader: Reader, act: Act) -> GrantPlan:
        del desk, act
        user = await users.by_key(reader, self.username)
        if user is None:
            raise refuse(ProblemCode.NOT_FOUND, "there is no user of this name", "username")
        roles = await users.roles_on(reader, user["id"], self.node_id)
        return self.judged(GrantPlan(user, self.role.value in roles))

    def judged(self, plan: GrantPlan) -> GrantPlan:
        """Refuses what cannot be done to this user."""
        return plan

    def facts(self, plan: GrantPlan) -> Row:
        """The grant as the journal keeps it."""
        return {
            "user": plan.user["id"],
            "username": plan.user["username"],
            "node": self.node_id,
            "role": self.role.value,
        }


class Grant(RoleChange):
    """Grants a role; one that the user holds there already stays as it is."""

    action: ClassVar[str] = "grant"

    def judged(self, plan: GrantPlan) -> GrantPlan:
        if plan.user["disabled"]:
            raise refuse(ProblemCode.NOT_FOUND, "there is no enabled user of this name", "username")
        return plan

    async def apply(self, transaction: Transaction, recorder: Recorder, act: Act, plan: GrantPlan) -> Effect:
        if not plan.held:
            at = recorder.add("GRANTED", [self.node_id, plan.user["id"]], None, self.facts(plan))
            edge: Row = {"id": act.new_id(Kind.GRANT), "user": plan.user["id"], "node": self.node_id}
            await users.grant(transaction, {**edge, "role": self.role.value, "at": at})
        return Effect({})


class Revoke(RoleChange):
    """Takes a role back; work that the user began is checked again when it goes on."""

    action: ClassVar[str] = "revoke"

    def judged(self, plan: GrantPlan) -> GrantPlan:
        if not plan.held:
            raise refuse(ProblemCode.NOT_FOUND, "the user does not hold this role on this node itself", "role")
        return plan

    async def apply(self, transaction: Transaction, recorder: Recorder, act: Act, plan: GrantPlan) -> Effect:
        del act
        at = recorder.add("REVOKED", [self.node_id, plan.user["id"]], self.facts(plan), None)
        await users.revoke(transaction, plan.user["id"], self.node_id, self.role.value, at)
        return Effect({})
