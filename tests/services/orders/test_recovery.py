"""Orders that a process left between any two of its steps, and others that are still at them."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from graph import clock
from graph.database import Transaction
from graph.query import Query
from services.market.port import (
    LookupUnsupported,
    MarketNotTaken,
    MarketUnavailable,
    MarketUnknown,
    OrderReport,
    OrderStatus,
)
from services.orders.claims import Claim
from services.orders.proving import prove
from services.orders.recovery import recover, settle_reports
from services.orders.sending import pursue
from services.orders.terms import market_order
from services.orders.withdrawing import withdraw
from services.problems import ProblemCode
from tests.support.failing_market import failing
from tests.support.house import House
from tests.support.trading import (
    an_account,
    an_order,
    books,
    operation_of,
    order_of,
    place,
    record_only,
    refusal,
)

pytestmark = pytest.mark.anyio
UNIT = 10**8
SET_ORDER = Query("test.recovery.order", "MATCH (o:Order {id: $id}) SET o += $to")


async def alter(house: House, order: str, **to: object) -> None:
    async def work(transaction: Transaction) -> None:
        await transaction.run(SET_ORDER, id=order, to=to)

    await house.desk.database.write(work, queue="test")


async def test_killed_before_sending(house: House) -> None:
    account = await an_account(house)
    operation = await record_only(house, an_order(account, "BUY", "10"))
    assert (await books(house, account)).account["held"] > 0
    await recover(house.desk, await operation_of(house, operation))
    assert (await operation_of(house, operation))["state"] == "SUCCEEDED"
    assert await house.market.positions(account) == {"AAPL": 10}


async def test_killed_between_sending_and_booking(house: House) -> None:
    account = await an_account(house)
    operation = await record_only(house, an_order(account, "BUY", "10"))
    await house.market.execute(market_order(await order_of(house, operation)))
    await recover(house.desk, await operation_of(house, operation))
    await recover(house.desk, await operation_of(house, operation))
    now = await books(house, account)
    assert [kind[:2] for kind in now.kinds()] == [("DEPOSIT", "POSTED"), ("TRADE", "POSTED"), ("FEE", "POSTED")]
    assert await house.market.positions(account) == {"AAPL": 10}


async def test_the_same_operation_id_takes_up_what_a_killed_process_left(house: House) -> None:
    account = await an_account(house)
    command = an_order(account, "BUY", "10")
    operation = await record_only(house, command)
    outcome = await house.do(command)
    assert outcome.operation == operation
    assert (await operation_of(house, operation))["state"] == "SUCCEEDED"


async def test_many_processes_at_once_book_once(house: House) -> None:
    account = await an_account(house)
    command = an_order(account, "BUY", "10")
    operation = await record_only(house, command)
    row = await operation_of(house, operation)
    await asyncio.gather(*(recover(house.desk, row) for _ in range(6)), house.do(command), house.do(command))
    now = await books(house, account)
    assert len(now.entries) == 3
    assert now.positions["AAPL"]["quantity"] == 10 * UNIT
    assert await house.market.positions(account) == {"AAPL": 10}


async def test_a_rejection_found_by_recovery_fails_the_operation(house: House) -> None:
    account = await an_account(house)
    command = an_order(account, "BUY", "10")
    operation = await record_only(house, command)
    await house.market.halt("AAPL")
    await recover(house.desk, await operation_of(house, operation))
    row = await operation_of(house, operation)
    assert (row["state"], row["problems"][0]["code"]) == ("FAILED", "MARKET_REJECTED")
    assert (await books(house, account)).account["held"] == 0
    assert (await house.do(command)).operation == operation, "its outcome stays with its id"


async def test_an_order_that_others_may_have_sent_is_never_withdrawn(house: House) -> None:
    account = await an_account(house)
    claim = Claim()
    operation = await record_only(house, an_order(account, "BUY", "10"))
    order = await order_of(house, operation)
    await alter(house, order["id"], claim=claim.token)
    assert claim.is_first(await order_of(house, operation))
    await alter(house, order["id"], claims=2)
    assert not await withdraw(house.desk, order, claim)
    assert not await withdraw(house.desk, order, Claim())
    await alter(house, order["id"], claims=1, status="UNPROVED")
    assert not await withdraw(house.desk, order, claim)
    await alter(house, order["id"], status="RECORDED")
    assert await withdraw(house.desk, order, claim)
    assert [kind[0] for kind in (await books(house, account)).kinds()] == ["DEPOSIT"]
    assert (await books(house, account)).account["held"] == 0


async def test_a_withdrawn_order_is_sent_by_nobody_who_still_knows_it(house: House) -> None:
    account = await an_account(house)
    claim = Claim()
    operation = await record_only(house, an_order(account, "BUY", "10"))
    order = await order_of(house, operation)
    await alter(house, order["id"], claim=claim.token)
    row = await operation_of(house, operation)
    assert await withdraw(house.desk, order, claim)
    assert await prove(house.desk, order) is None
    await recover(house.desk, row)
    assert await house.market.positions(account) == {}


async def test_an_order_of_a_day_that_is_past_is_not_sent_and_ends(house: House) -> None:
    account = await an_account(house)
    operation = await record_only(house, an_order(account, "BUY", "10"))
    await house.market.advance(await house.market.market_date() + timedelta(days=1))
    await recover(house.desk, await operation_of(house, operation))
    assert (await operation_of(house, operation))["state"] == "FAILED"
    assert await house.market.positions(account) == {}
    assert (await books(house, account)).account["held"] == 0


async def test_an_order_that_stands_until_cancelled_is_sent_on_a_later_day(house: House) -> None:
    account = await an_account(house)
    operation = await record_only(house, an_order(account, "BUY", "10", time_in_force="GTC"))
    await house.market.advance(await house.market.market_date() + timedelta(days=1))
    await recover(house.desk, await operation_of(house, operation))
    assert (await operation_of(house, operation))["state"] == "SUCCEEDED"


async def test_a_buy_whose_hold_the_price_has_passed_is_not_sent(house: House) -> None:
    account = await an_account(house)
    operation = await record_only(house, an_order(account, "BUY", "10"))
    order = await order_of(house, operation)
    await alter(house, order["id"], held=order["held"] // 2)
    await recover(house.desk, await operation_of(house, operation))
    assert await house.market.positions(account) == {}


async def test_what_a_moved_date_fills_and_expires_is_booked(house: House) -> None:
    account = await an_account(house)
    today = await house.market.market_date()
    price = (await house.market.quotes(["AAPL"]))["AAPL"].last
    day = await place(house, account, "BUY", "1", limit_price="1")
    until = await place(house, account, "BUY", "1", limit_price="2", time_in_force="GTC")
    assert price > 2
    settled = await house.market.advance(today + timedelta(days=1))
    await settle_reports(house.desk, settled)
    assert (await operation_of(house, day.operation))["state"] == "FAILED"
    assert (await operation_of(house, until.operation))["state"] == "RUNNING"
    assert (await books(house, account)).account["held"] == 200


async def test_an_open_order_waits_less_than_half_a_minute_for_the_next_look(house: House) -> None:
    account = await an_account(house)
    outcome = await place(house, account, "BUY", "1", limit_price="1", time_in_force="GTC")
    row = await operation_of(house, outcome.operation)
    await recover(house.desk, row)
    later = (await operation_of(house, outcome.operation))["dueAt"]
    assert row["dueAt"] < later < clock.to_text(clock.now() + timedelta(seconds=30))


async def test_an_operation_that_has_ended_is_left_alone(house: House) -> None:
    account = await an_account(house)
    outcome = await place(house, account, "BUY", "1")
    before = await books(house, account)
    await recover(house.desk, await operation_of(house, outcome.operation))
    await pursue(house.desk, outcome.operation, Claim())
    assert await books(house, account) == before


async def test_an_order_that_is_not_taken_is_withdrawn_only_by_its_first_sender(house: House) -> None:
    account = await an_account(house)
    command = an_order(account, "BUY", "1")
    async with failing(house) as (there, market):
        market.fail("execute", MarketNotTaken("busy"))
        assert [problem.code for problem in await refusal(there, command)] == [ProblemCode.UNAVAILABLE]
        assert len((await books(there, account)).entries) == 1
        operation = await record_only(there, command)
        market.fail("execute", MarketNotTaken("busy"))
        await there.do(command)
        assert (await operation_of(there, operation))["state"] == "UNKNOWN", "the first process may have sent it"
        await recover(there.desk, await operation_of(there, operation))
        assert (await operation_of(there, operation))["state"] == "SUCCEEDED"


async def test_an_accepted_order_is_asked_for_by_sending_it_where_nothing_can_be_looked_up(house: House) -> None:
    account = await an_account(house)
    operation = (await place(house, account, "BUY", "1", limit_price="1", time_in_force="GTC")).operation
    order = (await order_of(house, operation))["id"]
    async with failing(house) as (there, market):
        market.fail("order", LookupUnsupported("never"))
        await house.market.cancel(order)
        await recover(there.desk, await operation_of(there, operation))
    row = await operation_of(house, operation)
    assert (row["state"], row["problems"][0]["code"]) == ("FAILED", "MARKET_REJECTED")


async def test_a_simulated_order_without_quotes_waits_or_is_refused(house: House) -> None:
    account = await an_account(house, simulated=True)
    async with failing(house) as (there, market):
        operation = await record_only(there, an_order(account, "BUY", "1"))
        market.fail("quotes", MarketUnavailable("gone"))
        await recover(there.desk, await operation_of(there, operation))
        assert (await operation_of(there, operation))["state"] == "RUNNING"
        await recover(there.desk, await operation_of(there, operation))
        assert (await operation_of(there, operation))["state"] == "SUCCEEDED"


async def test_a_date_that_cannot_be_told_is_the_orders_own(house: House) -> None:
    account = await an_account(house)
    operation = await record_only(house, an_order(account, "BUY", "1"))
    await house.market.execute(market_order(await order_of(house, operation)))
    async with failing(house) as (there, market):
        market.fail("market_date", MarketUnavailable("gone"))
        await recover(there.desk, await operation_of(there, operation))
    assert (await books(house, account)).entries[-1]["valueDate"] == (await house.market.market_date()).isoformat()


async def test_a_report_that_cannot_be_true_leaves_the_order_open(house: House) -> None:
    account = await an_account(house)
    operation = await record_only(house, an_order(account, "BUY", "1"))
    order = await order_of(house, operation)
    lie = OrderReport(order["id"], OrderStatus.FILLED, Decimal(2), Decimal(1))
    await settle_reports(house.desk, [lie])
    assert (await operation_of(house, operation))["state"] == "UNKNOWN"
    async with failing(house) as (there, market):
        market.fail("order", MarketUnknown("nonsense"))
        await recover(there.desk, await operation_of(there, operation))
        assert (await operation_of(there, operation))["state"] == "UNKNOWN"
    await recover(house.desk, await operation_of(house, operation))
    assert (await operation_of(house, operation))["state"] == "SUCCEEDED"
