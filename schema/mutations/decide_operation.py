"""decideOperation."""

from typing import Annotated, TypeAlias

import strawberry
from strawberry import ID

from graph.database import Row
from resolvers.context import Context
from schema.fields import Info
from schema.mutations import objects
from schema.mutations.answers import Given, OperationInput, UsualProblem, answer
from schema.types.operation import Operation
from services.deciding import DecideOperation


@strawberry.input(description="A decision over an operation that waits for one.")
class DecideOperationInput(OperationInput):
    """decideOperation's input."""

    target_operation_id: ID = strawberry.field(description="The `Operation.id` of the operation that waits.")
    approve: bool = strawberry.field(description="Whether it may take effect.")
    reason: str = strawberry.field(description="Why: 1 to 2,000 characters.")


@strawberry.type(description="The operation that was decided.")
class DecideOperationPayload:
    """decideOperation's payload."""

    operation: Operation = strawberry.field(
        description="The operation that was decided, in its state after the decision."
    )
    decision: Operation = strawberry.field(description="The operation that this decision is itself.")


DecideOperationResult: TypeAlias = Annotated[
    DecideOperationPayload | UsualProblem,
    strawberry.union("DecideOperationResult", description="A decided operation, or what stands in its way."),
]


@strawberry.type
class DecideOperationMutation:
    """decideOperation."""

    @strawberry.mutation(
        description="Approves or declines an operation that somebody else asked for. Everything is checked again when"
        " it starts. Needs the right to decide on every node that it names."
    )
    async def decide_operation(self, info: Info, given: Given[DecideOperationInput]) -> DecideOperationResult:
        """Decides over an operation."""
        return await answer(info.context, DecideOperation, given, _payload)


async def _payload(context: Context, operation: Row) -> DecideOperationPayload:
    decided = await objects.required(objects.operation_of(context, operation["payload"].get("decided")))
    return DecideOperationPayload(operation=decided, decision=objects.operation(operation))
