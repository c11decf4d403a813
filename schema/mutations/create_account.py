"""createAccount."""

from typing import Annotated, TypeAlias

import strawberry
from strawberry import ID, UNSET

from graph.database import Row
from resolvers.context import Context
from schema.enums import AccountKind, Tier
from schema.fields import Info
from schema.mutations import objects
from schema.mutations.answers import Given, OperationInput, UsualProblem, answer
from schema.scalars import JSON
from schema.types.account import Account
from schema.types.operation import Operation
from services.creating import CreateAccount


@strawberry.input(description="A new account.")
class CreateAccountInput(OperationInput):
    """createAccount's input."""

    name: str = strawberry.field(description="Its name: 1 to 200 characters without control characters.")
    description: str | None = strawberry.field(description="What it is for, in words.", default=UNSET)
    kind: AccountKind | None = strawberry.field(
        description="What it is for. A COMPOSITE account holds nothing itself.", default=AccountKind.INDIVIDUAL
    )
    tier: Tier | None = strawberry.field(description="Its policy tier; none means no tier policy.", default=UNSET)
    parent_id: ID = strawberry.field(description="The group that it comes into.")
    currency: str | None = strawberry.field(
        description="The ISO 4217 code of its currency, which never changes.", default="USD"
    )
    template_id: ID | None = strawberry.field(
        description="The template whose settings it reads, of the same tenant.", default=UNSET
    )
    settings: JSON | None = strawberry.field(
        description="Its own settings: an object of values by the settings' dotted keys.", default=UNSET
    )
    metadata: JSON | None = strawberry.field(
        description="Any JSON object of the caller's, of at most 16 KiB, that fits the schemas of the groups above.",
        default=UNSET,
    )
    component_ids: list[ID] | None = strawberry.field(
        description="The accounts that a COMPOSITE account sums up, of the same tenant and currency.", default=UNSET
    )


@strawberry.type(description="The account that was created.")
class CreateAccountPayload:
    """createAccount's payload."""

    account: Account | None = strawberry.field(
        description="The new account; null while its operation waits for approval."
    )
    operation: Operation = strawberry.field(description="The operation that creates it.")


CreateAccountResult: TypeAlias = Annotated[
    CreateAccountPayload | UsualProblem,
    strawberry.union("CreateAccountResult", description="A new account, or what stands in its way."),
]


@strawberry.type
class CreateAccountMutation:
    """createAccount."""

    @strawberry.mutation(description="Creates an ACTIVE account in a group. Needs the right to create there.")
    async def create_account(self, info: Info, given: Given[CreateAccountInput]) -> CreateAccountResult:
        """Creates an account."""
        return await answer(info.context, CreateAccount, given, _payload)


async def _payload(context: Context, operation: Row) -> CreateAccountPayload:
    account = await objects.account(context, operation["payload"].get("account"))
    return CreateAccountPayload(account=account, operation=objects.operation(operation))
