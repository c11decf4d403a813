"""The HTTP adapter against a market that misbehaves: each fault has the one outcome that is true of it."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from graph import clock
from services.market.http import HttpMarket
from services.market.port import (
    LookupUnsupported,
    MarketCannotCancel,
    MarketNotTaken,
    MarketOrder,
    MarketUnavailable,
    MarketUnknown,
    NotKnown,
    OrderReport,
    OrderStatus,
    OrderType,
)
from tests.support.ws4_rigs import an_order
from tests.support.ws4_server import MarketProcess, MarketServer
from tests.support.ws4_venue import Fault, Route

pytestmark = pytest.mark.anyio

SECONDS = 0.4
BEFORE = [
    Fault.SILENT_BEFORE,
    Fault.DROP_BEFORE,
    Fault.ERROR_BEFORE,
    Fault.GARBAGE_BEFORE,
    Fault.REDIRECT,
    Fault.FORGOTTEN,
    Fault.NO_LOOKUP,
]
AFTER = [Fault.SILENT_AFTER, Fault.DROP_AFTER, Fault.CUT_SHORT, Fault.STALLED, Fault.ERROR_AFTER, Fault.GARBAGE_AFTER]
LIES = [
    Fault.OVERFILLED,
    Fault.OTHER_ORDER,
    Fault.NO_PRICE,
    Fault.BEYOND_LIMIT,
    Fault.FEE_BELOW_ZERO,
    Fault.ENDED_UNFILLED,
]


@pytest.fixture(scope="module")
async def shared() -> AsyncGenerator[MarketServer]:
    async with MarketServer() as running:
        yield running


@pytest.fixture
async def server(shared: MarketServer) -> MarketServer:
    """The module's market, which goes well again."""
    shared.venue.faults.clear()
    shared.venue.calls.clear()
    await shared.set_lookup()
    return shared


@pytest.fixture(scope="module")
async def market(shared: MarketServer) -> AsyncGenerator[HttpMarket]:
    client = HttpMarket(shared.url, seconds=SECONDS)
    yield client
    await client.aclose()


async def _traded(server: MarketServer, order: MarketOrder) -> list[Decimal]:
    return [trade.quantity for trade in (await server.record()).trades if trade.order_id == order.order_id]


def _limited() -> MarketOrder:
    return an_order("AAPL", order_type=OrderType.LIMIT, limit_price=Decimal(130))


@pytest.mark.parametrize("fault", [*BEFORE, *AFTER, *LIES])
async def test_an_answer_that_is_no_proof_leaves_the_order_unknown_and_it_is_sent_once(
    server: MarketServer, market: HttpMarket, fault: Fault
) -> None:
    order = _limited()
    await server.plan(Route.EXECUTE, [fault])
    with pytest.raises(MarketUnknown):
        await market.execute(order)
    assert (await server.record()).sent[order.order_id] == 1
    assert await _traded(server, order) == ([] if fault in BEFORE else [10])


@pytest.mark.parametrize("fault", [*BEFORE, *AFTER, *LIES])
async def test_the_same_order_sent_again_proves_its_outcome(
    server: MarketServer, market: HttpMarket, fault: Fault
) -> None:
    order = _limited()
    await server.plan(Route.EXECUTE, [fault])
    with pytest.raises(MarketUnknown):
        await market.execute(order)
    report = await market.execute(order)
    assert report.status is OrderStatus.FILLED
    assert await market.order(order.order_id) == report
    assert await _traded(server, order) == [10]


async def test_a_busy_market_took_nothing(server: MarketServer, market: HttpMarket) -> None:
    order = an_order("AAPL")
    await server.plan(Route.EXECUTE, [Fault.BUSY])
    with pytest.raises(MarketNotTaken):
        await market.execute(order)
    assert await _traded(server, order) == []
    assert (await market.execute(order)).status is OrderStatus.FILLED


async def test_a_market_that_is_not_there_got_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = taken.getsockname()[1]
    market = HttpMarket(f"http://127.0.0.1:{free}", seconds=SECONDS)
    with pytest.raises(MarketUnavailable):
        await market.execute(an_order("AAPL"))
    with pytest.raises(MarketUnavailable):
        await market.quotes(["AAPL"])
    with pytest.raises(MarketUnavailable):
        await market.order("ord_1")
    with pytest.raises(MarketUnavailable):
        await market.positions("acc_1")
    assert not await market.healthy()
    assert await market.market_date() == clock.now().date()
    await market.aclose()


