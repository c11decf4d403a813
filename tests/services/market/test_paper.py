"""The embedded paper broker: what its administrator does, cancellations, and what outlives it."""

from collections.abc import AsyncGenerator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from services.market.paper import LAST_MARKET_DATE, PaperBroker
from services.market.paper_store import SqliteStore
from services.market.port import (
    MarketOrder,
    MarketUnavailable,
    NotKnown,
    OrderReport,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
)
from services.market.prices import Prices, shipped_prices
from services.market.store import BrokerStore, MemoryStore
from services.problems import Refused
from tests.support.ws4_rigs import an_order

pytestmark = pytest.mark.anyio

LAST_DAY = date(2022, 12, 28)
# Eight days of one symbol: 10.00, 11.00, 12.00, 9.00 and so on; and one that ends after two days.
SMALL = Prices.parse(
    "source\tmade for this test\ndays\t2020-01-06\t1 1 1 1 3 1 1\n"
    "ABC\tstock\t0\t10000 1000 1000 -3000 500 500 500 500\nGONE\tstock\t0\t5000 100\n"
)
FIRST = date(2020, 1, 6)


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[BrokerStore]:
    made = MemoryStore() if request.param == "memory" else await SqliteStore.open(tmp_path / "market.sqlite")
    yield made
    await made.aclose()


@pytest.fixture
async def small(store: BrokerStore) -> PaperBroker:
    return await PaperBroker.open(store, SMALL, FIRST)


def _resting(side: Side, limit: str, time_in_force: TimeInForce = TimeInForce.GTC) -> MarketOrder:
    return an_order(
        "ABC", side=side, order_type=OrderType.LIMIT, limit_price=Decimal(limit), time_in_force=time_in_force
    )


async def test_a_new_record_starts_on_the_last_day_unless_told_otherwise(store: BrokerStore) -> None:
    assert await (await PaperBroker.open(store, shipped_prices())).market_date() == LAST_DAY


async def test_a_record_that_has_a_date_keeps_it(store: BrokerStore) -> None:
    await PaperBroker.open(store, shipped_prices(), date(2021, 3, 1))
    again = await PaperBroker.open(store, shipped_prices(), date(2020, 1, 1))
    assert await again.market_date() == date(2021, 3, 1)


async def test_the_date_never_moves_back_or_out_of_bounds(small: PaperBroker) -> None:
    for to in (date(2020, 1, 5), date.min, date(2100, 1, 2), date.max):
        with pytest.raises(Refused) as refused:
            await small.advance(to)
        assert refused.value.problems[0].path == ("to",)
    assert await small.advance(FIRST) == []
    assert await small.market_date() == FIRST
    assert await small.advance(LAST_MARKET_DATE) == []
    assert await small.market_date() == LAST_MARKET_DATE


async def test_advance_settles_what_rests_and_returns_it_oldest_first(small: PaperBroker) -> None:
    day = _resting(Side.SELL, "10.5", TimeInForce.DAY)
    sell, buy = _resting(Side.SELL, "11.5"), _resting(Side.BUY, "9.6")
    never = _resting(Side.BUY, "1")
    for order in (day, sell, buy, never):
        assert (await small.execute(order)).status is OrderStatus.ACCEPTED
    settled = await small.advance(date(2020, 1, 13))
    assert [(report.order_id, report.status, report.avg_fill_price) for report in settled] == [
        (day.order_id, OrderStatus.EXPIRED, None),
        (sell.order_id, OrderStatus.FILLED, Decimal(12)),
        (buy.order_id, OrderStatus.FILLED, Decimal(9)),
    ]
    assert [await small.order(report.order_id) for report in settled] == settled
    assert await small.positions("acc_1") == {}
    assert await small.advance(date(2020, 1, 14)) == []


async def test_a_gtc_order_does_not_look_at_closes_before_it_came(small: PaperBroker) -> None:
    await small.advance(date(2020, 1, 8))
    late = _resting(Side.BUY, "11.5")
    assert (await small.execute(late)).status is OrderStatus.ACCEPTED
    assert [report.avg_fill_price for report in await small.advance(date(2020, 1, 9))] == [Decimal(9)]


async def test_a_weekend_brings_no_new_close(small: PaperBroker) -> None:
    order = _resting(Side.SELL, "11.5")
    await small.execute(order)
    await small.advance(date(2020, 1, 7))
    assert await small.order(order.order_id) == OrderReport(order.order_id, OrderStatus.ACCEPTED)


async def test_a_resting_order_waits_out_a_halt_and_takes_the_price_at_its_end(small: PaperBroker) -> None:
    order, other = _resting(Side.SELL, "10.5"), _resting(Side.SELL, "50")
    await small.execute(order)
    await small.execute(other)
    await small.halt("ABC")
    assert await small.advance(date(2020, 1, 7)) == []
    assert await small.order(order.order_id) == OrderReport(order.order_id, OrderStatus.ACCEPTED)
    assert [report.order_id for report in await small.resume("ABC")] == [order.order_id]
    filled = await small.order(order.order_id)
    assert isinstance(filled, OrderReport)
    assert (filled.status, filled.avg_fill_price) == (OrderStatus.FILLED, Decimal(11))
    assert await small.order(other.order_id) == OrderReport(other.order_id, OrderStatus.ACCEPTED)


