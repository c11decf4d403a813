"""deposit, withdraw and transfer."""

from collections.abc import Sequence
from typing import Annotated, TypeAlias

import strawberry
from strawberry import ID, UNSET

from graph.database import Row
from resolvers.context import Context
from schema.fields import Info
from schema.mutations import objects
from schema.mutations.answers import Given, MoneyProblem, OperationInput, answer
from schema.scalars import Decimal
from schema.types.operation import Operation
from schema.types.transaction import Transaction
from services.ledger import Deposit, Transfer, Withdraw

AMOUNT = "How much, above 0, with at most the decimals of the account's currency."
NOTE = "What it was for, on the entry: at most 2,000 characters."


@strawberry.input(description="Money from outside into an account.")
class DepositInput(OperationInput):
    """deposit's input."""

    account_id: ID = strawberry.field(description="The account.")
    amount: Decimal = strawberry.field(description=AMOUNT)
    note: str | None = strawberry.field(description=NOTE, default=UNSET)


@strawberry.input(description="Money from an account to the outside.")
class WithdrawInput(OperationInput):
    """withdraw's input."""

    account_id: ID = strawberry.field(description="The account.")
    amount: Decimal = strawberry.field(description=AMOUNT)
    note: str | None = strawberry.field(description=NOTE, default=UNSET)


@strawberry.input(description="Money from one account to another.")
class TransferInput(OperationInput):
    """transfer's input."""

    from_id: ID = strawberry.field(description="The account that pays.")
    to_id: ID = strawberry.field(description="The account that is paid, of the same tenant and currency.")
    amount: Decimal = strawberry.field(description=AMOUNT)
    note: str | None = strawberry.field(description=NOTE, default=UNSET)


@strawberry.type(description="What was posted.")
class PostPayload:
    """The payload of every posting."""

    posted: strawberry.Private[Sequence[str]]

    @strawberry.field(
        description="The entries on accounts that the viewer sees; none while the operation waits for approval."
    )
    async def transactions(self, info: Info) -> list[Transaction]:
        """The entries, which nobody waits for who does not ask for them."""
        return await objects.transactions(info.context, self.posted)

    operation: Operation = strawberry.field(description="The operation that posts them.")


PostResult: TypeAlias = Annotated[
    PostPayload | MoneyProblem,
    strawberry.union("PostResult", description="Entries, or what stands in their way."),
]


@strawberry.type
class MoneyMutations:
    """The mutations that move money."""

    @strawberry.mutation(description="Posts money from outside. Needs the right to post to the account.")
    async def deposit(self, info: Info, given: Given[DepositInput]) -> PostResult:
        """Posts money from outside."""
        return await answer(info.context, Deposit, given, posted)

    @strawberry.mutation(
        description="Posts money to the outside, at most what is available. Needs the right to post to the account."
    )
    async def withdraw(self, info: Info, given: Given[WithdrawInput]) -> PostResult:
        """Posts money to the outside."""
        return await answer(info.context, Withdraw, given, posted)

    @strawberry.mutation(
        description="Posts money from one account to another, at most what is available. Needs the right on both."
    )
    async def transfer(self, info: Info, given: Given[TransferInput]) -> PostResult:
        """Posts money from one account to another."""
        return await answer(info.context, Transfer, given, posted)


async def posted(context: Context, operation: Row) -> PostPayload:
    """The payload of a posting."""
    del context
    return PostPayload(posted=operation["payload"].get("transactions", ()), operation=objects.operation(operation))
