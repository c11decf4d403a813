"""Cancelling open orders, and what can no longer be cancelled."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from services.desk import Desk
from services.market.http import HttpMarket
from services.market.port import MarketUnavailable, MarketUnknown
from services.orders.cancelling import CancelOrder
from services.orders.listing import open_orders
from services.orders.recovery import recover
from services.orders.terms import market_order
from services.pipeline import Pipeline
from services.prices import PriceBook
from services.problems import ProblemCode
from tests.support.failing_market import failing
from tests.support.house import House, op
from tests.support.trading import (
    an_account,
    an_order,
    books,
    cancel,
    operation_of,
    order_of,
    place,
    record_only,
    refusal,
)
from tests.support.ws4_server import MarketServer

pytestmark = pytest.mark.anyio


async def an_open_order(house: House, account: str) -> str:
    return (await place(house, account, "BUY", "5", limit_price="1", time_in_force="GTC")).operation


async def the_cancel(house: House, operation: str) -> CancelOrder:
    return await CancelOrder.of(house.desk.database, op(), operation)


async def recorded_cancel(house: House, operation: str) -> str:
    """Records a cancellation as a process does that dies before it asks the market."""

    class Dies(CancelOrder):
        async def after(self, desk: Desk, operation: str) -> None:
            del desk, operation

    command = await the_cancel(house, operation)
    return (await house.do(Dies.model_validate(command.model_dump()))).operation


async def test_a_cancelled_order_holds_nothing_and_its_entry_is_voided(house: House) -> None:
    account = await an_account(house)
    order = await an_open_order(house, account)
    outcome = await cancel(house, order)
    assert (await operation_of(house, outcome.operation))["state"] == "SUCCEEDED"
    row = await operation_of(house, order)
    assert (row["state"], row["problems"]) == ("CANCELLED", [])
    now = await books(house, account)
    assert now.account["held"] == 0
    assert [kind[:2] for kind in now.kinds()] == [("DEPOSIT", "POSTED"), ("TRADE", "VOIDED")]
    assert await open_orders(house.desk.database, account) == []


async def test_an_order_that_has_ended_cannot_be_cancelled(house: House) -> None:
    account = await an_account(house)
    done = (await place(house, account, "BUY", "1")).operation
    problems = await refusal(house, await the_cancel(house, done))
    assert (problems[0].code, problems[0].path) == (ProblemCode.RULE_VIOLATION, ("orderOperationId",))
    assert problems[0].details["current"] == "FILLED"


@pytest.mark.parametrize("name", ["", "op_00000000000000000000000000", "x", "\x00"])
async def test_what_names_no_order_is_not_found(house: House, name: str) -> None:
    problems = await refusal(house, await the_cancel(house, name))
    assert [(problem.code, problem.path) for problem in problems] == [(ProblemCode.NOT_FOUND, ("orderOperationId",))]


async def test_a_cancellation_cannot_be_cancelled(house: House) -> None:
    account = await an_account(house)
    outcome = await cancel(house, await an_open_order(house, account))
    problems = await refusal(house, await the_cancel(house, outcome.operation))
    assert problems[0].code is ProblemCode.NOT_FOUND


async def test_two_at_once_cancel_once(house: House) -> None:
    account = await an_account(house)
    order = await an_open_order(house, account)
    commands = [await the_cancel(house, order) for _ in range(4)]
    answers = await asyncio.gather(*(house.do(command) for command in commands), return_exceptions=True)
    assert sum(1 for answer in answers if not isinstance(answer, BaseException)) == 1
    assert (await operation_of(house, order))["state"] == "CANCELLED"
    assert (await books(house, account)).account["held"] == 0


async def test_a_process_that_dies_leaves_the_cancellation_to_another(house: House) -> None:
    account = await an_account(house)
    order = await an_open_order(house, account)
    cancelling = await recorded_cancel(house, order)
    assert (await order_of(house, order))["open"]
    await recover(house.desk, await operation_of(house, cancelling))
    assert (await operation_of(house, cancelling))["state"] == "SUCCEEDED"
    assert (await operation_of(house, order))["state"] == "CANCELLED"
    await recover(house.desk, await operation_of(house, cancelling))


async def test_an_order_that_was_never_sent_is_cancelled_before_it_can_trade(house: House) -> None:
    account = await an_account(house)
    order = await record_only(house, an_order(account, "BUY", "5"))
    row = await operation_of(house, order)
    await cancel(house, order)
    assert (await operation_of(house, order))["state"] == "CANCELLED"
    await recover(house.desk, row)
    assert await house.market.positions(account) == {}
    assert (await books(house, account)).account["held"] == 0


async def test_what_was_filled_before_it_could_be_cancelled_is_told(house: House) -> None:
    account = await an_account(house)
    first, second = [await record_only(house, an_order(account, "BUY", "5")) for _ in range(2)]
    late = await recorded_cancel(house, first)
    await recover(house.desk, await operation_of(house, first))
    row = await operation_of(house, late)
    assert (row["state"], row["problems"][0]["code"]) == ("FAILED", "RULE_VIOLATION")
    assert (await operation_of(house, first))["state"] == "SUCCEEDED"
    await recover(house.desk, await operation_of(house, second))
    assert (await books(house, account)).positions["AAPL"]["quantity"] == 10 * 10**8


async def test_the_rest_of_a_sale_is_given_back(house: House) -> None:
    account = await an_account(house)
    await place(house, account, "BUY", "5")
    sale = await place(house, account, "SELL", "5", limit_price="99999", time_in_force="GTC")
    assert (await books(house, account)).positions["AAPL"]["held"] == 5 * 10**8
    await cancel(house, sale.operation)
    assert (await books(house, account)).positions["AAPL"]["held"] == 0
    await place(house, account, "SELL", "5")


async def test_open_orders_are_listed_oldest_first_page_by_page(house: House) -> None:
    account = await an_account(house)
    placed = [await an_open_order(house, account) for _ in range(3)]
    await place(house, account, "BUY", "1")
    listed = await open_orders(house.desk.database, account)
    assert [order.operation for order in listed] == placed
    assert (listed[0].symbol, str(listed[0].quantity), str(listed[0].limit_price)) == ("AAPL", "5", "1")
    assert (str(listed[0].held), listed[0].status) == ("5.02", "accepted")
    first = await open_orders(house.desk.database, account, first=2)
    rest = await open_orders(house.desk.database, account, after=first[-1].id, first=2)
    assert [order.operation for order in [*first, *rest]] == placed


async def test_a_cancellation_that_comes_too_late_is_refused_while_its_caller_waits(house: House) -> None:
    account = await an_account(house)
    order = await record_only(house, an_order(account, "BUY", "5"))
    await house.market.execute(market_order(await order_of(house, order)))
    command = await the_cancel(house, order)
    problems = await refusal(house, command)
    assert (problems[0].code, problems[0].path) == (ProblemCode.RULE_VIOLATION, ("orderOperationId",))
    assert problems[0].details["current"] == "FILLED"
    assert (await operation_of(house, order))["state"] == "SUCCEEDED"
    assert (await refusal(house, command))[0].details["current"] == "FILLED"


async def test_an_order_that_ended_otherwise_ends_the_cancellation_that_was_left(house: House) -> None:
    account = await an_account(house)
    order = await an_open_order(house, account)
    late = await recorded_cancel(house, order)
    await cancel_at_the_market(house, order)
    await recover(house.desk, await operation_of(house, order))
    assert (await operation_of(house, order))["state"] == "CANCELLED"
    row = await operation_of(house, late)
    assert row["state"] == "SUCCEEDED"
    await recover(house.desk, row)
    assert (await operation_of(house, late)) == row


async def cancel_at_the_market(house: House, order: str) -> None:
    await house.market.cancel((await order_of(house, order))["id"])


async def test_a_market_that_is_gone_refuses_a_cancellation_and_the_order_stays(house: House) -> None:
    account = await an_account(house)
    order = await an_open_order(house, account)
    async with failing(house) as (there, market):
        command = await the_cancel(there, order)
        market.fail("cancel", MarketUnavailable("gone"))
        assert (await refusal(there, command))[0].code is ProblemCode.UNAVAILABLE
        assert (await order_of(there, order))["cancelOperation"] is None
        left = await recorded_cancel(there, order)
        market.fail("cancel", MarketUnavailable("gone"))
        await recover(there.desk, await operation_of(there, left))
        assert (await operation_of(there, left))["state"] == "RUNNING"
        await recover(there.desk, await operation_of(there, left))
        assert (await operation_of(there, order))["state"] == "CANCELLED"


async def test_a_cancellation_that_is_not_proved_is_unknown_until_it_is(house: House) -> None:
    account = await an_account(house)
    order = await an_open_order(house, account)
    async with failing(house) as (there, market):
        market.fail("cancel", MarketUnknown("who knows"))
        outcome = await there.do(await the_cancel(there, order))
        row = await operation_of(there, outcome.operation)
        assert (row["state"], (await operation_of(there, order))["state"]) == ("UNKNOWN", "RUNNING")
        await recover(there.desk, row)
        assert (await operation_of(there, outcome.operation))["state"] == "SUCCEEDED"
        assert (await operation_of(there, order))["state"] == "CANCELLED"


@pytest.fixture
async def remote(house: House) -> AsyncGenerator[House]:
    """The test's tenant at a market over HTTP, which takes no cancellations."""
    async with MarketServer() as server:
        client = HttpMarket(server.url)
        prices = PriceBook(client, house.desk.database)
        desk = Desk(house.desk.database, house.desk.protocol, client, prices, house.desk.installation)
        yield House(desk, Pipeline(desk), house.admin, house.market, house.root)
        await prices.aclose()
        await client.aclose()


async def test_a_market_that_takes_no_cancellations_is_told_as_a_rule(remote: House) -> None:
    account = await an_account(remote)
    order = await an_open_order(remote, account)
    command = await the_cancel(remote, order)
    for _ in range(2):
        problems = await refusal(remote, command)
        assert (problems[0].code, problems[0].details["rule"]) == (ProblemCode.RULE_VIOLATION, "MARKET_CANCELS")
    assert (await operation_of(remote, order))["state"] == "RUNNING"
    assert (await order_of(remote, order))["cancelOperation"] is None
    left = await recorded_cancel(remote, order)
    await recover(remote.desk, await operation_of(remote, left))
    assert (await operation_of(remote, left))["state"] == "FAILED"
    assert (await order_of(remote, order))["open"]