async def test_only_known_symbols_are_halted(small: PaperBroker) -> None:
    for act in (small.halt, small.resume):
        with pytest.raises(Refused) as refused:
            await act("TSLA")
        assert refused.value.problems[0].path == ("symbol",)


async def test_a_symbol_that_has_ended_or_not_begun_is_rejected_and_not_quoted(small: PaperBroker) -> None:
    assert (await small.execute(an_order("GONE"))).status is OrderStatus.FILLED
    await small.advance(date(2020, 1, 8))
    report = await small.execute(an_order("GONE"))
    assert (report.status, report.reason) == (OrderStatus.REJECTED, "The symbol has no price on 2020-01-08.")
    assert set(await small.quotes(["GONE", "ABC"])) == {"ABC"}


async def test_an_etf_trades_only_from_its_first_day_on(store: BrokerStore) -> None:
    broker = await PaperBroker.open(store, shipped_prices(), date(2013, 12, 31))
    assert (await broker.execute(an_order("MTUM"))).status is OrderStatus.REJECTED
    await broker.advance(date(2014, 1, 2))
    assert (await broker.execute(an_order("MTUM"))).avg_fill_price == Decimal("52.704")


async def test_an_order_beyond_the_bound_on_amounts_is_rejected(store: BrokerStore) -> None:
    rich = Prices.parse("source\tx\ndays\t2020-01-06\t1\nABC\tstock\t0\t2000000000 1\n")
    broker = await PaperBroker.open(store, rich)
    report = await broker.execute(an_order("ABC", "100000000"))
    assert (report.status, await broker.positions("acc_1")) == (OrderStatus.REJECTED, {})


async def test_cancelling_a_resting_order_ends_it(small: PaperBroker) -> None:
    order = _resting(Side.SELL, "11")
    await small.execute(order)
    report = await small.cancel(order.order_id)
    assert (report.status, report.filled_quantity) == (OrderStatus.CANCELLED, 0)
    assert await small.cancel(order.order_id) == report
    assert await small.execute(order) == report
    assert await small.advance(date(2020, 1, 8)) == []
    assert await small.positions("acc_1") == {}


async def test_cancelling_what_has_ended_changes_nothing(small: PaperBroker) -> None:
    order = an_order("ABC")
    filled = await small.execute(order)
    assert await small.cancel(order.order_id) == filled
    assert await small.positions("acc_1") == {"ABC": 10}


async def test_an_order_cancelled_before_it_arrives_never_trades(small: PaperBroker) -> None:
    order = an_order("ABC")
    assert await small.order(order.order_id) == NotKnown(final=False)
    report = await small.cancel(order.order_id)
    assert report.status is OrderStatus.CANCELLED
    assert await small.execute(order) == report
    assert await small.order(order.order_id) == report
    assert await small.positions("acc_1") == {}


async def test_everything_outlives_the_process_that_did_it(tmp_path: Path) -> None:
    file = tmp_path / "market.sqlite"
    first = await PaperBroker.open(await SqliteStore.open(file), SMALL, FIRST)
    filled, resting = an_order("ABC"), _resting(Side.SELL, "11")
    outcome = await first.execute(filled)
    await first.execute(resting)
    await first.advance(date(2020, 1, 6))
    await first.halt("GONE")
    await first.aclose()
    second = await PaperBroker.open(await SqliteStore.open(file), SMALL)
    assert await second.market_date() == FIRST
    assert await second.execute(filled) == outcome
    assert await second.positions("acc_1") == {"ABC": 10}
    assert (await second.quotes(["GONE"]))["GONE"].halted
    assert [report.order_id for report in await second.advance(date(2020, 1, 7))] == [resting.order_id]
    await second.aclose()


async def test_two_brokers_of_one_record_are_one_market(tmp_path: Path) -> None:
    file = tmp_path / "market.sqlite"
    one = await PaperBroker.open(await SqliteStore.open(file), SMALL, FIRST)
    two = await PaperBroker.open(await SqliteStore.open(file), SMALL, FIRST)
    order = an_order("ABC")
    outcome = await one.execute(order)
    assert await two.order(order.order_id) == outcome
    await one.halt("ABC")
    assert (await two.execute(an_order("ABC"))).status is OrderStatus.REJECTED
    await two.advance(date(2020, 1, 7))
    assert await one.market_date() == date(2020, 1, 7)
    await one.aclose()
    await two.aclose()


async def test_a_closed_record_is_an_unavailable_market(tmp_path: Path) -> None:
    broker = await PaperBroker.open(await SqliteStore.open(tmp_path / "market.sqlite"), SMALL)
    await broker.aclose()
    assert not await broker.healthy()
    with pytest.raises(MarketUnavailable):
        await broker.execute(an_order("ABC"))
