"""Reports of the market, booked: in parts, late, twice, at once, and those that cannot be true."""

import asyncio
from decimal import Decimal

import pytest

from graph.database import Row
from graph.money import from_minor
from services.checks import check_tenant
from services.findings import Report
from services.ledger import Deposit, Withdraw
from services.market.port import MarketUnknown, OrderReport, OrderStatus
from services.order_checks import OrderCheck
from services.orders.settling import settle
from services.problems import ProblemCode
from tests.support.house import House, op
from tests.support.trading import (
    JOURNAL,
    SET,
    an_account,
    an_order,
    books,
    lots_of,
    operation_of,
    order_of,
    place,
    record_only,
    refusal,
)

pytestmark = pytest.mark.anyio
UNIT = 10**8


def told(order: Row, status: OrderStatus, filled: str = "0", price: str | None = None, fee: str = "0") -> OrderReport:
    return OrderReport(order["id"], status, Decimal(filled), Decimal(price) if price else None, Decimal(fee))


async def a_recorded_order(house: House, side: str = "BUY", quantity: str = "10", **more: str) -> tuple[str, Row]:
    """An account with a recorded order that nobody has sent; both."""
    account = await an_account(house)
    if side == "SELL":
        await place(house, account, "BUY", quantity)
    operation = await record_only(house, an_order(account, side, quantity, **more))
    return account, await order_of(house, operation)


async def test_parts_are_booked_as_they_come_and_add_up(house: House) -> None:
    account, order = await a_recorded_order(house, limit_price="100.01")
    hold = order["held"]
    assert hold == 100_015
    await settle(house.desk, order, told(order, OrderStatus.PARTIALLY_FILLED, "3", "100.005", "0.01"))
    now = await books(house, account)
    assert now.kinds()[1:] == [("TRADE", "PENDING", -70_012), ("TRADE", "POSTED", -30_002), ("FEE", "POSTED", -1)]
    assert now.account["held"] == 70_012
    assert now.entries[1]["quantity"] == 7 * UNIT
    assert now.positions["AAPL"]["quantity"] == 3 * UNIT
    operation = await operation_of(house, order["operation"])
    assert operation["state"] == "RUNNING"
    assert operation["payload"]["transactions"] == [
        now.entries[2]["id"],
        now.entries[3]["id"],
        now.entries[1]["id"],
    ]
    await settle(house.desk, order, told(order, OrderStatus.FILLED, "10", "100.0005", "0.05"))
    now = await books(house, account)
    assert now.kinds()[1:] == [
        ("TRADE", "POSTED", -30_002),
        ("FEE", "POSTED", -1),
        ("TRADE", "POSTED", -69_998),
        ("FEE", "POSTED", -4),
    ]
    assert now.account["cash"] == 10_000_000 - 100_000 - 5
    assert now.account["held"] == 0
    assert await lots_of(house, now.positions["AAPL"]) == [(3 * UNIT, "100.005"), (7 * UNIT, "99.998571428571")]
    assert now.positions["AAPL"]["averagePrice"] == "100.0005"
    operation = await operation_of(house, order["operation"])
    assert (operation["state"], operation["problems"]) == ("SUCCEEDED", [])
    assert operation["result"] == order["entry"] == now.entries[3]["id"]
    for entry in now.entries[1:]:
        rows = await house.desk.database.run(SET, set=entry["set"])
        assert sum(row["entry"]["amount"] for row in rows) == 0


async def test_an_order_that_ends_in_part_succeeds_and_tells_the_rest(house: House) -> None:
    account, order = await a_recorded_order(house)
    await settle(house.desk, order, told(order, OrderStatus.PARTIALLY_FILLED, "4", "100", "0.02"))
    await settle(house.desk, order, told(order, OrderStatus.EXPIRED, "4", "100", "0.02"))
    now = await books(house, account)
    assert [kind[:2] for kind in now.kinds()[1:]] == [("TRADE", "VOIDED"), ("TRADE", "POSTED"), ("FEE", "POSTED")]
    assert now.account["held"] == 0
    operation = await operation_of(house, order["operation"])
    assert operation["state"] == "SUCCEEDED"
    assert operation["problems"][0]["message"] == "6 of 10 were not filled: the order is expired"
    assert operation["result"] == now.entries[2]["id"]
    assert operation["payload"]["transactions"] == [now.entries[2]["id"], now.entries[3]["id"]]


async def test_a_sale_in_parts_gives_back_what_it_does_not_sell(house: House) -> None:
    account, order = await a_recorded_order(house, "SELL", limit_price="1")
    before = await books(house, account)
    assert before.positions["AAPL"]["held"] == 10 * UNIT
    await settle(house.desk, order, told(order, OrderStatus.PARTIALLY_FILLED, "4", "200", "0.02"))
    now = await books(house, account)
    assert (now.positions["AAPL"]["quantity"], now.positions["AAPL"]["held"]) == (6 * UNIT, 6 * UNIT)
    await settle(house.desk, order, told(order, OrderStatus.CANCELLED, "4", "200", "0.02"))
    now = await books(house, account)
    assert (now.positions["AAPL"]["quantity"], now.positions["AAPL"]["held"]) == (6 * UNIT, 0)
    assert now.account["cash"] == before.account["cash"] + 80_000 - 2


