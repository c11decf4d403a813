"""Books what the market reports of an order: once, whoever reports it, and however often."""

from datetime import timedelta
from typing import Any

from graph import clock, operations, orders, positions
from graph.database import Row, Transaction
from graph.journal import Recorder
from graph.orders import Standing
from services.desk import Desk
from services.facts import text
from services.market.checks import check_report
from services.market.port import MarketError, OrderReport, OrderStatus, Side
from services.operations import RUNNING, problem_json, take_feed
from services.orders.booking import Booking, booking
from services.orders.claims import on_order
from services.orders.holdings import Held, Purchase, add, hold, remove
from services.orders.holds import remaining_hold
from services.orders.outcomes import ended_already, outcome, shortfall
from services.orders.terms import booked_report, market_order
from services.posting import EntryKind, Occasion, Outside, PostingSet
from services.problems import Problem

UNKNOWN = "UNKNOWN"
UNSETTLED = (RUNNING, UNKNOWN)
POLL = timedelta(seconds=20)
"""How long an order that is open or not proved waits until the market is asked again."""


def next_due() -> str:
    """The instant, as text, at which an unsettled order is looked at again."""
    return clock.to_text(clock.now() + POLL)


async def settle(desk: Desk, order: Row, report: OrderReport) -> bool:
    """Books what the report adds to the order, and ends the order and its operation where the report is final.

    A report that is older than what is booked changes nothing. False where the order was withdrawn meanwhile. Raises
    MarketUnknown where the report cannot be true.
    """
    day = await _market_day(desk, order)

    async def work(transaction: Transaction, standing: Standing) -> bool:
        known = standing.order
        if not known["open"] or report.filled_scaled < known["filledQuantity"]:
            return True
        check_report(market_order(known), report, booked_report(known))
        if report == booked_report(known):
            await operations.change(transaction, known["operation"], UNSETTLED, {"dueAt": next_due()})
            return True
        recorder = await take_feed(transaction, standing.operation)
        await _Settlement(transaction, recorder, standing, report, day).write()
        return True

    return await on_order(desk, order, work) or False


async def _market_day(desk: Desk, order: Row) -> str:
    try:
        return (await desk.market.market_date()).isoformat()
    except MarketError:
        return order["valueDate"]


