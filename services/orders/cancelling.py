"""Cancelling an open order: recorded in the graph first, then asked of the market by any process until it answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import structlog

from graph import clock, operations, orders
from graph.database import Reader, Row, Transaction
from graph.ids import Kind
from graph.journal import Recorder
from graph.orders import Standing
from services.commands import Act, Command, Effect, Target
from services.desk import Desk
from services.market.port import MarketCannotCancel, MarketError, MarketUnavailable, MarketUnknown, OrderReport
from services.operations import FIRST_DUE, RUNNING, end, take_feed
from services.orders.claims import on_order
from services.orders.outcomes import ended_already
from services.orders.proving import settle_or_leave
from services.orders.quoting import market_gone
from services.orders.settling import UNKNOWN, UNSETTLED, next_due
from services.orders.simulated import cancelled
from services.permissions import Permission
from services.problems import Problem, ProblemCode, Refused, refuse, rule_violation

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class CancelPlan:
    """The open order that is to be cancelled."""

    order: Row


class CancelOrder(Command[CancelPlan]):
    """Cancels what is still open of an order. `account_id` is the order's account, which `of` finds."""

    action: ClassVar[str] = "cancelOrder"

    order_operation_id: str
    account_id: str

    @classmethod
    async def of(cls, reader: Reader, operation_id: str, order_operation_id: str) -> "CancelOrder":
        """The command that cancels the order of an Operation; where that placed none, it is refused as NOT_FOUND."""
        order = await orders.of_operation(reader, order_operation_id)
        account = order["account"] if order else ""
        return cls(operation_id=operation_id, order_operation_id=order_operation_id, account_id=account)

    def comparable(self) -> dict[str, Any]:
        return {"order_operation_id": self.order_operation_id}

    def targets(self) -> Sequence[Target]:
        return (Target(self.account_id, (Kind.ACCOUNT,), Permission.TRADE, ("orderOperationId",)),)

    def locks(self) -> Sequence[str]:
        return (self.account_id,)

    async def plan(self, desk: Desk, reader: Reader, act: Act) -> CancelPlan:
        del desk, act
        order = await orders.of_operation(reader, self.order_operation_id)
        if order is None:
            raise refuse(ProblemCode.NOT_FOUND, "nothing that you can see has this id", "orderOperationId")
        if not order["open"]:
            raise Refused(ended_already(order["status"].upper()))
        if order["cancelOperation"] is not None:
            raise refuse(ProblemCode.CONFLICT, "the order is being cancelled already", "orderOperationId")
        return CancelPlan(order)

    async def apply(self, transaction: Transaction, recorder: Recorder, act: Act, plan: CancelPlan) -> Effect:
        order = plan.order
        await orders.change(transaction, order["id"], {"cancelOperation": act.operation})
        change = {"order": {"id": order["id"], "cancelOperation": act.operation}}
        recorder.add("ORDER_CHANGED", [self.account_id], None, change)
        due = clock.to_text(clock.now() + FIRST_DUE)
        payload = {"order": self.order_operation_id, "transactions": [order["entry"]]}
        return Effect(payload, None, [self.account_id], RUNNING, {"dueAt": due, "target": self.order_operation_id})

    async def after(self, desk: Desk, operation: str) -> None:
        await pursue_cancellation(desk, operation, waiting=True)


async def pursue_cancellation(desk: Desk, operation_id: str, *, waiting: bool) -> None:
    """Asks the market to cancel the order that the operation names, and books how the order then stands.

    Where the caller is `waiting` and the order certainly was not cancelled, raises Refused and removes the operation;
    else that ends the operation FAILED.
    """
    operation = (await operations.find(desk.database, [operation_id])).get(operation_id)
    if operation is None or operation["state"] not in UNSETTLED:
        return
    order = await orders.of_operation(desk.database, operation["target"])
    if order is None or not order["open"]:
        problem = ended_already("gone" if order is None else order["status"].upper())
        await _give_up(desk, operation, order, problem, waiting=waiting)
        return
    try:
        report = await _cancel(desk, order)
    except MarketCannotCancel:
        await _give_up(desk, operation, order, _CANNOT, waiting=waiting)
    except MarketUnavailable as error:
        if waiting:
            await _give_up(desk, operation, order, market_gone().problems[0], waiting=True)
        await _leave(desk, operation, error)
    except MarketUnknown as error:
        await _leave(desk, operation, error)
    else:
        await settle_or_leave(desk, order, report)
        await _tell(desk, operation, waiting=waiting)


_CANNOT = rule_violation("MARKET_CANCELS", "this market takes no cancellations", "no", "yes", "orderOperationId")


async def _cancel(desk: Desk, order: Row) -> OrderReport:
    return cancelled(order) if order["simulated"] else await desk.market.cancel(order["id"])


async def _tell(desk: Desk, operation: Row, *, waiting: bool) -> None:
    """Refuses the request whose order had ended in another way before the market could cancel it."""
    now = (await operations.find(desk.database, [operation["id"]])).get(operation["id"])
    if now is None or now["state"] != "FAILED" or not waiting:
        return
    problem = now["problems"][0]
    await _remove(desk, operation, None)
    raise Refused(Problem(ProblemCode(problem["code"]), problem["message"], tuple(problem["path"]), problem["details"]))


async def _give_up(desk: Desk, operation: Row, order: Row | None, problem: Problem, *, waiting: bool) -> None:
    if waiting:
        await _remove(desk, operation, order)
        raise Refused(problem)
    await _end(desk, operation, order, problem)


async def _leave(desk: Desk, operation: Row, error: MarketError) -> None:
    _log.info("cancellation_not_proved", operation=operation["id"], reason=str(error))

    state = UNKNOWN if isinstance(error, MarketUnknown) else operation["state"]

    async def work(transaction: Transaction) -> None:
        changes: Row = {"dueAt": next_due(), "state": state}
        changed = await operations.change(transaction, operation["id"], UNSETTLED, changes)
        if changed and state != operation["state"]:
            recorder = await take_feed(transaction, operation)
            recorder.add("OPERATION_CHANGED", operation["nodes"], {"state": operation["state"]}, {"state": state})
            await recorder.write(transaction)

    await desk.database.write(work, queue=operation["root"])


async def _remove(desk: Desk, operation: Row, order: Row | None) -> None:
    async def work(transaction: Transaction) -> None:
        await operations.remove(transaction, operation["id"])

    async def on_open(transaction: Transaction, standing: Standing) -> None:
        await _forget(transaction, standing.order, operation)
        await work(transaction)

    if order is None:
        await desk.database.write(work, queue=operation["root"])
    else:
        await on_order(desk, order, on_open)


async def _end(desk: Desk, operation: Row, order: Row | None, problem: Problem) -> None:
    async def work(transaction: Transaction) -> None:
        await end(transaction, operation, UNSETTLED, "FAILED", [problem])

    async def on_open(transaction: Transaction, standing: Standing) -> None:
        await _forget(transaction, standing.order, operation)
        await work(transaction)

    if order is None:
        await desk.database.write(work, queue=operation["root"])
    else:
        await on_order(desk, order, on_open)


async def _forget(transaction: Transaction, order: Row, operation: Row) -> None:
    """Lets the order be cancelled by another request."""
    if order["cancelOperation"] == operation["id"]:
        await orders.change(transaction, order["id"], {"cancelOperation": None})
