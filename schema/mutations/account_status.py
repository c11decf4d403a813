"""changeAccountStatus."""

from typing import Annotated, TypeAlias

import strawberry
from strawberry import ID

from graph.database import Row
from resolvers.context import Context
from schema.enums import AccountStatus
from schema.fields import Info
from schema.mutations import objects
from schema.mutations.answers import Given, OperationInput, VersionProblem, answer
from schema.types.account import Account
from schema.types.operation import Operation
from services.status import ChangeAccountStatus


@strawberry.input(description="Another status for an account.")
class ChangeAccountStatusInput(OperationInput):
    """changeAccountStatus's input."""

    id: ID = strawberry.field(description="The account.")
    version: int = strawberry.field(description="The version of the account that the caller saw.")
    status: AccountStatus = strawberry.field(
        description="ACTIVE, INACTIVE or SUSPENDED; CLOSED, for good, for an account without cash and positions."
    )
    reason: str = strawberry.field(description="Why: 1 to 2,000 characters.")


@strawberry.type(description="The account whose status was changed.")
class ChangeAccountStatusPayload:
    """changeAccountStatus's payload."""

    account: Account | None = strawberry.field(description="The account; null while its operation waits for approval.")
    operation: Operation = strawberry.field(description="The operation that changes it.")


ChangeAccountStatusResult: TypeAlias = Annotated[
    ChangeAccountStatusPayload | VersionProblem,
    strawberry.union(
        "ChangeAccountStatusResult", description="An account with another status, or what stands in its way."
    ),
]


@strawberry.type
class AccountStatusMutation:
    """changeAccountStatus."""

    @strawberry.mutation(description="Changes an account's status. Needs the right to update it.")
    async def change_account_status(
        self, info: Info, given: Given[ChangeAccountStatusInput]
    ) -> ChangeAccountStatusResult:
        """Changes an account's status."""
        return await answer(info.context, ChangeAccountStatus, given, _payload)


async def _payload(context: Context, operation: Row) -> ChangeAccountStatusPayload:
    account = await objects.account(context, operation["payload"].get("account"))
    return ChangeAccountStatusPayload(account=account, operation=objects.operation(operation))
