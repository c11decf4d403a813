"""updateAccount."""

from typing import Annotated, TypeAlias

import strawberry
from strawberry import ID, UNSET

from graph.database import Row
from resolvers.context import Context
from schema.enums import Tier
from schema.fields import Info
from schema.mutations import objects
from schema.mutations.answers import Given, OperationInput, VersionProblem, answer
from schema.scalars import JSON
from schema.types.account import Account
from schema.types.operation import Operation
from services.updating import UpdateAccount


@strawberry.input(description="Changes of an account. What is absent stays; null clears, where that is possible.")
class UpdateAccountInput(OperationInput):
    """updateAccount's input."""

    id: ID = strawberry.field(description="The account.")
    version: int = strawberry.field(description="The version of the account that the caller saw.")
    name: str | None = strawberry.field(
        description="Its new name: 1 to 200 characters without control characters. It cannot be cleared.",
        default=UNSET,
    )
    description: str | None = strawberry.field(description="What it is for, in words.", default=UNSET)
    tier: Tier | None = strawberry.field(description="Its policy tier; null takes it out of all tiers.", default=UNSET)
    metadata: JSON | None = strawberry.field(
        description="Any JSON object of the caller's, at most 16 KiB, in place of the present one; null empties it.",
        default=UNSET,
    )
    template_id: ID | None = strawberry.field(
        description="The template whose settings it reads; null means none.", default=UNSET
    )
    component_ids: list[ID] | None = strawberry.field(
        description="The accounts that a COMPOSITE account sums up, in place of the present ones.", default=UNSET
    )


@strawberry.type(description="The account that was changed.")
class UpdateAccountPayload:
    """updateAccount's payload."""

    account: Account | None = strawberry.field(description="The account; null while its operation waits for approval.")
    operation: Operation = strawberry.field(description="The operation that changes it.")


UpdateAccountResult: TypeAlias = Annotated[
    UpdateAccountPayload | VersionProblem,
    strawberry.union("UpdateAccountResult", description="A changed account, or what stands in its way."),
]


@strawberry.type
class UpdateAccountMutation:
    """updateAccount."""

    @strawberry.mutation(
        description="Changes an account's name, description, tier, metadata, template or components. Needs the right"
        " to update it."
    )
    async def update_account(self, info: Info, given: Given[UpdateAccountInput]) -> UpdateAccountResult:
        """Changes an account."""
        return await answer(info.context, UpdateAccount, given, _payload)


async def _payload(context: Context, operation: Row) -> UpdateAccountPayload:
    account = await objects.account(context, operation["payload"].get("account"))
    return UpdateAccountPayload(account=account, operation=objects.operation(operation))
