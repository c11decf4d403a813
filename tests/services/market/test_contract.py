"""What every market does, embedded or over HTTP."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from services.market.port import (
    MAX_SYMBOLS,
    InstrumentType,
    NotKnown,
    OptionTerms,
    OptionType,
    OrderReport,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
)
from tests.support.ws4_rigs import KINDS, Rig, an_order, market_rig

pytestmark = pytest.mark.anyio

LAST_DAY = date(2022, 12, 28)
AAPL = Decimal("125.674")


@pytest.fixture(params=KINDS)
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Rig]:
    async with market_rig(request.param, tmp_path) as made:
        yield made


@pytest.fixture(params=KINDS)
async def earlier(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Rig]:
    async with market_rig(request.param, tmp_path, date(2022, 12, 20)) as made:
        yield made


async def test_quotes_are_the_closes_of_the_market_date_and_unknown_symbols_are_left_out(rig: Rig) -> None:
    quotes = await rig.market.quotes(["AAPL", "MSFT", "MTUM", "TSLA", "", "\ud800", "aapl", "A" * 100])
    assert {symbol: quote.last for symbol, quote in quotes.items()} == {
        "AAPL": AAPL,
        "MSFT": Decimal("233.434"),
        "MTUM": Decimal("143.73"),
    }
    assert quotes["AAPL"].at == datetime(2022, 12, 28, 21, tzinfo=UTC)
    assert not quotes["AAPL"].halted
    assert await rig.market.market_date() == LAST_DAY


async def test_quotes_of_nothing_or_too_much(rig: Rig) -> None:
    assert await rig.market.quotes([]) == {}
    with pytest.raises(ValueError, match="at most"):
        await rig.market.quotes([f"S{n}" for n in range(MAX_SYMBOLS + 1)])


async def test_a_market_order_fills_whole_at_the_close_with_its_commission(rig: Rig) -> None:
    order = an_order("AAPL", "10.5")
    report = await rig.market.execute(order)
    assert report == OrderReport(order.order_id, OrderStatus.FILLED, Decimal("10.5"), AAPL, Decimal("0.05"))
    assert await rig.market.order(order.order_id) == report


@pytest.mark.parametrize("side", list(Side))
async def test_a_limit_order_fills_at_the_close_and_not_at_its_limit(rig: Rig, side: Side) -> None:
    limit = AAPL + (1 if side is Side.BUY else -1)
    report = await rig.market.execute(an_order("AAPL", side=side, order_type=OrderType.LIMIT, limit_price=limit))
    assert (report.status, report.avg_fill_price) == (OrderStatus.FILLED, AAPL)


async def test_a_limit_at_the_close_itself_fills(rig: Rig) -> None:
    report = await rig.market.execute(an_order("AAPL", order_type=OrderType.LIMIT, limit_price=AAPL))
    assert report.status is OrderStatus.FILLED


@pytest.mark.parametrize("time_in_force", [TimeInForce.DAY, TimeInForce.GTC])
async def test_a_limit_beyond_the_close_rests(rig: Rig, time_in_force: TimeInForce) -> None:
    order = an_order("AAPL", order_type=OrderType.LIMIT, limit_price=Decimal("100"), time_in_force=time_in_force)
    report = await rig.market.execute(order)
    assert report == OrderReport(order.order_id, OrderStatus.ACCEPTED)
    assert await rig.market.order(order.order_id) == report
    assert await rig.market.positions("acc_1") == {}


@pytest.mark.parametrize("time_in_force", [TimeInForce.IOC, TimeInForce.FOK])
async def test_an_order_that_may_not_rest_expires_at_once(rig: Rig, time_in_force: TimeInForce) -> None:
    order = an_order("AAPL", order_type=OrderType.LIMIT, limit_price=Decimal("100"), time_in_force=time_in_force)
    report = await rig.market.execute(order)
    assert (report.status, report.filled_quantity) == (OrderStatus.EXPIRED, 0)
    assert report.reason


async def test_a_day_order_expires_when_the_date_moves_on(earlier: Rig) -> None:
    order = an_order("AAPL", order_type=OrderType.LIMIT, limit_price=Decimal("131"))
    assert (await earlier.market.execute(order)).status is OrderStatus.ACCEPTED
    await earlier.advance(LAST_DAY)
    report = await earlier.market.order(order.order_id)
    assert isinstance(report, OrderReport)
    assert (report.status, report.filled_quantity) == (OrderStatus.EXPIRED, 0)


async def test_a_gtc_order_fills_at_the_first_close_that_its_limit_allows(earlier: Rig) -> None:
    order = an_order("AAPL", order_type=OrderType.LIMIT, limit_price=Decimal("131.5"), time_in_force=TimeInForce.GTC)
    assert (await earlier.market.execute(order)).status is OrderStatus.ACCEPTED
    await earlier.advance(LAST_DAY)
    report = await earlier.market.order(order.order_id)
    assert isinstance(report, OrderReport)
    # 22 December closed at 131.846, 23 December at 131.477, the 27th and 28th lower.
    assert (report.status, report.avg_fill_price) == (OrderStatus.FILLED, Decimal("131.477"))
    assert await earlier.market.positions("acc_1") == {"AAPL": 10}


async def test_a_gtc_order_that_nothing_allows_goes_on_resting(earlier: Rig) -> None:
    order = an_order("AAPL", order_type=OrderType.LIMIT, limit_price=Decimal("1"), time_in_force=TimeInForce.GTC)
    first = await earlier.market.execute(order)
    await earlier.advance(LAST_DAY)
    assert await earlier.market.order(order.order_id) == first
    assert await earlier.market.execute(order) == first


async def test_the_date_moves_on_for_quotes_and_orders(earlier: Rig) -> None:
    before = (await earlier.market.quotes(["AAPL"]))["AAPL"]
    assert await earlier.market.market_date() == date(2022, 12, 20)
    await earlier.advance(LAST_DAY)
    after = (await earlier.market.quotes(["AAPL"]))["AAPL"]
    assert (before.last, after.last) == (Decimal("131.916"), AAPL)
    assert await earlier.market.market_date() == LAST_DAY
    assert (await earlier.market.execute(an_order("AAPL"))).avg_fill_price == AAPL


async def test_a_day_without_a_close_uses_the_last_one(earlier: Rig) -> None:
    await earlier.advance(date(2022, 12, 25))
    quote = (await earlier.market.quotes(["AAPL"]))["AAPL"]
    assert quote.at.date() == date(2022, 12, 23)
    assert (await earlier.market.execute(an_order("AAPL"))).avg_fill_price == quote.last


async def test_an_unknown_symbol_is_rejected_and_stays_so(rig: Rig) -> None:
    order = an_order("TSLA")
    report = await rig.market.execute(order)
    assert (report.status, report.filled_quantity, report.avg_fill_price) == (OrderStatus.REJECTED, 0, None)
    assert report.reason
    assert await rig.market.execute(order) == report
    assert await rig.market.order(order.order_id) == report


async def test_an_option_has_no_price_here(rig: Rig) -> None:
    terms = OptionTerms(date(2023, 1, 20), Decimal("130"), OptionType.CALL)
    report = await rig.market.execute(an_order("AAPL", "1", instrument_type=InstrumentType.OPTION, option=terms))
    assert report.status is OrderStatus.REJECTED
    assert await rig.market.positions("acc_1") == {}


async def test_a_halted_symbol_rejects_orders_until_it_trades_again(rig: Rig) -> None:
    await rig.halt("AAPL")
    refused = an_order("AAPL")
    report = await rig.market.execute(refused)
    assert report.status is OrderStatus.REJECTED
    assert "halted" in (report.reason or "")
    quotes = await rig.market.quotes(["AAPL", "MSFT"])
    assert (quotes["AAPL"].halted, quotes["MSFT"].halted) == (True, False)
    assert (await rig.market.execute(an_order("MSFT"))).status is OrderStatus.FILLED
    await rig.resume("AAPL")
    assert (await rig.market.execute(refused)) == report
    assert (await rig.market.execute(an_order("AAPL"))).status is OrderStatus.FILLED


async def test_the_same_order_sent_again_finds_its_first_outcome(rig: Rig) -> None:
    order = an_order("AAPL")
    first = await rig.market.execute(order)
    again = await rig.market.execute(replace(order, at=order.at + timedelta(minutes=5)))
    assert again == first
    assert await rig.market.positions("acc_1") == {"AAPL": 10}


async def test_the_same_order_sent_many_times_at_once_trades_once(rig: Rig) -> None:
    order = an_order("AAPL")
    reports = await asyncio.gather(*(rig.market.execute(order) for _ in range(20)))
    assert len(set(reports)) == 1
    assert await rig.market.positions("acc_1") == {"AAPL": 10}


async def test_another_order_under_a_used_id_is_rejected_and_changes_nothing(rig: Rig) -> None:
    order = an_order("AAPL")
    first = await rig.market.execute(order)
    other = await rig.market.execute(replace(order, quantity=Decimal(11)))
    assert other.status is OrderStatus.REJECTED
    assert await rig.market.order(order.order_id) == first
    assert await rig.market.positions("acc_1") == {"AAPL": 10}


async def test_positions_are_the_sums_of_an_account_s_own_trades(rig: Rig) -> None:
    for symbol, quantity, side in (("AAPL", "10", Side.BUY), ("AAPL", "4.25", Side.SELL), ("KO", "3", Side.SELL)):
        await rig.market.execute(an_order(symbol, quantity, side))
    await rig.market.execute(an_order("XOM", "2"))
    await rig.market.execute(an_order("XOM", "2", Side.SELL))
    await rig.market.execute(an_order("AAPL", "7", account_id="acc_2"))
    assert await rig.market.positions("acc_1") == {"AAPL": Decimal("5.75"), "KO": Decimal(-3)}
    assert await rig.market.positions("acc_2") == {"AAPL": Decimal(7)}
    assert await rig.market.positions("acc_3") == {}


async def test_an_order_that_was_never_sent_is_not_known(rig: Rig) -> None:
    assert isinstance(await rig.market.order("ord_never"), NotKnown)


async def test_a_working_market_is_healthy(rig: Rig) -> None:
    assert await rig.market.healthy()
