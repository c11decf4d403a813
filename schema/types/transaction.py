"""The entries of an account's statement, as clients see them."""

from decimal import Decimal as Number
from typing import TYPE_CHECKING, Annotated, cast

import strawberry

from graph.database import Row
from graph.ids import Kind
from graph.money import from_scaled
from resolvers import operations, transactions
from resolvers.refusals import NOT_FOUND, ReadRefused
from schema.enums import TransactionKind, TransactionState
from schema.fields import Info, described
from schema.scalars import Date, DateTime, Decimal, decimal
from schema.types.money import Money, money
from schema.types.node import Node, node_of, register
from schema.types.operation import Operation, operation

if TYPE_CHECKING:
    from schema.types.account import Account


@strawberry.type(
    description="One entry of an account's statement: the change to its cash, and the balance after it (null until"
    " posted). at is when it was booked, valueDate the market's date."
)
class Transaction(Node):
    """An entry, from its node's properties."""

    row: strawberry.Private[Row]
    kind: TransactionKind = strawberry.field(description="Why cash moved.")
    state: TransactionState = strawberry.field(description="Whether it counts.")
    amount: Money = strawberry.field(description="The change to the account's cash: below zero where money leaves.")
    balance_after: Money | None = strawberry.field(description="The account's cash after it; null until it is posted.")

    @described
    async def counterparty(self, info: Info) -> Annotated["Account", strawberry.lazy("schema.types.account")] | None:
        """The account on the other side; null where there is none, and where the viewer may not see it."""
        found = await transactions.counterparty(info.context, self.row)
        return None if found is None else cast("Account", node_of(Kind.ACCOUNT, found))

    symbol: str | None = strawberry.field(description="The instrument that was traded or that paid.")
    quantity: Decimal | None = strawberry.field(description="How much of the instrument.")
    price: Money | None = strawberry.field(description="The exact price for one.")

    @described
    async def operation(self, info: Info) -> Operation:
        """The operation that asked for it."""
        found = await operations.find(info.context, self.row["operation"])
        if found is None:
            raise ReadRefused(NOT_FOUND, "nothing that you can see has asked for this entry")
        return operation(found)

    at: DateTime = strawberry.field(description="When it was booked.")
    value_date: Date = strawberry.field(description="The market's date that it counts from.")
    note: str | None = strawberry.field(description="What the caller wrote on it.")

    @described
    async def corrects(
        self, info: Info
    ) -> Annotated["Transaction", strawberry.lazy("schema.types.transaction")] | None:
        """The earlier entry that this one corrects or reverses; null where it corrects none."""
        found = await transactions.corrected(info.context, self.row)
        return None if found is None else transaction(found)


def transaction(row: Row) -> Transaction:
    """The entry with these properties."""
    currency: str = row["currency"]
    balance, quantity, price = row.get("balanceAfter"), row.get("quantity"), row.get("price")
    return Transaction(
        id=row["id"],
        row=row,
        kind=TransactionKind(row["kind"]),
        state=TransactionState(row["state"]),
        amount=money(row["amount"], currency),
        balance_after=None if balance is None else money(balance, currency),
        symbol=row.get("symbol"),
        quantity=None if quantity is None else decimal(from_scaled(quantity)),
        price=None if price is None else Money(amount=decimal(Number(price)), currency=currency),
        at=row["at"],
        value_date=row["valueDate"],
        note=row.get("note"),
    )


register(Kind.ENTRY, Transaction, transaction)
