"""The ports of one running application, made as the settings say, and given back at its end."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

from accountgraph.data_folder import StartFailed
from accountgraph.settings import Settings
from graph.database import Database
from services.market.days import DayInGraph
from services.market.http import HttpMarket
from services.market.paper import PaperBroker
from services.market.paper_store import SqliteStore, StoreUnusable
from services.market.port import Market, MarketError
from services.market.prices import Prices, shipped_prices
from services.market.weeks import WeekMove, week_move
from services.protocol.embedded import EmbeddedProtocol
from services.protocol.http import HttpProtocol
from services.protocol.port import ProtocolPort
from services.protocol.weeks import CallMove, MarketCondition, MovesOf, WeekMoves

MARKET_FILE = "market.sqlite"
_FALL = Decimal(-1)
_CALM = Decimal("0.5")


async def open_market(settings: Settings, database: Database) -> Market:
    """WS4 at its address, or the paper broker whose record is in the data folder. Raises StartFailed."""
    if settings.market_url is not None:
        return HttpMarket(settings.market_url, days=DayInGraph(database, settings.market_url))
    return await open_paper_market(settings.data_dir, settings.market_date)


async def open_paper_market(data_dir: Path, first_date: date | None) -> PaperBroker:
    """The paper broker of a data folder. Raises StartFailed."""
    try:
        return await PaperBroker.open(await SqliteStore.open(data_dir / MARKET_FILE), shipped_prices(), first_date)
    except (StoreUnusable, MarketError) as error:
        raise StartFailed(str(error)) from error


def open_protocol(settings: Settings, market: Market) -> ProtocolPort:
    """WS2 at its address, or the embedded rules with weeks classified from the shipped prices."""
    if settings.protocol_url is not None:
        return HttpProtocol(settings.protocol_url)
    return EmbeddedProtocol(_moves(market, shipped_prices))


def _moves(market: Market, prices: Callable[[], Prices]) -> MovesOf:
    async def moves_of(monday: date) -> WeekMoves | None:
        move = week_move(prices(), monday, await market.market_date())
        return None if move is None else WeekMoves(CallMove(move.change), _condition(move))

    return moves_of


def _condition(move: WeekMove) -> MarketCondition:
    """Red where the week fell by a day's range or more, chop where it moved by less than half of one, else green."""
    if move.in_ranges <= _FALL:
        return MarketCondition.RED
    return MarketCondition.CHOP if abs(move.in_ranges) < _CALM else MarketCondition.GREEN
