"""move."""

from typing import Annotated, TypeAlias

import strawberry
from strawberry import ID

from graph.database import Row
from resolvers.context import Context
from schema.fields import Info
from schema.mutations import objects
from schema.mutations.answers import Given, OperationInput, UsualProblem, answer
from schema.types.node import Node
from schema.types.operation import Operation
from services.moving import Move


@strawberry.input(description="Another place in the tree; never in the node's own subtree.")
class MoveInput(OperationInput):
    """move's input."""

    id: ID = strawberry.field(description="The account or the group that moves.")
    parent_id: ID = strawberry.field(description="The group that it comes into, of the same tenant.")
    rationale: str = strawberry.field(description="Why: 1 to 2,000 characters.")


@strawberry.type(description="The node that was moved.")
class MovePayload:
    """move's payload."""

    node: Node | None = strawberry.field(
        description="The account or the group; null while its operation waits for approval."
    )
    operation: Operation = strawberry.field(description="The operation that moves it.")


MoveResult: TypeAlias = Annotated[
    MovePayload | UsualProblem,
    strawberry.union("MoveResult", description="A moved account or group, or what stands in its way."),
]


@strawberry.type
class MoveMutation:
    """move."""

    @strawberry.mutation(
        description="Moves an account or a group under another group. Needs the right to move on both."
    )
    async def move(self, info: Info, given: Given[MoveInput]) -> MoveResult:
        """Moves a node."""
        return await answer(info.context, Move, given, _payload)


async def _payload(context: Context, operation: Row) -> MovePayload:
    node = await objects.node(context, operation["payload"].get("node"))
    return MovePayload(node=node, operation=objects.operation(operation))
