"""A market that is another one, and fails in the next calls as it is told."""

from collections import defaultdict, deque
from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from typing_extensions import override

from services.desk import Desk
from services.market.port import Market, MarketError, MarketOrder, NotKnown, OrderReport, Quote
from services.pipeline import Pipeline
from services.prices import PriceBook
from tests.support.house import House


@dataclass
class FailingMarket(Market):
    """Answers as `real` does, but for the failures that wait for a call of that name."""

    real: Market
    waiting: dict[str, deque[MarketError]] = field(default_factory=lambda: defaultdict(deque))

    def fail(self, call: str, *errors: MarketError) -> None:
        """Lets the next calls of this name raise these, one each."""
        self.waiting[call].extend(errors)

    def _meet(self, call: str) -> None:
        if self.waiting[call]:
            raise self.waiting[call].popleft()

    @override
    async def quotes(self, symbols: Collection[str]) -> dict[str, Quote]:
        self._meet("quotes")
        return await self.real.quotes(symbols)

    @override
    async def execute(self, order: MarketOrder) -> OrderReport:
        self._meet("execute")
        return await self.real.execute(order)

    @override
    async def order(self, order_id: str) -> OrderReport | NotKnown:
        self._meet("order")
        return await self.real.order(order_id)

    @override
    async def cancel(self, order_id: str) -> OrderReport:
        self._meet("cancel")
        return await self.real.cancel(order_id)

    @override
    async def positions(self, account_id: str) -> dict[str, Decimal]:
        return await self.real.positions(account_id)

    @override
    async def market_date(self) -> date:
        self._meet("market_date")
        return await self.real.market_date()

    @override
    async def healthy(self) -> bool:
        return await self.real.healthy()

    @override
    async def aclose(self) -> None:
        """Leaves the real market open: it belongs to its house."""


@asynccontextmanager
async def failing(house: House) -> AsyncGenerator[tuple[House, FailingMarket]]:
    """The house at a market that can be told to fail, and that market."""
    desk = house.desk
    market = FailingMarket(house.market)
    prices = PriceBook(market, desk.database)
    there = Desk(desk.database, desk.protocol, market, prices, desk.installation)
    yield House(there, Pipeline(there), house.admin, house.market, house.root), market
    await prices.aclose()
