"""Open orders as clients see them."""

from decimal import Decimal as Number

import strawberry

from graph.database import Row
from graph.money import from_scaled
from resolvers import operations
from resolvers.refusals import NOT_FOUND, ReadRefused
from schema.enums import Side
from schema.fields import Info, described
from schema.scalars import DateTime, Decimal, decimal
from schema.types.money import Money, money
from schema.types.operation import Operation, operation


@strawberry.type(description="An order that may still trade.")
class OpenOrder:
    """An order, from its node's properties."""

    row: strawberry.Private[Row]
    id: strawberry.ID = strawberry.field(description="The id under which the market knows it.")
    symbol: str = strawberry.field(description="The instrument's symbol.")
    side: Side = strawberry.field(description="Whether it buys or sells.")
    quantity: Decimal = strawberry.field(description="How much was asked for.")
    filled: Decimal = strawberry.field(description="How much of it has traded.")
    limit_price: Money | None = strawberry.field(description="The worst price that it takes; null for a market order.")
    held: Money = strawberry.field(description="The cash that it holds back.")
    at: DateTime = strawberry.field(description="When it was placed.")

    @described
    async def operation(self, info: Info) -> Operation:
        """The operation that placed it."""
        found = await operations.find(info.context, self.row["operation"])
        if found is None:
            raise ReadRefused(NOT_FOUND, "nothing that you can see has placed this order")
        return operation(found)


def open_order(row: Row) -> OpenOrder:
    """The order with these properties."""
    currency, limit = row["currency"], row.get("limitPrice")
    return OpenOrder(
        id=row["id"],
        row=row,
        symbol=row["symbol"],
        side=Side(row["side"]),
        quantity=decimal(from_scaled(row["quantity"])),
        filled=decimal(from_scaled(row["filledQuantity"])),
        limit_price=None if limit is None else Money(amount=decimal(Number(limit)), currency=currency),
        held=money(row["held"], currency),
        at=row["at"],
    )
