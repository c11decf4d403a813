"""Adjustments, fees, dividends and reversals: new postings by those who may, linked to what they correct."""

import asyncio
from typing import Any

import pytest

from graph.query import Query
from services import checks
from services.corrections import AdjustCash, PostDividend, PostFee
from services.deciding import DecideOperation, decide
from services.findings import Report
from services.ledger import Deposit, Transfer, Withdraw
from services.order_checks import OrderCheck
from services.permissions import Role
from services.problems import ProblemCode, Refused
from services.reversing import ReverseEntry
from tests.support.house import House, op
from tests.support.trading import SET, a_viewer, an_account, books, operation_of, place, refusal

pytestmark = pytest.mark.anyio
VALUATIONS = Query(
    "test.valuations", "MATCH (v:Valuation) WHERE v.account = $account AND v.at > '' RETURN count(v) AS total"
)
CORRECTED = Query("test.corrected", "MATCH (e:Entry {id: $id})<-[:CORRECTS]-(c:Entry) RETURN c.id AS id")


def adjust(account: str, amount: str, reason: str = "a booking was missed") -> AdjustCash:
    return AdjustCash(operation_id=op(), account_id=account, amount=amount, reason=reason)


async def reverse(house: House, entry: str, reason: str = "booked by mistake") -> ReverseEntry:
    return await ReverseEntry.of(house.desk.database, op(), entry, reason)


async def valuations(house: House, account: str) -> int:
    return (await house.desk.database.run(VALUATIONS, account=account))[0]["total"]


async def sound(house: House) -> None:
    report = Report()
    await checks.check_tenant(house.desk, house.root, report, OrderCheck(house.desk, report))
    assert report.findings == []


async def test_an_adjustment_changes_cash_by_its_sign(house: House) -> None:
    account = await an_account(house, "100")
    await house.do(adjust(account, "20.50"))
    outcome = await house.do(adjust(account, "-70"))
    now = await books(house, account)
    assert now.kinds()[1:] == [("ADJUSTMENT", "POSTED", 2_050), ("ADJUSTMENT", "POSTED", -7_000)]
    assert now.account["cash"] == 5_050
    assert now.entries[2]["note"] == "a booking was missed"
    assert (await operation_of(house, outcome.operation))["payload"] == {"transactions": [now.entries[2]["id"]]}
    assert await valuations(house, account) == 3, "what enters or leaves is an external flow"
    await sound(house)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"amount": "0"}, "amount"),
        ({"amount": "-0.00"}, "amount"),
        ({"amount": "--1"}, "amount"),
        ({"amount": "1.001"}, "amount"),
        ({"amount": "-1e2"}, "amount"),
        ({"amount": "10000000000000.01"}, "amount"),
        ({"reason": " "}, "reason"),
        ({"reason": "x" * 2_001}, "reason"),
    ],
)
async def test_bad_input_names_its_field(house: House, changes: dict[str, Any], path: str) -> None:
    account = await an_account(house, "1")
    given = {"operation_id": op(), "account_id": account, "amount": "1", "reason": "r"}
    problems = await refusal(house, AdjustCash(**given | changes))
    assert [(problem.code, problem.path) for problem in problems] == [(ProblemCode.INVALID_INPUT, (path,))]
    assert len((await books(house, account)).entries) == 1


async def test_no_correction_takes_more_than_is_available(house: House) -> None:
    account = await an_account(house, "100")
    await place(house, account, "BUY", "50", limit_price="1", time_in_force="GTC")
    for command in (adjust(account, "-60"), PostFee(operation_id=op(), account_id=account, amount="60")):
        problems = await refusal(house, command)
        assert (problems[0].code, problems[0].path) == (ProblemCode.INSUFFICIENT_FUNDS, ("amount",))
        assert problems[0].details == {"available": "49.75"}


async def test_fees_and_dividends_are_no_flows(house: House) -> None:
    account = await an_account(house, "100")
    await house.do(PostFee(operation_id=op(), account_id=account, amount="1.25", note="custody"))
    await house.do(PostDividend(operation_id=op(), account_id=account, amount="3", symbol="AAPL"))
    await house.do(PostDividend(operation_id=op(), account_id=account, amount="4"))
    now = await books(house, account)
    assert now.kinds()[1:] == [("FEE", "POSTED", -125), ("DIVIDEND", "POSTED", 300), ("DIVIDEND", "POSTED", 400)]
    assert [entry.get("symbol") for entry in now.entries[1:]] == [None, "AAPL", None]
    assert await valuations(house, account) == 1
    await sound(house)


async def test_a_reversal_is_the_opposite_linked_and_once(house: House) -> None:
    account = await an_account(house, "100")
    deposit = (await books(house, account)).entries[0]
    await house.do(await reverse(house, deposit["id"]))
    now = await books(house, account)
    assert now.kinds() == [("DEPOSIT", "POSTED", 10_000), ("DEPOSIT", "POSTED", -10_000)]
    assert now.entries[0] == deposit
    assert now.entries[1]["corrects"] == deposit["id"]
    linked = await house.desk.database.run(CORRECTED, id=deposit["id"])
    assert [row["id"] for row in linked] == [now.entries[1]["id"]]
    problems = await refusal(house, await reverse(house, deposit["id"]))
    assert (problems[0].code, problems[0].path) == (ProblemCode.CONFLICT, ("transactionId",))
    problems = await refusal(house, await reverse(house, now.entries[1]["id"]))
    assert problems[0].details["rule"] == "REVERSIBLE"
    await sound(house)


