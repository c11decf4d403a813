"""Operations as clients see them."""

from collections.abc import Sequence

import strawberry
from pydantic.alias_generators import to_camel

from graph.database import Row
from graph.ids import Kind
from resolvers import nodes
from resolvers.operations import concerns
from schema.enums import OperationState
from schema.fields import Info, described
from schema.problems import Problem, stored
from schema.scalars import JSON, DateTime
from schema.types.node import Node, node_of, register


@strawberry.type(description="What a person is asked to decide, or has decided.")
class Approval:
    """The question and its answer, from the operation's properties."""

    reasons: list[str] = strawberry.field(description="Why a person has to decide, in the protocol engine's words.")
    request: JSON = strawberry.field(description="What was asked for: the fields of the mutation's input.")
    decided_by: str | None = strawberry.field(description="The username of who decided; null until somebody did.")
    decision_reason: str | None = strawberry.field(description="Why, in the words of who decided.")


@strawberry.type(
    description="A durable piece of work, named by its caller's operationId. UNKNOWN means that a market outcome is"
    " not yet proved."
)
class Operation(Node):
    """An operation, from its node's properties."""

    row: strawberry.Private[Row]
    operation_id: strawberry.ID = strawberry.field(description="The caller's own id.")
    kind: str = strawberry.field(description="The name of the mutation that asked for it.")
    state: OperationState = strawberry.field(description="Where it is.")
    created_at: DateTime = strawberry.field(description="When it was asked for.")
    finished_at: DateTime | None = strawberry.field(description="When it ended; null while it has not.")
    actor: str = strawberry.field(description="The username of who asked for it.")
    expires_at: DateTime | None = strawberry.field(
        description="When the review that it waits for expires; null where it waits for none."
    )
    problems: list[Problem] = strawberry.field(description="What stood in its way; empty while nothing did.")
    policy_version: str = strawberry.field(
        description="The policy that it was judged under: a digest of the defaults, and the number of the tenant's"
        " journal record that last changed a setting, a template in use, or where a node stands."
    )

    @described
    async def result(self, info: Info) -> Node | None:
        """The node that it made or changed; null while there is none, and where the viewer may not see it."""
        node_id = self.row.get("result")
        found = await nodes.find(info.context, node_id) if node_id else None
        return None if found is None else node_of(*found)

    @described
    async def approval(self, info: Info) -> Approval | None:
        """What a person is asked to decide, or has decided; null where nobody had to be, and for a viewer who neither
        asked for it nor may decide it."""
        asked = self.row.get("input")
        if asked is None or not await concerns(info.context, self.row):
            return None
        return Approval(
            reasons=self.row["reasons"],
            request=JSON({to_camel(name): value for name, value in asked.items() if name != "operation_id"}),
            decided_by=self.row.get("decidedBy"),
            decision_reason=self.row.get("decisionReason"),
        )

    @described
    async def names(self, info: Info) -> list[Node]:
        """The accounts, groups and templates that it is about, as far as the viewer sees them."""
        return [node_of(*found) for found in await nodes.find_all(info.context, self._named) if found is not None]

    @property
    def _named(self) -> Sequence[str]:
        return self.row.get("nodes") or ()


def operation(row: Row) -> Operation:
    """The operation with these properties."""
    waiting = row["state"] == OperationState.AWAITING_APPROVAL.value
    return Operation(
        id=row["id"],
        row=row,
        operation_id=row["operationId"],
        kind=row["kind"],
        state=OperationState(row["state"]),
        created_at=row["createdAt"],
        finished_at=row.get("finishedAt"),
        actor=row["actor"],
        expires_at=row.get("expiresAt") if waiting else None,
        problems=[stored(problem) for problem in row.get("problems") or ()],
        policy_version=row["policy"],
    )


register(Kind.OPERATION, Operation, operation)