async def test_an_unfilled_end_that_nobody_asked_for_fails_and_voids(house: House) -> None:
    account, order = await a_recorded_order(house)
    report = OrderReport(order["id"], OrderStatus.REJECTED, reason="No such thing today.")
    await settle(house.desk, order, report)
    now = await books(house, account)
    assert [kind[:2] for kind in now.kinds()] == [("DEPOSIT", "POSTED"), ("TRADE", "VOIDED")]
    assert (now.account["cash"], now.account["held"]) == (10_000_000, 0)
    operation = await operation_of(house, order["operation"])
    assert operation["state"] == "FAILED"
    assert operation["problems"][0]["code"] == "MARKET_REJECTED"
    assert operation["problems"][0]["message"] == "No such thing today."
    assert operation["payload"]["transactions"] == [order["entry"]]
    assert operation.get("dueAt") is None


async def test_ten_at_once_book_once(house: House) -> None:
    account, order = await a_recorded_order(house)
    report = told(order, OrderStatus.FILLED, "10", "100", "0.05")
    await asyncio.gather(*(settle(house.desk, order, report) for _ in range(10)))
    now = await books(house, account)
    assert now.kinds()[1:] == [("TRADE", "POSTED", -100_000), ("FEE", "POSTED", -5)]
    assert now.account["orders"] == 1


async def test_an_older_report_changes_nothing(house: House) -> None:
    account, order = await a_recorded_order(house)
    early = told(order, OrderStatus.PARTIALLY_FILLED, "3", "100", "0.01")
    late = told(order, OrderStatus.PARTIALLY_FILLED, "5", "100", "0.02")
    await settle(house.desk, order, late)
    before = await books(house, account)
    await settle(house.desk, order, early)
    assert await books(house, account) == before
    await settle(house.desk, order, told(order, OrderStatus.FILLED, "10", "100", "0.05"))
    ended = await books(house, account)
    await settle(house.desk, order, late)
    await settle(house.desk, order, told(order, OrderStatus.REJECTED))
    assert await books(house, account) == ended


@pytest.mark.parametrize(
    "lie",
    [
        (OrderStatus.FILLED, "11", "100", "0"),
        (OrderStatus.FILLED, "9", "100", "0"),
        (OrderStatus.PARTIALLY_FILLED, "5", None, "0"),
        (OrderStatus.PARTIALLY_FILLED, "5", "101", "0"),
        (OrderStatus.REJECTED, "5", "100", "0"),
        (OrderStatus.FILLED, "10", "100", "-1"),
    ],
)
async def test_what_cannot_be_true_is_not_booked(house: House, lie: tuple[OrderStatus, str, str | None, str]) -> None:
    account, order = await a_recorded_order(house, limit_price="100")
    before = await books(house, account)
    with pytest.raises(MarketUnknown):
        await settle(house.desk, order, told(order, *lie))
    assert await books(house, account) == before
    assert (await order_of(house, order["operation"]))["open"]


async def test_fills_beyond_the_hold_are_booked_as_they_happened(house: House) -> None:
    account, order = await a_recorded_order(house, quantity="1")
    await settle(house.desk, order, told(order, OrderStatus.FILLED, "1", "200", "0.01"))
    now = await books(house, account)
    assert now.account["cash"] == 10_000_000 - 20_001
    assert now.account["held"] == 0


async def test_an_accepted_order_stays_open_and_a_repeated_word_writes_no_record(house: House) -> None:
    account, order = await a_recorded_order(house, limit_price="1", time_in_force="GTC")
    accepted = told(order, OrderStatus.ACCEPTED)
    await settle(house.desk, order, accepted)
    records = await house.desk.database.run(JOURNAL, feed=house.root)
    due = (await operation_of(house, order["operation"]))["dueAt"]
    await settle(house.desk, order, accepted)
    assert await house.desk.database.run(JOURNAL, feed=house.root) == records
    operation = await operation_of(house, order["operation"])
    assert operation["state"] == "RUNNING"
    assert operation["dueAt"] > due
    assert (await books(house, account)).account["held"] == order["held"]


async def test_each_effect_leaves_one_record_with_what_was_before(house: House) -> None:
    account = await an_account(house)
    await place(house, account, "BUY", "1")
    records = [row["record"] for row in await house.desk.database.run(JOURNAL, feed=house.root)]
    kinds = [record["kind"] for record in records]
    assert kinds[-3:] == ["ORDER_PLACED", "POSTED", "OPERATION_CHANGED"]
    assert {record["actor"] for record in records[-3:]} == {house.admin.username}
    assert {record["action"] for record in records[-3:]} == {"placeOrder"}
    assert all(account in record["nodes"] for record in records[-3:])