class _Settlement:
    """One report's transaction."""

    def __init__(
        self, transaction: Transaction, recorder: Recorder, standing: Standing, report: OrderReport, day: str
    ) -> None:
        self._transaction = transaction
        self._recorder = recorder
        self._standing = standing
        self._order = standing.order
        self._account: str = standing.account["id"]
        self._report = report
        self._final = report.status.final
        self._side = Side(self._order["side"])
        self._booking: Booking = booking(self._order, report)
        self._left: int = 0 if self._final else self._order["quantity"] - report.filled_scaled
        self._at = recorder.next_at()
        self._day = day
        self._book = PostingSet({self._account: standing.account}, Occasion(self._order["operation"], self._at, day))
        self._entries: list[str] = list(self._order["entries"])

    async def write(self) -> None:
        """Writes positions, entries, cash, the order and its operation, and records them."""
        changed = await self._change_position()
        held = self._release()
        self._post(changed)
        order = self._order_after(held)
        self._record(changed, order)
        await self._book.write(self._transaction)
        await orders.change(self._transaction, self._order["id"], order)
        if self._booking.quantity and not self._order["filledQuantity"]:
            await orders.count_traded(self._transaction, self._account)
        await self._change_operation()
        await self._end_cancellation()
        await self._recorder.write(self._transaction)

    async def _change_position(self) -> Held | None:
        order, quantity = self._order, self._booking.quantity
        if self._side is Side.BUY:
            bought = Purchase(order["symbol"], quantity, self._booking.price, order["id"], self._at, self._day)
            return await add(self._transaction, self._standing.account, bought) if quantity else None
        released = order["heldQuantity"] - self._left
        if not released:
            return None
        position = await positions.of_symbol(self._transaction, self._account, order["symbol"])
        assert position is not None, "an open sell holds what it sells"
        if not quantity:
            return await hold(self._transaction, position, -released)
        rule_of_lots: str = order["lotRule"]
        return await remove(self._transaction, position, quantity, released=released, rule=rule_of_lots, at=self._at)

    def _spent(self) -> int:
        return self._booking.amount + self._booking.fee if self._side is Side.BUY else 0

    def _beyond(self) -> int:
        """What the fills since cost beyond what the order held, in minor units."""
        return max(0, self._spent() - self._order["held"])

    def _release(self) -> int:
        """Lets go of the cash that is not held any more; what still is."""
        order = self._order
        spent = self._spent()
        held = remaining_hold(order["held"], spent, self._left)
        self._book.hold(self._account, held - order["held"])
        if not self._final and self._booking.quantity:
            self._book.amend(self._standing.entry, amount=-held, quantity=self._left)
        return held

    def _post(self, changed: Held | None) -> None:
        order, booked, book = self._order, self._booking, self._book
        if not booked.quantity:
            if self._final:
                book.amend(self._standing.entry, state="VOIDED")
            return
        facts: dict[str, Any] = {"symbol": order["symbol"], "order": order["id"]}
        trade = facts | {"quantity": booked.quantity, "price": text(booked.price)}
        amount = -booked.amount
        if self._side is Side.SELL:
            assert changed is not None, "a sale takes lots"
            amount = booked.amount
            trade["gain"] = amount - changed.cost
        pending = order["entry"] if self._final else None
        self._entries.append(book.book(self._account, amount, EntryKind.TRADE, pending, **trade))
        book.outside(Outside.MARKET, -amount, EntryKind.TRADE)
        if booked.fee:
            self._entries.append(book.book(self._account, -booked.fee, EntryKind.FEE, **facts))
            book.outside(Outside.COMMISSION, booked.fee, EntryKind.FEE)

    def _order_after(self, held: int) -> Row:
        report = self._report
        average = report.avg_fill_price
        return {
            "open": not self._final,
            "status": report.status.value,
            "reason": report.reason,
            "held": held,
            "heldQuantity": self._left if self._side is Side.SELL else 0,
            "filledQuantity": report.filled_scaled,
            "averagePrice": None if average is None else format(average, "f"),
            "charged": format(report.commission, "f"),
            "cost": self._booking.cost,
            "commission": self._booking.commission,
            "entries": self._entries,
            "beyond": self._order["beyond"] + self._beyond(),
            "endedAt": self._at if self._final else None,
        }

    def _record(self, changed: Held | None, order: Row) -> None:
        account, after_account = self._standing.account, self._book.accounts[self._account]
        before: Row = {self._account: {name: account[name] for name in ("cash", "held")}}
        after: Row = {
            "accounts": {self._account: {name: after_account[name] for name in ("cash", "held")}},
            "entries": self._book.journal,
            "order": {"id": self._order["id"], **order},
        }
        if changed is not None:
            position = changed.after["id"]
            before[position] = None if changed.before is None else _journaled(changed.before)
            after["positions"] = {position: _journaled(changed.after)}
            after["lots"] = changed.lots
        ended = "ORDER_ENDED" if self._final else "ORDER_CHANGED"
        self._recorder.add("POSTED" if self._booking.quantity else ended, [self._account], before, after)

    async def _change_operation(self) -> None:
        before: str = self._standing.operation["state"]
        state, problem = outcome(self._order, self._report)
        entry: str = self._order["entry"]
        pending = [] if entry in self._entries or (self._final and self._entries) else [entry]
        traded = entry if entry in self._entries else next(iter(self._entries), None)
        changes: Row = {
            "state": state,
            "payload": {"transactions": [*self._entries, *pending]},
            "dueAt": None if self._final else next_due(),
        }
        problems = [each for each in (self._shortfall(), problem) if each]
        if problems:
            changes["problems"] = [*self._standing.operation["problems"], *map(problem_json, problems)]
        if self._final:
            changes |= {"result": traded, "finishedAt": self._at}
        await operations.change(self._transaction, self._order["operation"], UNSETTLED, changes)
        if state != before:
            self._recorder.add("OPERATION_CHANGED", [self._account], {"state": before}, {"state": state})

    def _shortfall(self) -> Problem | None:
        if not self._beyond():
            return None
        return shortfall(self._book.accounts[self._account], self._spent(), self._order["held"])

    async def _end_cancellation(self) -> None:
        """Ends the operation that asked to cancel the order, where the order has ended, in whatever way."""
        cancelling = self._order["cancelOperation"]
        if cancelling is None or not self._final:
            return
        done = self._report.status is OrderStatus.CANCELLED
        changes: Row = {
            "state": "SUCCEEDED" if done else "FAILED",
            "problems": [] if done else [problem_json(ended_already(self._report.status.name))],
            "result": self._order["operation"],
            "finishedAt": self._at,
            "dueAt": None,
        }
        if await operations.change(self._transaction, cancelling, UNSETTLED, changes):
            after = {"operation": cancelling, "state": changes["state"]}
            self._recorder.add("OPERATION_CHANGED", [self._account], {"operation": cancelling}, after)


def _journaled(position: Row) -> Row:
    return {name: position[name] for name in ("symbol", "quantity", "held", "cost")}
