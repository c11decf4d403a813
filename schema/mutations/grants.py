"""grant and revoke."""

from typing import Annotated, TypeAlias

import strawberry
from strawberry import ID

from graph.database import Row
from resolvers.context import Context
from schema.enums import Role
from schema.fields import Info
from schema.mutations import objects
from schema.mutations.answers import Given, OperationInput, UsualProblem, answer
from schema.types.operation import Operation
from services.granting import Grant, Revoke


@strawberry.input(description="A role for a user on a node and everything below it.")
class GrantInput(OperationInput):
    """grant's input."""

    username: str = strawberry.field(description="The user, who is enabled.")
    node_id: ID = strawberry.field(description="The group or the account.")
    role: Role = strawberry.field(description="The role. One that the user holds there already stays as it is.")


@strawberry.input(description="A role that a user holds on this very node, taken back.")
class RevokeInput(OperationInput):
    """revoke's input."""

    username: str = strawberry.field(description="The user.")
    node_id: ID = strawberry.field(description="The group or the account on which the role was granted.")
    role: Role = strawberry.field(description="The role.")


@strawberry.type(description="A role that was granted or taken back.")
class GrantPayload:
    """grant's and revoke's payload."""

    operation: Operation = strawberry.field(description="The operation that did it.")


GrantResult: TypeAlias = Annotated[
    GrantPayload | UsualProblem,
    strawberry.union("GrantResult", description="A change of roles, or what stands in its way."),
]


@strawberry.type
class GrantMutations:
    """The mutations of roles."""

    @strawberry.mutation(description="Grants a role on a node, for its whole subtree. Needs the right to grant there.")
    async def grant(self, info: Info, given: Given[GrantInput]) -> GrantResult:
        """Grants a role."""
        return await answer(info.context, Grant, given, _payload)

    @strawberry.mutation(
        description="Takes a role back; the user's requests go without it from the commit on. Needs the right to"
        " grant there."
    )
    async def revoke(self, info: Info, given: Given[RevokeInput]) -> GrantResult:
        """Takes a role back."""
        return await answer(info.context, Revoke, given, _payload)


async def _payload(_: Context, operation: Row) -> GrantPayload:
    return GrantPayload(operation=objects.operation(operation))