async def test_a_fill_that_costs_more_than_there_is_is_booked_and_found_by_the_check(house: House) -> None:
    account, order = await a_recorded_order(house)
    rest = (await books(house, account)).account["cash"] - order["held"]
    await house.do(withdraw(account, f"{from_minor(rest, 'USD')}"))
    assert await check_of(house, account) == []
    dear = from_minor(order["held"], "USD") / 10 + 1
    await settle(house.desk, order, told(order, OrderStatus.FILLED, "10", f"{dear}", "0.05"))
    now = await books(house, account)
    assert (now.account["cash"], now.account["held"]) == (-1_005, 0)
    below = f"account {account}: its cash is below zero: -10.05 USD"
    beyond = f"fills cost 10.05 USD beyond what their orders held, the last of them {order['id']}"
    assert await check_of(house, account) == [f"{below}; {beyond}"]
    operation = await operation_of(house, order["operation"])
    (problem,) = operation["problems"]
    assert (operation["state"], problem["code"], problem["details"]) == (
        "SUCCEEDED",
        "INSUFFICIENT_FUNDS",
        {"available": "-10.05"},
    )
    assert "the account's cash is -10.05 USD now" in problem["message"]
    assert [problem.code for problem in await refusal(house, withdraw(account, "0.01"))] == [
        ProblemCode.INSUFFICIENT_FUNDS
    ]
    await house.do(Deposit(operation_id=op(), account_id=account, amount="5"))
    assert (await books(house, account)).account["cash"] == -505
    await house.do(Deposit(operation_id=op(), account_id=account, amount="5.05"))
    assert await check_of(house, account) == []


async def test_a_fill_beyond_its_hold_that_the_account_can_pay_is_no_problem(house: House) -> None:
    account, order = await a_recorded_order(house)
    await settle(house.desk, order, told(order, OrderStatus.FILLED, "10", "300", "0.05"))
    assert (await operation_of(house, order["operation"]))["problems"] == []
    beyond = (await order_of(house, order["operation"]))["beyond"]
    assert beyond == 300_005 - order["held"] > 0
    assert await check_of(house, account) == []


async def test_a_part_beyond_the_hold_is_told_while_the_rest_is_open(house: House) -> None:
    account, order = await a_recorded_order(house)
    rest = (await books(house, account)).account["cash"] - order["held"]
    await house.do(withdraw(account, f"{from_minor(rest, 'USD')}"))
    await settle(house.desk, order, told(order, OrderStatus.PARTIALLY_FILLED, "5", "300", "0.03"))
    operation = await operation_of(house, order["operation"])
    assert (operation["state"], len(operation["problems"])) == ("RUNNING", 1)
    await settle(house.desk, order, told(order, OrderStatus.EXPIRED, "5", "300", "0.03"))
    operation = await operation_of(house, order["operation"])
    codes = [problem["code"] for problem in operation["problems"]]
    assert (operation["state"], codes) == ("SUCCEEDED", ["INSUFFICIENT_FUNDS", "MARKET_REJECTED"])


async def test_a_part_that_is_worth_less_than_half_a_cent_costs_one(house: House) -> None:
    account, order = await a_recorded_order(house, limit_price="100")
    await settle(house.desk, order, told(order, OrderStatus.PARTIALLY_FILLED, "0.00001", "100"))
    assert (await books(house, account)).kinds()[-1] == ("TRADE", "POSTED", -1)
    await settle(house.desk, order, told(order, OrderStatus.CANCELLED, "0.00001", "100"))
    now = await books(house, account)
    assert (now.account["cash"], now.account["held"]) == (9_999_999, 0)
    assert await check_of(house, account) == []


async def test_a_limit_buy_in_parts_never_takes_more_than_it_held(house: House) -> None:
    account, order = await a_recorded_order(house, limit_price="100.01")
    rest = (await books(house, account)).account["cash"] - order["held"]
    await house.do(withdraw(account, f"{from_minor(rest, 'USD')}"))
    for filled, mean in (("3", "99.5"), ("7", "100"), ("10", "100.01")):
        status = OrderStatus.FILLED if filled == "10" else OrderStatus.PARTIALLY_FILLED
        await settle(house.desk, order, told(order, status, filled, mean, "0.05"))
        now = (await books(house, account)).account
        assert now["cash"] == now["held"] >= 0
    assert now["cash"] == 0


def withdraw(account: str, amount: str) -> Withdraw:
    return Withdraw(operation_id=op(), account_id=account, amount=amount)


async def check_of(house: House, account: str) -> list[str]:
    """What the check of the books says of the account itself."""
    report = Report()
    await check_tenant(house.desk, house.root, report, OrderCheck(house.desk, report))
    return [line for line in report.findings if account in line]
