"""The check of totals by value date: silent on what the house wrote, one line for each total that is altered."""

from typing import Any

import pytest

from services import checks
from services.findings import Report
from services.ledger import Deposit
from services.order_checks import OrderCheck
from services.period_checks import PeriodTotals
from tests.support.graphs import statement
from tests.support.house import House, op
from tests.support.reads import write
from tests.support.trading import an_account, cancel, place

pytestmark = pytest.mark.anyio

SET = statement("MATCH (t:PeriodTotal {ledger: $id, period: $to.period}) SET t += $to")
DROP = statement("MATCH (t:PeriodTotal {ledger: $id, period: $to.period}) DELETE t")


async def findings(house: House) -> list[str]:
    """What the check says of the test's own tenant."""
    report = Report()
    await checks.check_tenant(house.desk, house.root, report, OrderCheck(house.desk, report))
    return report.findings


async def test_a_wrong_total_by_value_date_is_found(house: House) -> None:
    account = await an_account(house, "1")
    await house.do(Deposit(operation_id=op(), account_id=account, amount="2"))
    day = (await house.market.market_date()).isoformat()
    about = f"account {account}: its total of {day}"
    total: dict[str, Any] = {"period": f"D{day}", "amount": 300, "first": 1, "last": 2}
    assert await findings(house) == []
    await write(house, SET, id=account, to=total | {"amount": 299})
    assert await findings(house) == [f"{about} is 2.99 USD, and should be 3.00 USD"]
    await write(house, SET, id=account, to=total | {"last": 1})
    assert await findings(house) == [f"{about} leaves out the places of some of its entries"]
    await write(house, SET, id=account, to=total)
    await write(house, DROP, id=account, to={"period": f"M{day[:7]}"})
    assert await findings(house) == [f"account {account}: its total of {day[:7]} is missing"]


async def test_what_orders_leave_and_take_adds_up(house: House) -> None:
    account = await an_account(house)
    await place(house, account, "BUY", "2")
    await place(house, account, "BUY", "1", limit_price="1", time_in_force="GTC")
    await cancel(house, (await place(house, account, "BUY", "1", limit_price="2", time_in_force="GTC")).operation)
    assert await findings(house) == []


def test_an_entry_that_is_not_posted_has_a_place_and_no_amount() -> None:
    found = PeriodTotals()
    found.take({"state": "PENDING", "amount": -5, "place": 7, "day": "2026-01-31"})
    found.take({"state": "POSTED", "amount": 3, "place": 9, "day": "2026-02-01"})
    assert found.amounts == {"Y2026": 3, "M2026-01": 0, "D2026-01-31": 0, "M2026-02": 3, "D2026-02-01": 3}
    assert found.places["Y2026"] == (7, 9)
