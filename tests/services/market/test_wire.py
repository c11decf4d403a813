"""What is said to a market over HTTP, and which of its answers can be read."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.market.http import MAX_ORDER_BYTES, HttpMarket
from services.market.port import (
    InstrumentType,
    MarketOrder,
    MarketUnavailable,
    MarketUnknown,
    OptionTerms,
    OptionType,
    OrderReport,
    OrderStatus,
    OrderType,
    TimeInForce,
)
from services.market.wire import order_body
from tests.support.ws4_requests import EXECUTE, faults_of, order_of
from tests.support.ws4_rigs import an_order
from tests.support.ws4_server import app_server

pytestmark = pytest.mark.anyio


@dataclass
class Replies:
    """A server that gives one answer to everything."""

    url: str = ""
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict[str, str])

    async def answer(self, request: Request) -> Response:
        return Response(self.body, media_type="application/json", headers=self.headers)


@pytest.fixture(scope="module")
async def shared() -> AsyncGenerator[Replies]:
    replies = Replies()
    app = Starlette(routes=[Route("/{any:path}", replies.answer, methods=["GET", "POST"])])
    async with app_server(app) as replies.url:
        yield replies


@pytest.fixture
def replies(shared: Replies) -> Replies:
    shared.body, shared.headers = b"", {}
    return shared


@pytest.fixture(scope="module")
async def market(shared: Replies) -> AsyncGenerator[HttpMarket]:
    client = HttpMarket(shared.url)
    yield client
    await client.aclose()


ORDERS = [
    an_order("AAPL", "0.00000001"),
    an_order("MTUM", "100000000", instrument_type=InstrumentType.ETF),
    an_order("AAPL", order_type=OrderType.LIMIT, limit_price=Decimal("1E+2"), time_in_force=TimeInForce.FOK),
    an_order(
        "AAPL",
        instrument_type=InstrumentType.OPTION,
        option=OptionTerms(date(2023, 1, 20), Decimal("130.5"), OptionType.PUT),
    ),
]


@pytest.mark.parametrize("order", ORDERS)
def test_an_order_is_said_as_the_contract_has_it(order: MarketOrder) -> None:
    body: Any = order_body(order)
    assert faults_of(EXECUTE, body) == []
    assert order_of(body) == order


ORDER_ID = "ord_1"
GOOD = b'"order_id": "ord_1", "status": "filled", "filled_quantity": "10", "avg_fill_price": "1.5"'
BAD_ORDERS = [
    b"",
    b"null",
    b"[]",
    b"{}",
    b"\xff\xfe",
    b"[" * 30_000,
    b'{"filled_quantity": ' + b"9" * 10_000 + b"}",
    b"{" + GOOD.replace(b'"10"', b"10") + b"}",
    b"{" + GOOD.replace(b'"10"', b'"1e1"') + b"}",
    b"{" + GOOD.replace(b'"10"', b'" 10"') + b"}",
    b"{" + GOOD.replace(b'"10"', '"\uff11\uff10"'.encode()) + b"}",
    b"{" + GOOD.replace(b'"10"', b'"NaN"') + b"}",
    b"{" + GOOD.replace(b'"1.5"', b"1.5") + b"}",
    b"{" + GOOD.replace(b"filled", b"FILLED", 1) + b"}",
    b"{" + GOOD.replace(b'"filled"', b'"half_filled"') + b"}",
    b"{" + GOOD + b', "filled_quantity": "5"}',
    b"{" + GOOD + b', "commission": 1}',
    b"{" + GOOD + b', "reason": ["a"]}',
    b"{" + GOOD + b', "extra": "' + b"x" * MAX_ORDER_BYTES + b'"}',
]


@pytest.mark.parametrize("body", BAD_ORDERS)
async def test_an_order_that_cannot_be_read_is_unknown(replies: Replies, market: HttpMarket, body: bytes) -> None:
    replies.body = body
    with pytest.raises(MarketUnknown):
        await market.execute(an_order("AAPL", order_id=ORDER_ID))


async def test_extra_and_empty_fields_are_no_fault(replies: Replies) -> None:
    body = b"{" + GOOD + b', "commission": null, "reason": "a\\u0000\\nb", "venue": {"name": "X"}}'
    replies.body = body
    elsewhere = HttpMarket(f"{replies.url}/behind/a/path/")
    report = await elsewhere.execute(an_order("AAPL", order_id=ORDER_ID))
    await elsewhere.aclose()
    assert report == OrderReport(ORDER_ID, OrderStatus.FILLED, Decimal(10), Decimal("1.5"), reason="a b")


async def test_a_packed_answer_is_not_unpacked(replies: Replies, market: HttpMarket) -> None:
    replies.body, replies.headers = b"{" + GOOD + b"}", {"Content-Encoding": "gzip"}
    with pytest.raises(MarketUnknown, match="packed"):
        await market.execute(an_order("AAPL", order_id=ORDER_ID))


def _quote(**changed: Any) -> dict[str, Any]:
    return {"symbol": "AAPL", "last": "10.50", "timestamp": "2022-12-28T21:00:00Z"} | changed


@pytest.mark.parametrize(
    "quotes",
    [
        [_quote(last="0")],
        [_quote(last="-1")],
        [_quote(last=10.5)],
        [_quote(last="1e3")],
        [_quote(timestamp="yesterday")],
        [_quote(timestamp="2022-12-28T21:00:00")],
        [_quote(timestamp="1672531200")],
        [_quote(timestamp=1672531200)],
        [_quote(timestamp="0001-01-01T00:00:00+23:00")],
        [_quote(symbol="")],
        [_quote(symbol=None)],
        [_quote(halted="yes")],
        [_quote(), _quote(last="11")],
        "none",
        None,
    ],
)
async def test_quotes_that_cannot_be_read_are_unavailable(replies: Replies, market: HttpMarket, quotes: Any) -> None:
    replies.body = orjson.dumps({"quotes": quotes})
    with pytest.raises(MarketUnavailable):
        await market.quotes(["AAPL"])


async def test_quotes_keep_their_decimals_and_what_was_not_asked_for_is_left_out(
    replies: Replies, market: HttpMarket
) -> None:
    quotes = [_quote(bid="10.4", ask="10.6", halted=True), _quote(symbol="KO")]
    replies.body = orjson.dumps({"quotes": quotes})
    found = await market.quotes(["AAPL", "MSFT"])
    assert list(found) == ["AAPL"]
    quote = found["AAPL"]
    assert (str(quote.last), quote.bid, quote.ask, quote.halted) == ("10.50", Decimal("10.4"), Decimal("10.6"), True)


@pytest.mark.parametrize(
    ("stamps", "expected"),
    [
        (["2022-12-28T21:00:00Z", "2022-12-29T01:30:00+09:00"], lambda: date(2022, 12, 28)),
        (["2022-12-28T23:00:00-05:00"], lambda: date(2022, 12, 29)),
        (["2800-01-01T00:00:00Z"], lambda: datetime.now(UTC).date()),
        ([], lambda: datetime.now(UTC).date()),
    ],
)
async def test_the_market_date_is_that_of_the_newest_quote_and_never_after_today(
    replies: Replies, stamps: list[str], expected: Callable[[], date]
) -> None:
    quotes = [_quote(symbol=f"S{n}", timestamp=stamp) for n, stamp in enumerate(stamps)]
    replies.body = orjson.dumps({"quotes": quotes})
    market = HttpMarket(replies.url)
    await market.quotes(["S0", "S1"])
    assert await market.market_date() == expected()
    await market.aclose()


@pytest.mark.parametrize(
    "positions", [[{"symbol": "A", "quantity": "1"}] * 2, [{"symbol": "A", "quantity": 1}], [{"symbol": "A"}], {}]
)
async def test_positions_that_cannot_be_read_are_unavailable(
    replies: Replies, market: HttpMarket, positions: Any
) -> None:
    replies.body = orjson.dumps({"positions": positions})
    with pytest.raises(MarketUnavailable):
        await market.positions("acc_1")
