"""Orders of SIMULATED accounts: filled at quotes, by the same rules, without the market's knowing."""

from datetime import timedelta

import pytest

from graph.money import round_to_minor
from services.orders.recovery import recover
from services.problems import ProblemCode
from tests.support.house import House
from tests.support.trading import (
    SET,
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

pytestmark = pytest.mark.anyio


async def test_it_fills_at_the_quote_with_commission_and_never_reaches_the_market(house: House) -> None:
    account = await an_account(house, simulated=True)
    outcome = await place(house, account, "BUY", "10")
    price = (await house.market.quotes(["AAPL"]))["AAPL"].last
    now = await books(house, account)
    cost = round_to_minor(price * 10, "USD")
    assert now.kinds()[1:] == [("TRADE", "POSTED", -cost), ("FEE", "POSTED", -5)]
    assert await house.market.positions(account) == {}
    order = await order_of(house, outcome.operation)
    assert getattr(await house.market.order(order["id"]), "final", None) is False
    rows = await house.desk.database.run(SET, set=now.entries[1]["set"])
    outside = [row["entry"]["ledger"] for row in rows if row["entry"]["ledger"] != account]
    assert all(ledger.endswith(":paper") for ledger in outside)
    assert len(outside) == 2


async def test_what_the_rules_reject_is_refused_the_same_way(house: House) -> None:
    account = await an_account(house, simulated=True)
    await house.market.halt("MSFT")
    problems = await refusal(house, an_order(account, "BUY", "1", "MSFT"))
    assert problems[0].code is ProblemCode.MARKET_REJECTED
    problems = await refusal(house, an_order(account, "BUY", "1", limit_price="1", time_in_force="IOC"))
    assert problems[0].code is ProblemCode.MARKET_REJECTED
    assert [kind[0] for kind in (await books(house, account)).kinds()] == ["DEPOSIT"]


async def test_a_limit_rests_until_its_price_its_end_or_a_cancellation(house: House) -> None:
    account = await an_account(house, simulated=True)
    price = (await house.market.quotes(["AAPL"]))["AAPL"].last
    day = (await place(house, account, "BUY", "1", limit_price="1")).operation
    kept = (await place(house, account, "BUY", "1", limit_price="2", time_in_force="GTC")).operation
    dropped = (await place(house, account, "BUY", "1", limit_price="3", time_in_force="GTC")).operation
    at_once = (await place(house, account, "BUY", "1", limit_price=f"{price + 1}")).operation
    assert (await operation_of(house, at_once))["state"] == "SUCCEEDED"
    await cancel(house, dropped)
    assert (await operation_of(house, dropped))["state"] == "CANCELLED"
    await house.market.advance(await house.market.market_date() + timedelta(days=1))
    for operation in (day, kept):
        await recover(house.desk, await operation_of(house, operation))
    assert (await operation_of(house, day))["state"] == "FAILED"
    assert (await operation_of(house, kept))["state"] == "RUNNING"
    assert (await books(house, account)).account["held"] == 200


async def test_a_killed_process_leaves_it_to_another(house: House) -> None:
    account = await an_account(house, simulated=True)
    operation = await record_only(house, an_order(account, "BUY", "1"))
    row = await operation_of(house, operation)
    await recover(house.desk, row)
    await recover(house.desk, row)
    assert (await operation_of(house, operation))["state"] == "SUCCEEDED"
    assert len((await books(house, account)).entries) == 2
