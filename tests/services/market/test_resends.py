"""However often and in whatever interleaving orders are sent again, each trades once or never."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.ids import Kind, new_id
from services.market.checks import check_report
from services.market.http import HttpMarket
from services.market.paper import PaperBroker
from services.market.paper_store import SqliteStore
from services.market.port import Market, MarketError, MarketOrder, NotKnown, OrderReport, Side
from services.market.prices import shipped_prices
from services.market.store import MemoryStore
from tests.support.ws4_rigs import KINDS, an_order
from tests.support.ws4_server import MarketServer
from tests.support.ws4_venue import Fault, Route

pytestmark = pytest.mark.anyio

SECONDS = 0.15
# SILENT and STALLED answers cost a whole time-out each: the other faults lead to the same outcomes at once.
FAULTS = [
    None,
    Fault.DROP_BEFORE,
    Fault.DROP_AFTER,
    Fault.CUT_SHORT,
    Fault.ERROR_BEFORE,
    Fault.ERROR_AFTER,
    Fault.GARBAGE_AFTER,
    Fault.BUSY,
    Fault.PARTIAL,
    Fault.PARTIAL_ENDS,
    Fault.FILLS_LATER,
    Fault.LATE,
    Fault.OVERFILLED,
    Fault.OTHER_ORDER,
]
ORDERS = 4


@dataclass
class Rig:
    """Two clients of one market, and the server where there is one."""

    clients: tuple[Market, Market]
    server: MarketServer | None = None


@pytest.fixture(scope="module", params=KINDS)
async def rig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Rig]:
    if request.param == "http":
        async with MarketServer() as server:
            made = Rig((HttpMarket(server.url, seconds=SECONDS), HttpMarket(server.url, seconds=SECONDS)), server)
            yield made
            await asyncio.gather(*(client.aclose() for client in made.clients))
        return
    if request.param == "paper-memory":
        broker = await PaperBroker.open(MemoryStore(), shipped_prices())
        made = Rig((broker, broker))
    else:
        file = tmp_path_factory.mktemp("resends") / "market.sqlite"
        made = Rig((await _broker(file), await _broker(file)))
    yield made
    await asyncio.gather(*(client.aclose() for client in made.clients))


async def _broker(file: Path) -> PaperBroker:
    return await PaperBroker.open(await SqliteStore.open(file), shipped_prices(), date(2022, 12, 28))


async def _send(client: Market, order: MarketOrder) -> OrderReport | None:
    try:
        return await client.execute(order)
    except MarketError:
        return None


async def _settled(client: Market, order: MarketOrder) -> OrderReport:
    """The order's final report, by sending it again as long as it is not proved: a bounded number of times."""
    for _ in range(2 * len(FAULTS)):
        report = await _send(client, order)
        if report and report.status.final:
            return report
    raise AssertionError(f"order {order.order_id} was not proved")


sends = st.lists(st.tuples(st.integers(0, ORDERS - 1), st.integers(0, 1)), min_size=1, max_size=10)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(rounds=st.lists(sends, min_size=1, max_size=3), faults=st.lists(st.sampled_from(FAULTS), max_size=12))
async def test_no_interleaving_of_sends_trades_an_order_twice(
    rig: Rig, rounds: list[list[tuple[int, int]]], faults: list[Fault | None]
) -> None:
    account = new_id(Kind.ACCOUNT)
    orders = [
        an_order("AAPL", str(10**place), Side.SELL if place == 2 else Side.BUY, account_id=account)
        for place in range(ORDERS)
    ]
    if rig.server:
        rig.server.venue.faults.clear()
        rig.server.venue.plan(Route.EXECUTE, [fault for fault in faults if fault])
    seen: dict[str, OrderReport] = {}
    for sent in rounds:
        reports = await asyncio.gather(*(_send(rig.clients[client], orders[place]) for place, client in sent))
        for report in filter(None, reports):
            known = seen.get(report.order_id)
            if known is None or known.filled_quantity < report.filled_quantity:
                seen[report.order_id] = report
    if rig.server:
        await rig.server.release()
    used = [orders[place] for place in sorted({place for sent in rounds for place, _ in sent})]
    ends = [await _settled(rig.clients[0], order) for order in used]
    for order, end in zip(used, ends, strict=True):
        assert check_report(order, end, seen.get(order.order_id)) == end
    expected = sum((_signed(order, end) for order, end in zip(used, ends, strict=True)), Decimal(0))
    positions = await rig.clients[1].positions(account)
    assert positions == ({"AAPL": expected} if expected else {})
    if rig.server:
        await _book_agrees(rig.server, account, ends)


def _signed(order: MarketOrder, end: OrderReport) -> Decimal:
    return end.filled_quantity * (1 if order.side is Side.BUY else -1)


async def _book_agrees(server: MarketServer, account: str, ends: list[OrderReport]) -> None:
    """The market's own book has each order once, with the figures that our side was told in the end."""
    trades = [trade for trade in (await server.record()).trades if trade.account_id == account]
    booked = {trade.order_id: (trade.quantity, trade.price, trade.commission) for trade in trades}
    assert len(booked) == len(trades)
    assert booked == {
        end.order_id: (end.filled_quantity, end.avg_fill_price, end.commission) for end in ends if end.filled_quantity
    }


@pytest.mark.parametrize("rig", ["paper-memory", "paper-sqlite"], indirect=True)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cancel_at=st.integers(0, 3), sends=st.lists(st.integers(0, 1), min_size=1, max_size=4))
async def test_a_cancellation_among_the_sends_leaves_one_outcome(rig: Rig, cancel_at: int, sends: list[int]) -> None:
    order = an_order("AAPL", account_id=new_id(Kind.ACCOUNT))
    steps = [rig.clients[client].execute(order) for client in sends]
    steps.insert(min(cancel_at, len(steps)), rig.clients[0].cancel(order.order_id))
    reports = await asyncio.gather(*steps)
    assert len(set(reports)) == 1
    found = await rig.clients[1].order(order.order_id)
    assert not isinstance(found, NotKnown)
    assert found == reports[0]
    held = await rig.clients[1].positions(order.account_id)
    assert held.get("AAPL", 0) == found.filled_quantity
