"""The three markets that keep one contract, each with its administrator's levers."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from graph.ids import Kind, new_id
from services.market.http import HttpMarket
from services.market.paper import PaperBroker
from services.market.paper_store import SqliteStore
from services.market.port import Market, MarketOrder, Side
from services.market.prices import shipped_prices
from services.market.store import BrokerStore, MemoryStore
from tests.support.ws4_server import MarketServer

KINDS = ("paper-memory", "paper-sqlite", "http")


@dataclass(frozen=True, slots=True)
class Rig:
    """A market, and what its administrator can do."""

    market: Market
    advance: Callable[[date], Awaitable[object]]
    halt: Callable[[str], Awaitable[object]]
    resume: Callable[[str], Awaitable[object]]


@asynccontextmanager
async def market_rig(kind: str, folder: Path, first_date: date | None = None) -> AsyncGenerator[Rig]:
    """One of KINDS, with a new record."""
    if kind == "http":
        async with MarketServer(first_date=first_date) as server:
            client = HttpMarket(server.url)
            yield Rig(client, server.advance, server.halt, server.resume)
            await client.aclose()
        return
    store: BrokerStore = MemoryStore()
    if kind == "paper-sqlite":
        store = await SqliteStore.open(folder / "market.sqlite")
    broker = await PaperBroker.open(store, shipped_prices(), first_date)
    yield Rig(broker, broker.advance, broker.halt, broker.resume)
    await broker.aclose()


def an_order(symbol: str = "AAPL", quantity: str = "10", side: Side = Side.BUY, **changed: Any) -> MarketOrder:
    """A market order of a new id, changed as said."""
    given: dict[str, Any] = {"order_id": new_id(Kind.ORDER), "account_id": "acc_1", "at": datetime.now(UTC)}
    return MarketOrder(symbol=symbol, quantity=Decimal(quantity), side=side, **given | changed)
