"""Orders that waited for a person: checked again when they start, and ended where they can no longer be done."""

import pytest

from services.configuring import Configure
from services.deciding import DecideOperation, decide, start_approved
from services.granting import Revoke
from services.ledger import Withdraw
from services.permissions import Role, Viewer
from services.registry import restored
from tests.support.house import Address, House, op, open_house
from tests.support.overtaking import overtaken
from tests.support.trading import a_viewer, an_account, an_order, books, operation_of

pytestmark = pytest.mark.anyio


async def waiting(house: House, **more: str) -> tuple[str, str]:
    """An account that is not trusted yet, and its order that waits; somebody else than the administrator asked."""
    days = ["MON", "TUE", "WED", "THU", "FRI"]
    account = await an_account(house, tier="REV", settings={"policy.entryDays": days})
    trader: Viewer = await a_viewer(house, house.root, Role.OPERATOR)
    outcome = await house.do(an_order(account, "BUY", "10", **more), trader)
    assert (await operation_of(house, outcome.operation))["state"] == "AWAITING_APPROVAL"
    return account, outcome.operation


async def approve(house: House, operation: str) -> str:
    """The state after the administrator's approval."""
    command = DecideOperation(operation_id=op(), target_operation_id=operation, approve=True, reason="seen")
    await decide(house.pipeline, house.admin, command)
    return (await operation_of(house, operation))["state"]


async def test_an_approved_order_fills(house: House) -> None:
    account, operation = await waiting(house)
    assert await approve(house, operation) == "SUCCEEDED"
    now = await books(house, account)
    assert now.positions["AAPL"]["quantity"] == 10 * 10**8
    assert {entry["operation"] for entry in now.entries[1:]} == {operation}


async def test_what_the_market_rejects_then_fails_and_stays_to_be_read(house: House) -> None:
    account, operation = await waiting(house)
    await house.market.halt("AAPL")
    assert await approve(house, operation) == "FAILED"
    row = await operation_of(house, operation)
    assert row["problems"][0]["code"] == "MARKET_REJECTED"
    now = await books(house, account)
    assert now.account["held"] == 0
    assert [kind[:2] for kind in now.kinds()] == [("DEPOSIT", "POSTED"), ("TRADE", "VOIDED")]


async def test_funds_and_limits_are_checked_again(house: House) -> None:
    account, operation = await waiting(house)
    await house.do(Withdraw(operation_id=op(), account_id=account, amount="99500"))
    assert await approve(house, operation) == "FAILED"
    assert (await operation_of(house, operation))["problems"][0]["code"] == "INSUFFICIENT_FUNDS"
    account, operation = await waiting(house)
    await house.do(Configure(operation_id=op(), id=account, settings={"limits.maxOrderValue": "5"}))
    assert await approve(house, operation) == "FAILED"
    assert (await operation_of(house, operation))["problems"][0]["details"]["rule"] == "limits.maxOrderValue"
    assert len((await books(house, account)).entries) == 1


async def test_an_approved_limit_order_rests(house: House) -> None:
    _, operation = await waiting(house, limit_price="1")
    assert await approve(house, operation) == "RUNNING"


async def test_an_approved_order_that_a_purchase_overtakes_is_placed_all_the_same(
    house: House, engine: Address
) -> None:
    account, operation = await waiting(house)
    command = DecideOperation(operation_id=op(), target_operation_id=operation, approve=True, reason="seen")
    await house.do(command)
    row = await operation_of(house, operation)
    await house.do(Configure(operation_id=op(), id=account, settings={"approval.order": False}))
    async with open_house(engine) as other:
        bought = an_order(account, "BUY", "1", "MSFT")
        await house.pipeline.start(row, overtaken(restored(row), other, bought, locked=False))
    assert (await operation_of(house, operation))["state"] == "SUCCEEDED"
    assert set((await books(house, account)).positions) == {"AAPL", "MSFT"}


async def test_who_approved_must_still_be_one_who_decides_when_it_starts(house: House) -> None:
    _, operation = await waiting(house)
    boss = await a_viewer(house, house.root, Role.MANAGER)
    command = DecideOperation(operation_id=op(), target_operation_id=operation, approve=True, reason="seen")
    await house.do(command, boss)
    await house.do(Revoke(operation_id=op(), username=boss.username, node_id=house.root, role=Role.MANAGER))
    await start_approved(house.pipeline, operation)
    row = await operation_of(house, operation)
    assert (row["state"], row["problems"][0]["code"]) == ("FAILED", "FORBIDDEN")
