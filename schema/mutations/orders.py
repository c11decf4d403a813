"""placeOrder and cancelOrder."""

from enum import Enum
from typing import Annotated, TypeAlias

import strawberry
from strawberry import ID, UNSET

from graph.database import Row
from resolvers.context import Context
from resolvers.performing import viewer_of
from schema.enums import Side
from schema.fields import Info
from schema.mutations import objects
from schema.mutations.answers import Given, OperationInput, OrderProblem, answer, answer_to
from schema.scalars import Decimal
from schema.types.operation import Operation
from schema.types.transaction import Transaction
from services.orders.cancelling import CancelOrder
from services.orders.placing import PlaceOrder


@strawberry.enum(description="How long an order stands.")
class TimeInForce(Enum):
    """How long an order stands."""

    DAY = strawberry.enum_value("DAY", description="Until the market's day ends.")
    GTC = strawberry.enum_value("GTC", description="Until it is filled or cancelled.")
    IOC = strawberry.enum_value("IOC", description="At once, as much as there is; the rest is cancelled.")
    FOK = strawberry.enum_value("FOK", description="At once and whole, or not at all.")


@strawberry.input(description="An order at the market.")
class PlaceOrderInput(OperationInput):
    """placeOrder's input."""

    account_id: ID = strawberry.field(description="The account that trades.")
    symbol: str = strawberry.field(description="The instrument's symbol, such as AAPL.")
    side: Side = strawberry.field(description="Whether it buys or sells.")
    quantity: Decimal = strawberry.field(description="How much, above 0, with at most 8 decimals.")
    limit_price: Decimal | None = strawberry.field(
        description="The worst price that it takes for one; without it the order takes the market's.", default=UNSET
    )
    time_in_force: TimeInForce | None = strawberry.field(
        description="How long it stands; what the account's settings say where it is not given.", default=UNSET
    )


@strawberry.type(description="An order, as far as it has come.")
class PlaceOrderPayload:
    """placeOrder's payload."""

    operation: Operation = strawberry.field(
        description="The operation of the order: RUNNING while it is open, UNKNOWN while its outcome is not proved."
    )
    transactions: list[Transaction] = strawberry.field(
        description="Its TRADE entry, PENDING until it is filled, and its FEE where there is a commission."
    )


PlaceOrderResult: TypeAlias = Annotated[
    PlaceOrderPayload | OrderProblem,
    strawberry.union("PlaceOrderResult", description="An order, or what stands in its way."),
]


@strawberry.input(description="An order that is to be cancelled.")
class CancelOrderInput(OperationInput):
    """cancelOrder's input."""

    order_operation_id: ID = strawberry.field(description="The `Operation.id` of the order.")


@strawberry.type(description="A cancellation, as far as it has come.")
class CancelOrderPayload:
    """cancelOrder's payload."""

    operation: Operation = strawberry.field(description="The operation of the cancellation.")
    order: Operation | None = strawberry.field(description="The operation of the order, as it is now.")
    transactions: list[Transaction] = strawberry.field(
        description="The order's entries: VOIDED where nothing of it was filled."
    )


CancelOrderResult: TypeAlias = Annotated[
    CancelOrderPayload | OrderProblem,
    strawberry.union("CancelOrderResult", description="A cancellation, or what stands in its way."),
]


@strawberry.type
class OrderMutations:
    """The mutations of orders."""

    @strawberry.mutation(
        description="Sends an order to the market, with funds or shares held for it. Needs the right to trade."
    )
    async def place_order(self, info: Info, given: Given[PlaceOrderInput]) -> PlaceOrderResult:
        """Places an order."""
        return await answer(info.context, PlaceOrder, given, _placed)

    @strawberry.mutation(description="Cancels what is still open of an order. Needs the right to trade on its account.")
    async def cancel_order(self, info: Info, given: Given[CancelOrderInput]) -> CancelOrderResult:
        """Cancels an order."""
        return await answer_to(info.context, _cancellation(info.context, given), _cancelled)


async def _cancellation(context: Context, given: CancelOrderInput) -> CancelOrder:
    viewer_of(context)
    return await CancelOrder.of(context.desk.database, given.operation_id, given.order_operation_id)


async def _placed(context: Context, operation: Row) -> PlaceOrderPayload:
    transactions = await objects.transactions(context, operation["payload"].get("transactions", ()))
    return PlaceOrderPayload(transactions=transactions, operation=objects.operation(operation))


async def _cancelled(context: Context, operation: Row) -> CancelOrderPayload:
    order = await objects.operation_of(context, operation["payload"].get("order"))
    transactions = await objects.transactions(context, operation["payload"].get("transactions", ()))
    return CancelOrderPayload(operation=objects.operation(operation), order=order, transactions=transactions)
