"""The market's date, moved once for an operation id: repeated, at once, by a server that dies, by one that goes on."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from graph import operations
from graph.database import Row
from services.market.http import HttpMarket
from services.market.paper import PaperBroker
from services.market.paper_store import SqliteStore
from services.market.port import MarketUnavailable, OrderReport
from services.market.prices import shipped_prices
from services.market_control import AdvanceMarketDate, go_on
from services.pipeline import Pipeline
from services.prices import PriceBook
from services.problems import Refused
from services.worker import Worker
from tests.support.house import House, op
from tests.support.trading import JOURNAL, an_account, operation_of, order_of, place, refusal

pytestmark = pytest.mark.anyio

START = date(2022, 3, 1)
NEXT, LATER = START + timedelta(days=1), START + timedelta(days=8)


class Moves(PaperBroker):
    """The embedded market, which counts the moves of its date and can be gone when it is to move."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.moves: list[date] = []
        self.gone = False

    async def reach(self, to: date) -> list[OrderReport]:
        if self.gone:
            raise MarketUnavailable("gone for this test")
        before = await self.market_date()
        reports = await super().reach(to)
        if await self.market_date() != before:
            self.moves.append(to)
        return reports


@dataclass
class Trading:
    house: House
    market: Moves

    async def records(self, operation: str) -> list[Row]:
        """What the installation's feed says of an operation."""
        feed = self.house.desk.installation
        rows = await self.house.desk.database.run(JOURNAL, feed=feed)
        return [row["record"] for row in rows if row["record"]["operation"] == operation]


@pytest.fixture
async def trading(house: House, tmp_path: Path) -> AsyncGenerator[Trading]:
    """The house with a market that keeps its record in a file and has days ahead of it."""
    store = await SqliteStore.open(tmp_path / "market.sqlite")
    await PaperBroker.open(store, shipped_prices(), START)
    market = Moves(store, shipped_prices())
    desk = replace(house.desk, market=market, prices=PriceBook(market, house.desk.database))
    yield Trading(House(desk, Pipeline(desk), house.admin, market, house.root), market)
    await desk.prices.aclose()
    await market.aclose()


class Dies(AdvanceMarketDate):
    """Recorded by a process that dies before the market moves."""

    async def after(self, desk: Any, operation: str) -> None:
        del desk, operation


def to(day: date, operation_id: str = "") -> AdvanceMarketDate:
    return AdvanceMarketDate(operation_id=operation_id or op(), date=day)


async def recorded_only(trading: Trading, command: AdvanceMarketDate) -> str:
    """The operation of a command that a process recorded and died."""
    outcome = await trading.house.do(Dies.model_validate(command.model_dump()))
    assert await trading.market.market_date() == START
    assert (await operation_of(trading.house, outcome.operation))["state"] == "RUNNING"
    return outcome.operation


async def test_a_date_is_recorded_and_reached_once(trading: Trading) -> None:
    command = to(NEXT)
    outcomes = await asyncio.gather(*(trading.house.do(command) for _ in range(5)))
    assert len({outcome.operation for outcome in outcomes}) == 1
    assert trading.market.moves == [NEXT]
    operation = outcomes[0].operation
    assert (await operation_of(trading.house, operation))["state"] == "SUCCEEDED"
    kinds = [record["kind"] for record in await trading.records(operation)]
    assert kinds == ["MARKET_CHANGED", "OPERATION_CHANGED"]


@pytest.mark.parametrize("goes_on", ["the caller", "the worker"])
async def test_what_a_dead_process_recorded_is_done_once(trading: Trading, goes_on: str) -> None:
    command = to(NEXT)
    operation = await recorded_only(trading, command)
    if goes_on == "the caller":
        assert (await trading.house.do(command)).operation == operation
    else:
        await Worker(trading.house.pipeline)._one(await operation_of(trading.house, operation))
    assert await trading.market.market_date() == NEXT
    assert (await operation_of(trading.house, operation))["state"] == "SUCCEEDED"
    await asyncio.gather(go_on(trading.house.desk, operation), trading.house.do(command))
    assert trading.market.moves == [NEXT]
    assert len(await trading.records(operation)) == 2


async def test_what_died_after_the_market_moved_does_not_move_it_again(trading: Trading) -> None:
    command = to(NEXT)
    operation = await recorded_only(trading, command)
    account = await an_account(trading.house)
    order = await order_of(trading.house, (await place(trading.house, account, "BUY", "1", limit_price="1")).operation)
    await trading.market.reach(NEXT)
    await trading.house.do(to(LATER))
    assert (await trading.house.do(command)).operation == operation
    assert trading.market.moves == [NEXT, LATER]
    assert await trading.market.market_date() == LATER
    assert (await operation_of(trading.house, operation))["state"] == "SUCCEEDED"
    found = await operations.find(trading.house.desk.database, [order["operation"]])
    await Worker(trading.house.pipeline)._one(found[order["operation"]])
    assert (await operation_of(trading.house, order["operation"]))["state"] == "FAILED", "it expired on the way"


async def test_a_market_that_is_gone_then_is_moved_when_it_is_back(trading: Trading) -> None:
    trading.market.gone = True
    command = to(NEXT)
    operation = (await trading.house.do(command)).operation
    assert (await operation_of(trading.house, operation))["state"] == "RUNNING"
    trading.market.gone = False
    assert (await trading.house.do(command)).operation == operation
    assert (await operation_of(trading.house, operation))["state"] == "SUCCEEDED"
    assert trading.market.moves == [NEXT]


async def test_what_is_refused_moves_nothing(trading: Trading) -> None:
    stranger = replace(trading.house.admin, administrator=False)
    assert [problem.code.value for problem in await refusal(trading.house, to(NEXT), stranger)] == ["FORBIDDEN"]
    await trading.house.do(to(NEXT))
    (problem,) = await refusal(trading.house, to(START))
    assert (problem.code.value, problem.path) == ("INVALID_INPUT", ("date",))
    assert trading.market.moves == [NEXT]
    with pytest.raises(Refused):
        await trading.market.check_advance(START)
    assert await trading.market.reach(START) == []


async def test_a_server_with_another_market_ends_what_cannot_be_done(trading: Trading) -> None:
    operation = await recorded_only(trading, to(NEXT))
    market = HttpMarket("http://127.0.0.1:9")
    await go_on(replace(trading.house.desk, market=market), operation)
    row = await operation_of(trading.house, operation)
    assert (row["state"], row["problems"][0]["code"]) == ("FAILED", "RULE_VIOLATION")
    await market.aclose()
