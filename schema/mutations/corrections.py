"""adjustCash, reverseEntry, postFee and postDividend."""

import strawberry
from strawberry import ID, UNSET

from resolvers.context import Context
from resolvers.performing import viewer_of
from schema.fields import Info
from schema.mutations.answers import Given, OperationInput, answer, answer_to
from schema.mutations.money import AMOUNT, NOTE, PostResult, posted
from schema.scalars import Decimal
from services.corrections import AdjustCash, PostDividend, PostFee
from services.reversing import ReverseEntry


@strawberry.input(description="A correction of an account's cash.")
class AdjustCashInput(OperationInput):
    """adjustCash's input."""

    account_id: ID = strawberry.field(description="The account.")
    amount: Decimal = strawberry.field(
        description="How much is added, or taken where it is below 0; with at most the decimals of the account's"
        " currency."
    )
    reason: str = strawberry.field(description="Why, on the entry: 1 to 2,000 characters.")


@strawberry.input(description="An entry whose opposite is posted.")
class ReverseEntryInput(OperationInput):
    """reverseEntry's input."""

    transaction_id: ID = strawberry.field(
        description="The entry: one of a deposit, withdrawal, transfer, fee, dividend or adjustment. What was posted"
        " with it is reversed with it."
    )
    reason: str = strawberry.field(description="Why, on the entries: 1 to 2,000 characters.")


@strawberry.input(description="A fee that an account pays.")
class PostFeeInput(OperationInput):
    """postFee's input."""

    account_id: ID = strawberry.field(description="The account.")
    amount: Decimal = strawberry.field(description=AMOUNT)
    note: str | None = strawberry.field(description=NOTE, default=UNSET)


@strawberry.input(description="A dividend that an account receives.")
class PostDividendInput(OperationInput):
    """postDividend's input."""

    account_id: ID = strawberry.field(description="The account.")
    amount: Decimal = strawberry.field(description=AMOUNT)
    symbol: str | None = strawberry.field(description="The instrument that pays it.", default=UNSET)
    note: str | None = strawberry.field(description=NOTE, default=UNSET)


@strawberry.type
class CorrectionMutations:
    """The mutations of corrections: each is a new posting, and nothing that is posted is edited."""

    @strawberry.mutation(
        description="Adds to an account's cash, or takes from it. Needs the right to correct; above policy's amount a"
        " person must approve it."
    )
    async def adjust_cash(self, info: Info, given: Given[AdjustCashInput]) -> PostResult:
        """Adjusts an account's cash."""
        return await answer(info.context, AdjustCash, given, posted)

    @strawberry.mutation(
        description="Posts the opposite of an entry and of all that was posted with it, once. Needs the right to"
        " correct on each of their accounts; above policy's amount a person must approve it."
    )
    async def reverse_entry(self, info: Info, given: Given[ReverseEntryInput]) -> PostResult:
        """Reverses an entry."""
        return await answer_to(info.context, _reversal(info.context, given), posted)

    @strawberry.mutation(
        description="Takes a fee from an account. Needs the right to correct; above policy's amount a person must"
        " approve it."
    )
    async def post_fee(self, info: Info, given: Given[PostFeeInput]) -> PostResult:
        """Takes a fee."""
        return await answer(info.context, PostFee, given, posted)

    @strawberry.mutation(
        description="Adds a dividend, or interest, to an account. Needs the right to correct; above policy's amount a"
        " person must approve it."
    )
    async def post_dividend(self, info: Info, given: Given[PostDividendInput]) -> PostResult:
        """Adds a dividend."""
        return await answer(info.context, PostDividend, given, posted)


async def _reversal(context: Context, given: ReverseEntryInput) -> ReverseEntry:
    viewer_of(context)
    database = context.desk.database
    return await ReverseEntry.of(database, given.operation_id, given.transaction_id, given.reason)