async def test_a_partial_fill_is_told_in_cumulative_figures(server: MarketServer, market: HttpMarket) -> None:
    order = an_order("AAPL", "11")
    await server.plan(Route.EXECUTE, [Fault.PARTIAL])
    part = await market.execute(order)
    assert (part.status, part.filled_quantity, part.commission) == (OrderStatus.PARTIALLY_FILLED, 5, Decimal("0.02"))
    whole = await market.order(order.order_id)
    assert isinstance(whole, OrderReport)
    assert (whole.status, whole.filled_quantity, whole.commission) == (OrderStatus.FILLED, 11, Decimal("0.06"))


async def test_the_rest_of_a_partial_fill_may_expire(server: MarketServer, market: HttpMarket) -> None:
    order = an_order("AAPL", "11", account_id="acc_of_parts")
    await server.plan(Route.EXECUTE, [Fault.PARTIAL_ENDS])
    assert (await market.execute(order)).status is OrderStatus.PARTIALLY_FILLED
    ended = await market.order(order.order_id)
    assert isinstance(ended, OrderReport)
    assert (ended.status, ended.filled_quantity) == (OrderStatus.EXPIRED, 5)
    assert await market.positions("acc_of_parts") == {"AAPL": 5}


async def test_an_accepted_order_may_fill_later(server: MarketServer, market: HttpMarket) -> None:
    order = an_order("AAPL")
    await server.plan(Route.EXECUTE, [Fault.FILLS_LATER])
    assert (await market.execute(order)).status is OrderStatus.ACCEPTED
    assert (await market.execute(order)).status is OrderStatus.FILLED


async def test_a_late_order_is_not_known_for_good_until_it_traded(server: MarketServer, market: HttpMarket) -> None:
    order = an_order("AAPL")
    await server.plan(Route.EXECUTE, [Fault.LATE])
    with pytest.raises(MarketUnknown):
        await market.execute(order)
    assert await market.order(order.order_id) == NotKnown(final=False)
    await server.release()
    found = await market.order(order.order_id)
    assert isinstance(found, OrderReport)
    assert found.status is OrderStatus.FILLED


@pytest.mark.parametrize(("caught_up", "final"), [(True, True), (False, False), (None, False)])
async def test_only_a_market_that_has_caught_up_is_final_about_an_unknown_order(
    server: MarketServer, market: HttpMarket, caught_up: bool | None, final: bool
) -> None:
    await server.set_lookup(caught_up=caught_up)
    assert await market.order("ord_never") == NotKnown(final=final)


async def test_a_404_of_something_else_is_not_final(server: MarketServer) -> None:
    elsewhere = HttpMarket(f"{server.url}/not/here", seconds=SECONDS)
    assert await elsewhere.order("ord_1") == NotKnown(final=False)
    with pytest.raises(MarketUnknown):
        await elsewhere.execute(an_order("AAPL"))
    await elsewhere.aclose()


async def test_a_market_without_lookups_proves_by_the_same_order(server: MarketServer, market: HttpMarket) -> None:
    await server.set_lookup(lookup=False)
    order = an_order("AAPL")
    await server.plan(Route.EXECUTE, [Fault.DROP_AFTER])
    with pytest.raises(MarketUnknown):
        await market.execute(order)
    with pytest.raises(LookupUnsupported):
        await market.order(order.order_id)
    assert (await market.execute(order)).status is OrderStatus.FILLED


@pytest.mark.parametrize(
    "fault", [Fault.SILENT_BEFORE, Fault.DROP_BEFORE, Fault.CUT_SHORT, Fault.ERROR_AFTER, Fault.REDIRECT, Fault.BUSY]
)
async def test_a_lookup_that_fails_says_nothing_about_the_order(
    server: MarketServer, market: HttpMarket, fault: Fault
) -> None:
    order = an_order("AAPL")
    report = await market.execute(order)
    await server.plan(Route.ORDER, [fault])
    with pytest.raises(MarketUnavailable):
        await market.order(order.order_id)
    assert await market.order(order.order_id) == report