async def test_a_transfer_is_reversed_on_both_sides(house: House) -> None:
    one, other = await an_account(house, "100"), await an_account(house, "1")
    await house.do(Transfer(operation_id=op(), from_id=one, to_id=other, amount="30"))
    arrived = (await books(house, other)).entries[-1]
    await house.do(await reverse(house, arrived["id"]))
    now, there = await books(house, one), await books(house, other)
    assert (now.account["cash"], there.account["cash"]) == (10_000, 100)
    assert now.entries[-1]["counterparty"] == other
    problems = await refusal(house, await reverse(house, (await books(house, one)).entries[1]["id"]))
    assert problems[0].code is ProblemCode.CONFLICT, "either entry names the whole set"
    rows = await house.desk.database.run(SET, set=now.entries[-1]["set"])
    assert sum(row["entry"]["amount"] for row in rows) == 0
    await sound(house)


async def test_a_reversal_that_the_cash_does_not_cover_is_refused(house: House) -> None:
    account = await an_account(house, "100")
    deposit = (await books(house, account)).entries[0]
    await house.do(Withdraw(operation_id=op(), account_id=account, amount="50"))
    problems = await refusal(house, await reverse(house, deposit["id"]))
    assert (problems[0].code, problems[0].path) == (ProblemCode.INSUFFICIENT_FUNDS, ("transactionId",))


async def test_many_reversals_at_once_reverse_once(house: House) -> None:
    account = await an_account(house, "100")
    await house.do(Deposit(operation_id=op(), account_id=account, amount="10"))
    entry = (await books(house, account)).entries[1]["id"]
    commands = [await reverse(house, entry) for _ in range(6)]
    answers = await asyncio.gather(*(house.do(command) for command in commands), return_exceptions=True)
    assert sum(1 for answer in answers if not isinstance(answer, BaseException)) == 1
    assert all(isinstance(answer, Refused) for answer in answers if isinstance(answer, BaseException))
    assert (await books(house, account)).account["cash"] == 10_000


async def test_a_trade_its_fee_and_a_pending_entry_cannot_be_reversed(house: House) -> None:
    account = await an_account(house)
    await place(house, account, "BUY", "10")
    await place(house, account, "BUY", "1", limit_price="1", time_in_force="GTC")
    for entry in (await books(house, account)).entries[1:]:
        problems = await refusal(house, await reverse(house, entry["id"]))
        assert problems[0].details["rule"] == "REVERSIBLE"


@pytest.mark.parametrize("entry", ["", "txn_00000000000000000000000000", "x"])
async def test_what_names_no_entry_is_not_found(house: House, entry: str) -> None:
    problems = await refusal(house, await reverse(house, entry))
    assert [(problem.code, problem.path) for problem in problems] == [(ProblemCode.NOT_FOUND, ("transactionId",))]


async def test_who_may_not_correct_is_refused_and_what_is_hidden_is_not_found(house: House) -> None:
    group = await house.group("Below")
    account, hidden = await an_account(house, "100", parent_id=group), await an_account(house, "1")
    await house.do(Transfer(operation_id=op(), from_id=account, to_id=hidden, amount="30"))
    moved = (await books(house, account)).entries[-1]["id"]
    operator = await a_viewer(house, group, Role.OPERATOR)
    manager = await a_viewer(house, group, Role.MANAGER)
    for command in (adjust(account, "1"), PostFee(operation_id=op(), account_id=account, amount="1")):
        assert [problem.code for problem in await refusal(house, command, operator)] == [ProblemCode.FORBIDDEN]
    await house.do(adjust(account, "1"), manager)
    assert (await refusal(house, adjust(hidden, "1"), manager))[0].code is ProblemCode.NOT_FOUND
    assert (await refusal(house, await reverse(house, moved), manager))[0].code is ProblemCode.FORBIDDEN


async def test_a_transfer_whose_other_side_is_hidden_is_seen_and_not_reversed(house: House) -> None:
    giver, taker = await an_account(house), await an_account(house, None)
    await house.do(Transfer(operation_id=op(), from_id=giver, to_id=taker, amount="5"))
    given, taken = (await books(house, giver)).entries[-1]["id"], (await books(house, taker)).entries[-1]["id"]
    manager = await a_viewer(house, giver, Role.MANAGER)
    for entry, code in ((given, ProblemCode.FORBIDDEN), (taken, ProblemCode.NOT_FOUND)):
        refused = await refusal(house, await reverse(house, entry), manager)
        assert [(problem.code, problem.path) for problem in refused] == [(code, ("transactionId",))]
        assert taker not in str(refused)
    assert len((await books(house, taker)).entries) == 1


async def test_an_adjustment_above_policys_amount_waits_for_somebody_else(house: House) -> None:
    account = await an_account(house, "100")
    manager = await a_viewer(house, house.root, Role.MANAGER)
    await house.do(adjust(account, "1000"), manager)
    waiting = (await house.do(adjust(account, "1000.01"), manager)).operation
    assert (await operation_of(house, waiting))["state"] == "AWAITING_APPROVAL"
    assert len((await books(house, account)).entries) == 2
    approval = DecideOperation(operation_id=op(), target_operation_id=waiting, approve=True, reason="seen")
    await decide(house.pipeline, house.admin, approval)
    assert (await operation_of(house, waiting))["state"] == "SUCCEEDED"
    assert (await books(house, account)).entries[-1]["amount"] == 100_001
