"""A market (WS4) that trades honestly at real closes, and answers as badly as it is told to."""

from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from services.market.fills import commission
from services.market.paper import PaperBroker
from services.market.port import MarketOrder, NotKnown, OrderReport, OrderStatus
from services.market.store import BrokerOrder, BrokerStore


class Route(StrEnum):
    """The calls of the contract."""

    HEALTH = "health"
    QUOTES = "market-data"
    EXECUTE = "execute-trade"
    ORDER = "orders"
    POSITIONS = "positions"


class Fault(StrEnum):
    """What goes wrong with one request. `before` is before the request had an effect, `after` is after it."""

    SILENT_BEFORE = "silent_before"
    SILENT_AFTER = "silent_after"
    DROP_BEFORE = "drop_before"
    DROP_AFTER = "drop_after"
    CUT_SHORT = "cut_short"  # after: the connection breaks in the middle of the answer
    STALLED = "stalled"  # after: the answer begins and never ends
    ERROR_BEFORE = "error_before"
    ERROR_AFTER = "error_after"
    GARBAGE_BEFORE = "garbage_before"
    GARBAGE_AFTER = "garbage_after"
    REDIRECT = "redirect"  # before: to another path of this server
    BUSY = "busy"  # before: 429
    NO_LOOKUP = "no_lookup"  # before: 501
    FORGOTTEN = "forgotten"  # 404 that does not say whether the market has caught up
    # Only of orders. LATE gives no answer and the order is traded at `release`, unless it came again before.
    LATE = "late"
    PARTIAL = "partial"  # half is filled, and the rest when the market is next asked about it
    PARTIAL_ENDS = "partial_ends"  # half is filled, and when the market is next asked the rest has expired
    FILLS_LATER = "fills_later"  # accepted, and filled when the market is next asked about it
    # After: the answer about the order cannot be true.
    OVERFILLED = "overfilled"
    OTHER_ORDER = "other_order"
    NO_PRICE = "no_price"
    BEYOND_LIMIT = "beyond_limit"
    FEE_BELOW_ZERO = "fee_below_zero"
    ENDED_UNFILLED = "ended_unfilled"  # filled, and rejected in the same breath


# The fault of a request, by its route and the order or account that it names; None where all goes well.
Choice: TypeAlias = Callable[[Route, str], "Fault | None"]
# Hears of each fault once the request has had what effect it has, before its answer.
Hearing: TypeAlias = Callable[[Route, str, "Fault"], None]


@dataclass(frozen=True, slots=True)
class Trade:
    """What the market's own book says of one order that traded."""

    order_id: str
    account_id: str
    symbol: str
    side: str
    quantity: Decimal
    price: Decimal
    commission: Decimal


@dataclass(slots=True)
class Venue:
    """The market behind the server: its broker and book, the faults to come, and what it was sent."""

    store: BrokerStore
    broker: PaperBroker
    faults: deque[tuple[Route, Fault]] = field(default_factory=deque[tuple[Route, Fault]])
    choose: Choice | None = None
    hear: Hearing | None = None
    lookup: bool = True
    caught_up: bool | None = True
    sent: Counter[str] = field(default_factory=Counter[str])
    calls: Counter[Route] = field(default_factory=Counter[Route])
    accounts: dict[str, str] = field(default_factory=dict[str, str])
    """The account of each order that ever arrived."""
    late: dict[str, MarketOrder] = field(default_factory=dict[str, MarketOrder])
    _shown_first: dict[str, OrderReport] = field(default_factory=dict[str, OrderReport])

    def next_fault(self, route: Route, name: str) -> Fault | None:
        """Takes the oldest fault that waits for this route, or asks `choose`."""
        self.calls[route] += 1
        waiting = next((each for each in self.faults if each[0] is route), None)
        if waiting:
            self.faults.remove(waiting)
            return waiting[1]
        return self.choose(route, name) if self.choose else None

    def plan(self, route: Route, faults: Iterable[Fault]) -> None:
        """Lets the next requests of the route meet these faults, one each."""
        self.faults.extend((route, fault) for fault in faults)

    async def execute(self, order: MarketOrder, fault: Fault | None) -> OrderReport:
        """Trades the order, unless it is here already, and says how it stands or is to be shown."""
        known = await self.store.read(lambda book: book.order(order.order_id))
        truth = await self.broker.execute(order)
        self.late.pop(order.order_id, None)
        if known is None and truth.status is OrderStatus.FILLED:
            await self._stage(order, truth, fault)
        return self._shown(truth)

    async def order(self, order_id: str) -> OrderReport | NotKnown:
        """How the order stands or is to be shown; not for good unknown while it is late."""
        found = await self.broker.order(order_id)
        if isinstance(found, NotKnown):
            return NotKnown(final=bool(self.caught_up) and order_id not in self.late)
        return self._shown(found)

    async def release(self) -> None:
        """Trades every late order that did not come again."""
        for order_id in list(self.late):
            await self.broker.execute(self.late.pop(order_id))

    async def record(self) -> list[Trade]:
        """The book: every order that traded, oldest first, as it truly stands."""
        orders = await self.store.read(lambda book: book.orders())
        return [trade for order in orders if (trade := _trade_of(order))]

    async def _stage(self, order: MarketOrder, truth: OrderReport, fault: Fault | None) -> None:
        half = _half(order, truth)
        if fault is Fault.FILLS_LATER:
            self._shown_first[order.order_id] = OrderReport(order.order_id, OrderStatus.ACCEPTED)
        elif half and fault in (Fault.PARTIAL, Fault.PARTIAL_ENDS):
            self._shown_first[order.order_id] = half
        if half and fault is Fault.PARTIAL_ENDS:
            ended = replace(half, status=OrderStatus.EXPIRED, reason="The rest found no counterparty.")
            await self.store.write(lambda book: book.update(ended))

    def _shown(self, truth: OrderReport) -> OrderReport:
        return self._shown_first.pop(truth.order_id, truth)


def _half(order: MarketOrder, truth: OrderReport) -> OrderReport | None:
    """The order with half of it filled, in whole shares; None where it is of one share or less."""
    half = order.quantity // 2
    if half == 0:
        return None
    fee = commission(order.instrument_type, half)
    return replace(truth, status=OrderStatus.PARTIALLY_FILLED, filled_quantity=half, commission=fee)


def _trade_of(order: BrokerOrder) -> Trade | None:
    terms, report = order.terms, order.report
    if terms is None or report.avg_fill_price is None:
        return None
    return Trade(
        terms.order_id,
        terms.account_id,
        terms.symbol,
        terms.side.value,
        report.filled_quantity,
        report.avg_fill_price,
        report.commission,
    )
