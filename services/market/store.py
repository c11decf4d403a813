"""The embedded broker's record: a port for keeping it, and the record in memory."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from typing_extensions import override

from services.market.port import MarketOrder, OrderReport, Side

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BrokerOrder:
    """An order in the broker's record; it has no terms where it was cancelled before it arrived."""

    report: OrderReport
    terms: MarketOrder | None

    @property
    def signed_scaled(self) -> int:
        """What the order added to its account's position, in units of 1e-8."""
        sign = -1 if self.terms and self.terms.side is Side.SELL else 1
        return sign * self.report.filled_scaled


class Book(ABC):
    """The record as one piece of work sees it: all that it reads is of one moment."""

    @abstractmethod
    def order(self, order_id: str) -> BrokerOrder | None:
        """The order of that id, if it was recorded."""

    @abstractmethod
    def orders(self, *, open_only: bool = False) -> list[BrokerOrder]:
        """Every order, or those that may still trade, oldest first."""

    @abstractmethod
    def put(self, order: BrokerOrder) -> None:
        """Records a new order. Raises ValueError where its id is recorded already."""

    @abstractmethod
    def update(self, report: OrderReport) -> None:
        """Records how an order now stands. Raises ValueError where its id is not recorded."""

    @abstractmethod
    def positions(self, account_id: str) -> dict[str, int]:
        """The sum of the account's trades in units of 1e-8 for each symbol where it is not zero."""

    @abstractmethod
    def market_date(self) -> date | None:
        """The market's date; None in a new record."""

    @abstractmethod
    def set_market_date(self, day: date) -> None:
        """Records the market's date."""

    @abstractmethod
    def halted(self) -> frozenset[str]:
        """The symbols that do not trade now."""

    @abstractmethod
    def set_halted(self, symbol: str, *, halted: bool) -> None:
        """Records whether the symbol is halted."""


class BrokerStore(ABC):
    """Keeps the record. Work sees it as no other work is changing it, also from another process."""

    @abstractmethod
    async def read(self, work: Callable[[Book], T]) -> T:
        """What the work returns. Raises MarketUnavailable where the record cannot be read."""

    @abstractmethod
    async def write(self, work: Callable[[Book], T]) -> T:
        """What the work returns; what it recorded is kept whole before this returns, or not at all where it raises.

        Raises MarketUnavailable where nothing was kept, and MarketUnknown where that is not certain.
        """

    @abstractmethod
    async def aclose(self) -> None:
        """Gives back what the store holds."""


@dataclass(slots=True)
class MemoryBook(Book):
    """The record in memory."""

    by_id: dict[str, BrokerOrder] = field(default_factory=dict[str, BrokerOrder])
    day: date | None = None
    halts: frozenset[str] = frozenset()

    @override
    def order(self, order_id: str) -> BrokerOrder | None:
        return self.by_id.get(order_id)

    @override
    def orders(self, *, open_only: bool = False) -> list[BrokerOrder]:
        return [order for order in self.by_id.values() if not (open_only and order.report.status.final)]

    @override
    def put(self, order: BrokerOrder) -> None:
        if order.report.order_id in self.by_id:
            raise ValueError(f"order {order.report.order_id} is recorded already")
        self.by_id[order.report.order_id] = order

    @override
    def update(self, report: OrderReport) -> None:
        if report.order_id not in self.by_id:
            raise ValueError(f"order {report.order_id} is not recorded")
        self.by_id[report.order_id] = BrokerOrder(report, self.by_id[report.order_id].terms)

    @override
    def positions(self, account_id: str) -> dict[str, int]:
        sums: dict[str, int] = {}
        for order in self.by_id.values():
            if order.terms and order.terms.account_id == account_id:
                sums[order.terms.symbol] = sums.get(order.terms.symbol, 0) + order.signed_scaled
        return {symbol: scaled for symbol, scaled in sums.items() if scaled}

    @override
    def market_date(self) -> date | None:
        return self.day

    @override
    def set_market_date(self, day: date) -> None:
        self.day = day

    @override
    def halted(self) -> frozenset[str]:
        return self.halts

    @override
    def set_halted(self, symbol: str, *, halted: bool) -> None:
        self.halts = self.halts | {symbol} if halted else self.halts - {symbol}


class MemoryStore(BrokerStore):
    """Keeps the record as long as the object lives."""

    def __init__(self) -> None:
        self._book = MemoryBook()

    @override
    async def read(self, work: Callable[[Book], T]) -> T:
        return work(self._book)

    @override
    async def write(self, work: Callable[[Book], T]) -> T:
        # Work that raises half-way leaves the record as it was: it changes a copy.
        changed = MemoryBook(dict(self._book.by_id), self._book.day, self._book.halts)
        done = work(changed)
        self._book = changed
        return done

    @override
    async def aclose(self) -> None:
        """Holds nothing to give back."""
