"""Goes on with orders that a process left, by what the graph says of them; safe while that process is still at it."""

from collections.abc import Iterable

import structlog

from graph import orders
from graph.database import Row
from services.desk import Desk
from services.market.port import OrderReport
from services.orders.cancelling import CancelOrder, pursue_cancellation
from services.orders.placing import PlaceOrder
from services.orders.proving import prove, settle_or_leave

_log = structlog.get_logger()


async def recover(desk: Desk, operation: Row) -> None:
    """Goes on with an operation that is RUNNING or UNKNOWN and due. Raises EngineUnavailable."""
    if operation["kind"] == PlaceOrder.action:
        await settle_due(desk, operation)
    elif operation["kind"] == CancelOrder.action:
        await pursue_cancellation(desk, operation["id"], waiting=False)
    else:
        _log.error("operation_of_no_known_kind_is_due", operation=operation["id"], kind=operation["kind"])


async def settle_due(desk: Desk, operation: Row) -> None:
    """Finds out how the operation's order stands, sends it where it was not taken, and books what came of it."""
    order = await orders.of_operation(desk.database, operation["id"])
    if order is not None and order["open"]:
        await settle_or_leave(desk, order, await prove(desk, order))


async def settle_reports(desk: Desk, reports: Iterable[OrderReport]) -> None:
    """Books what the market reports by itself, such as what a move of its date has filled or expired."""
    by_id = {report.order_id: report for report in reports}
    for order in (await orders.find(desk.database, list(by_id))).values():
        if order["open"]:
            await settle_or_leave(desk, order, by_id[order["id"]])
