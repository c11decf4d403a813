"""The date of a market over HTTP: from its quotes, kept for every process, and never back."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date

import pytest

from graph import clock
from services.ledger import Deposit
from services.market.days import DayInGraph, DayInMemory, KeptDay
from services.market.http import HttpMarket
from services.pipeline import Pipeline
from services.prices import PriceBook
from tests.support.house import House, op
from tests.support.trading import an_account, books
from tests.support.ws4_server import MarketServer
from tests.support.ws4_venue import Fault, Route

pytestmark = pytest.mark.anyio

FIRST, NEXT = date(2022, 12, 27), date(2022, 12, 28)
NOBODY = "http://127.0.0.1:9"


@pytest.fixture
async def server() -> AsyncGenerator[MarketServer]:
    async with MarketServer(first_date=FIRST) as running:
        yield running


@asynccontextmanager
async def started(house: House, url: str, market: str) -> AsyncGenerator[House]:
    """A process that trades at the address; `market` is the name under which the market's date is kept."""
    client = HttpMarket(url, seconds=2, days=DayInGraph(house.desk.database, market))
    prices = PriceBook(client, house.desk.database)
    desk = replace(house.desk, market=client, prices=prices)
    yield House(desk, Pipeline(desk), house.admin, house.market, house.root)
    await prices.aclose()
    await client.aclose()


async def deposited_on(house: House, account: str) -> str:
    """The value date of a new deposit."""
    await house.do(Deposit(operation_id=op(), account_id=account, amount="1"))
    return (await books(house, account)).entries[-1]["valueDate"]


async def test_the_first_deposit_of_a_process_has_the_market_date(house: House, server: MarketServer) -> None:
    account, name = await an_account(house, None), op()
    async with started(house, server.url, name) as process:
        assert await deposited_on(process, account) == FIRST.isoformat()
        assert await deposited_on(process, account) == FIRST.isoformat()
    assert server.venue.calls[Route.QUOTES] == 1, "the second deposit knew the date"


async def test_a_newer_date_is_every_processs_and_outlives_them_and_the_market(
    house: House, server: MarketServer
) -> None:
    account, name = await an_account(house, None), op()
    async with started(house, server.url, name) as one, started(house, server.url, name) as other:
        assert await deposited_on(one, account) == FIRST.isoformat()
        await server.advance(NEXT)
        assert await deposited_on(other, account) == NEXT.isoformat()
        assert await deposited_on(one, account) == NEXT.isoformat()
    async with started(house, NOBODY, name) as process:
        assert await deposited_on(process, account) == NEXT.isoformat()


async def test_a_market_that_fails_for_a_while_tells_its_date_when_it_is_back(
    house: House, server: MarketServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await an_account(house, None)
    await server.plan(Route.QUOTES, [Fault.ERROR_BEFORE] * 2)
    async with started(house, server.url, op()) as process:
        assert await deposited_on(process, account) == clock.now().date().isoformat()
        monkeypatch.setattr("services.market.http.FAILED_SECONDS", 0.0)
        assert await deposited_on(process, account) == FIRST.isoformat()


async def test_quotes_that_are_old_are_asked_for_again(
    house: House, server: MarketServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await an_account(house, None)
    async with started(house, server.url, op()) as process:
        assert await deposited_on(process, account) == FIRST.isoformat()
        await server.advance(NEXT)
        monkeypatch.setattr("services.market.http.FRESH_SECONDS", 0.0)
        assert await deposited_on(process, account) == NEXT.isoformat()


async def test_a_market_that_was_never_reached_refuses_no_deposit(house: House) -> None:
    account = await an_account(house, None)
    async with started(house, NOBODY, op()) as process:
        assert await deposited_on(process, account) == clock.now().date().isoformat()


@pytest.mark.parametrize("kind", ["graph", "memory"])
async def test_a_date_that_is_kept_never_goes_back(house: House, kind: str) -> None:
    name = op()

    def opened() -> KeptDay:
        return DayInGraph(house.desk.database, name) if kind == "graph" else DayInMemory()

    days = opened()
    assert await days.newest() is None
    told = await asyncio.gather(*(days.keep(day) for day in (NEXT, FIRST, NEXT, FIRST)))
    assert told[0] == told[2] == NEXT
    assert await days.keep(FIRST) == await days.newest() == NEXT
    assert await (opened() if kind == "graph" else days).newest() == NEXT


async def test_markets_have_dates_of_their_own(house: House) -> None:
    one, other = (DayInGraph(house.desk.database, op()) for _ in range(2))
    await one.keep(NEXT)
    assert await other.keep(FIRST) == FIRST
