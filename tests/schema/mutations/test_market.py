"""The embedded market's date and halts, the week types, and a market of somebody else's."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import date, timedelta

import pytest

from services.market.http import HttpMarket
from services.market.paper import PaperBroker
from services.market.prices import shipped_prices
from services.market.store import MemoryStore
from services.pipeline import Pipeline
from services.prices import PriceBook
from tests.support.api import InProcess, a_user
from tests.support.house import House, op

pytestmark = pytest.mark.anyio

START = date(2022, 3, 1)
WEEK = "query($day: Date) { week(date: $day) { type } }"
MARKET = "market { date embedded haltedSymbols }"


@pytest.fixture
async def trading(house: House) -> AsyncGenerator[House]:
    """The house with a market that has days ahead of it."""
    market = await PaperBroker.open(MemoryStore(), shipped_prices(), START)
    desk = replace(house.desk, market=market, prices=PriceBook(market, house.desk.database))
    yield House(desk, Pipeline(desk), house.admin, market, house.root)
    await desk.prices.aclose()


@pytest.fixture
def admin(trading: House) -> InProcess:
    return InProcess(trading, trading.admin.user_id)


async def test_the_date_moves_on_and_orders_are_booked_at_once(admin: InProcess) -> None:
    made = await admin.done("createAccount", "account { id }", name="Trader", parentId=admin.house.root)
    account = made["account"]["id"]
    await admin.done("deposit", accountId=account, amount="100000")
    order = {"operationId": op(), "accountId": account, "symbol": "AAPL", "side": "BUY", "quantity": "1"}
    placed = await admin.done("placeOrder", **order, limitPrice="1")
    assert placed["operation"]["state"] == "RUNNING"
    same = {"operationId": op(), "date": (START + timedelta(days=1)).isoformat()}
    moved = await admin.done("advanceMarketDate", f"{MARKET} operation {{ id }}", **same)
    assert moved["market"] == {"date": "2022-03-02", "embedded": True, "haltedSymbols": []}
    assert await admin.done("advanceMarketDate", f"{MARKET} operation {{ id }}", **same) == moved
    ended = await admin.do("placeOrder", "operation { state } transactions { state }", **order, limitPrice="1")
    assert ended["operation"]["state"] != "RUNNING"
    assert [entry["state"] for entry in ended["transactions"]] == ["VOIDED"]


@pytest.mark.parametrize("day", ["2022-02-28", "1970-01-01", "2100-01-02", "9999-12-31"])
async def test_a_date_that_is_past_or_too_far_is_refused(admin: InProcess, day: str) -> None:
    problem = await admin.refused("advanceMarketDate", date=day)
    assert (problem["code"], problem["path"]) == ("INVALID_INPUT", ["date"])
    assert (await admin.ask(f"{{ {MARKET} }}"))["market"]["date"] == START.isoformat()


async def test_a_symbol_is_halted_and_resumed(admin: InProcess) -> None:
    made = await admin.done("createAccount", "account { id }", name="Trader", parentId=admin.house.root)
    account = made["account"]["id"]
    await admin.done("deposit", accountId=account, amount="100000")
    halted = await admin.done("haltSymbol", MARKET, symbol="AAPL")
    assert halted["market"]["haltedSymbols"] == ["AAPL"]
    order = {"accountId": account, "symbol": "AAPL", "side": "BUY", "quantity": "1"}
    assert (await admin.refused("placeOrder", **order))["code"] == "MARKET_REJECTED"
    resumed = await admin.done("resumeSymbol", MARKET, symbol="AAPL")
    assert resumed["market"]["haltedSymbols"] == []
    assert (await admin.done("placeOrder", **order))["operation"]["state"] == "SUCCEEDED"


async def test_what_a_resumed_symbol_fills_is_booked_at_once(admin: InProcess) -> None:
    made = await admin.done("createAccount", "account { id }", name="Trader", parentId=admin.house.root)
    account = made["account"]["id"]
    await admin.done("deposit", accountId=account, amount="1000")
    order = {"accountId": account, "symbol": "AAPL", "side": "BUY", "quantity": "1", "timeInForce": "GTC"}
    filled = (await admin.done("placeOrder", **order, limitPrice="155"))["operation"]["id"]
    waits = (await admin.done("placeOrder", **order, limitPrice="100"))["operation"]["id"]
    await admin.done("haltSymbol", MARKET, symbol="AAPL")
    await admin.done("advanceMarketDate", MARKET, date="2022-03-14")
    states = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Operation { state } } }"
    assert [one["state"] for one in (await admin.ask(states, ids=[filled, waits]))["nodes"]] == ["RUNNING", "RUNNING"]
    await admin.done("resumeSymbol", MARKET, symbol="AAPL")
    assert [one["state"] for one in (await admin.ask(states, ids=[filled, waits]))["nodes"]] == ["SUCCEEDED", "RUNNING"]
    held = "query($id: ID!) { account(id: $id) { positions { nodes { symbol quantity } } } }"
    assert (await admin.ask(held, id=account))["account"]["positions"]["nodes"] == [{"symbol": "AAPL", "quantity": "1"}]


@pytest.mark.parametrize("symbol", ["", "NOBODY", "x" * 1_000, "A\u0000"])
async def test_an_unknown_symbol_is_refused(admin: InProcess, symbol: str) -> None:
    problem = await admin.refused("haltSymbol", symbol=symbol)
    assert (problem["code"], problem["path"]) == ("INVALID_INPUT", ["symbol"])


async def test_another_market_is_not_administered_here(trading: House) -> None:
    market = HttpMarket("http://127.0.0.1:9")
    desk = replace(trading.desk, market=market)
    admin = InProcess(replace(trading, desk=desk, pipeline=Pipeline(desk)), trading.admin.user_id)
    assert (await admin.refused("haltSymbol", symbol="AAPL"))["code"] == "RULE_VIOLATION"
    assert (await admin.refused("advanceMarketDate", date="2022-03-02"))["code"] == "RULE_VIOLATION"
    shown = (await admin.ask("{ market { embedded haltedSymbols } }"))["market"]
    assert shown == {"embedded": False, "haltedSymbols": None}
    await market.aclose()


async def test_the_week_of_a_day_or_of_the_market_is_told_to_everybody(trading: House) -> None:
    client = await a_user(trading)
    week = "week { date type marketCondition confidence note }"
    now = (await client.ask(f"{{ {week} }}"))["week"]
    assert now["date"] == START.isoformat()
    past = (await client.ask('{ week(date: "2020-03-09") { date type confidence } }'))["week"]
    assert past["date"] == "2020-03-09"
    assert past["type"]
    assert 0 <= past["confidence"] <= 1


async def test_a_week_that_no_market_reaches_is_refused(trading: House) -> None:
    client = await a_user(trading)
    for day in ("2100-01-02", "9999-12-27", "9999-12-31"):
        (error,) = (await client.run(WEEK, day=day)).errors
        assert error.extensions == {"code": "BAD_USER_INPUT", "path": ["date"]}
        assert error.message == "date must be 2100-01-01 at the latest"
    for day in ("0001-01-01", "2100-01-01"):
        assert (await client.ask(WEEK, day=day))["week"] == {"type": "W-IDL"}


async def test_an_order_that_stands_until_cancelled_outlives_the_day(admin: InProcess) -> None:
    made = await admin.done("createAccount", "account { id }", name="Trader", parentId=admin.house.root)
    account = made["account"]["id"]
    await admin.done("deposit", accountId=account, amount="100000")
    order = {"accountId": account, "symbol": "AAPL", "side": "BUY", "quantity": "1", "limitPrice": "1"}
    placed = await admin.done("placeOrder", **order, timeInForce="GTC")
    await admin.done("advanceMarketDate", MARKET, date="2022-03-02")
    shown = "query($id: ID!) { operation(id: $id) { state } }"
    assert (await admin.ask(shown, id=placed["operation"]["id"]))["operation"]["state"] == "RUNNING"
    selection = "operation { state } order { state } transactions { kind state }"
    cancelled = await admin.done("cancelOrder", selection, orderOperationId=placed["operation"]["id"])
    assert cancelled["operation"] == {"state": "SUCCEEDED"}
    assert cancelled["order"] == {"state": "CANCELLED"}
    assert cancelled["transactions"] == [{"kind": "TRADE", "state": "VOIDED"}]
    again = await admin.refused("cancelOrder", orderOperationId=placed["operation"]["id"])
    assert again["code"] == "RULE_VIOLATION"
    assert (await admin.refused("placeOrder", **order, timeInForce="FOK"))["code"] == "MARKET_REJECTED"