@pytest.mark.parametrize("fault", [Fault.GARBAGE_AFTER, Fault.OTHER_ORDER, Fault.NO_PRICE, Fault.FEE_BELOW_ZERO])
async def test_a_lookup_that_lies_proves_nothing(server: MarketServer, market: HttpMarket, fault: Fault) -> None:
    order = an_order("AAPL")
    await market.execute(order)
    await server.plan(Route.ORDER, [fault])
    with pytest.raises(MarketUnknown):
        await market.order(order.order_id)


@pytest.mark.parametrize("fault", [Fault.DROP_BEFORE, Fault.DROP_AFTER, Fault.CUT_SHORT, Fault.ERROR_BEFORE])
async def test_quotes_are_asked_for_once_more(server: MarketServer, market: HttpMarket, fault: Fault) -> None:
    await server.plan(Route.QUOTES, [fault])
    assert set(await market.quotes(["AAPL"])) == {"AAPL"}
    await server.plan(Route.QUOTES, [fault, fault])
    with pytest.raises(MarketUnavailable):
        await market.quotes(["AAPL"])
    assert server.venue.calls[Route.QUOTES] == 4


@pytest.mark.parametrize("fault", [Fault.SILENT_BEFORE, Fault.GARBAGE_AFTER, Fault.BUSY, Fault.REDIRECT])
async def test_quotes_that_a_second_try_would_not_mend_fail_at_once(
    server: MarketServer, market: HttpMarket, fault: Fault
) -> None:
    await server.plan(Route.QUOTES, [fault])
    with pytest.raises(MarketUnavailable):
        await market.quotes(["AAPL"])
    assert server.venue.calls[Route.QUOTES] == 1


@pytest.mark.parametrize("fault", [Fault.SILENT_BEFORE, Fault.DROP_BEFORE, Fault.ERROR_AFTER, Fault.GARBAGE_AFTER])
async def test_positions_and_health_fail_plainly(server: MarketServer, market: HttpMarket, fault: Fault) -> None:
    await server.plan(Route.POSITIONS, [fault])
    with pytest.raises(MarketUnavailable):
        await market.positions("acc_1")
    if fault is not Fault.GARBAGE_AFTER:
        await server.plan(Route.HEALTH, [fault])
        assert not await market.healthy()
    assert await market.healthy()


async def test_the_market_takes_no_cancellations(market: HttpMarket) -> None:
    with pytest.raises(MarketCannotCancel):
        await market.cancel("ord_1")


async def test_a_silent_market_does_not_hold_up_others(server: MarketServer, market: HttpMarket) -> None:
    await server.plan(Route.EXECUTE, [Fault.SILENT_BEFORE] * 20)
    answers = await asyncio.gather(
        *(market.execute(an_order("AAPL")) for _ in range(20)), market.quotes(["AAPL"]), return_exceptions=True
    )
    assert all(isinstance(answer, MarketUnknown) for answer in answers[:-1])
    assert isinstance(answers[-1], dict)


async def test_a_market_in_a_process_of_its_own_keeps_its_book_over_a_kill(tmp_path: Path) -> None:
    order = an_order("AAPL")
    async with MarketProcess(tmp_path / "venue.sqlite", first_date=date(2022, 12, 27)) as running:
        market = HttpMarket(running.url)
        await running.plan(Route.EXECUTE, [Fault.DROP_AFTER])
        with pytest.raises(MarketUnknown):
            await market.execute(order)
        await market.aclose()
    async with MarketProcess(tmp_path / "venue.sqlite") as running:
        market = HttpMarket(running.url)
        report = await market.execute(order)
        await running.advance(date(2022, 12, 28))
        assert (await market.quotes(["AAPL"]))["AAPL"].last == Decimal("125.674")
        await market.aclose()
        record = await running.record()
    assert report.avg_fill_price == Decimal("129.652")
    assert [(trade.order_id, trade.quantity, trade.price) for trade in record.trades] == [
        (order.order_id, 10, Decimal("129.652"))
    ]
