"""Corrections as clients ask for them: new postings, linked to what they correct, approved above policy's amount."""

from uuid import uuid4

import pytest

from tests.support.api import InProcess, a_user
from tests.support.house import House

pytestmark = pytest.mark.anyio

ENTRIES = (
    "transactions { kind amount { amount } balanceAfter { amount } note symbol corrects { id } } operation { id state }"
)


@pytest.fixture
def admin(house: House) -> InProcess:
    return InProcess(house, house.admin.user_id)


@pytest.fixture
async def account(admin: InProcess) -> str:
    made = await admin.done("createAccount", "account { id }", name="Main", parentId=admin.house.root)
    await admin.done("deposit", accountId=made["account"]["id"], amount="100")
    return made["account"]["id"]


async def test_cash_is_adjusted_both_ways_and_never_below_zero(admin: InProcess, account: str) -> None:
    given = {"accountId": account, "reason": "It was counted twice"}
    entry = {"kind": "ADJUSTMENT", "note": "It was counted twice", "symbol": None, "corrects": None}
    taken = await admin.done("adjustCash", ENTRIES, **given, amount="-30.00")
    assert taken["transactions"] == [{**entry, "amount": {"amount": "-30.00"}, "balanceAfter": {"amount": "70.00"}}]
    added = await admin.done("adjustCash", ENTRIES, **given, amount="5")
    assert added["transactions"] == [{**entry, "amount": {"amount": "5.00"}, "balanceAfter": {"amount": "75.00"}}]
    assert (await admin.refused("adjustCash", **given, amount="-75.01"))["code"] == "INSUFFICIENT_FUNDS"
    for amount in ("0", "-0", "1e2", "0.001", "", "--1"):
        problem = await admin.refused("adjustCash", **given, amount=amount)
        assert (problem["code"], problem["path"]) == ("INVALID_INPUT", ["amount"]), amount
    problem = await admin.refused("adjustCash", accountId=account, amount="x", reason="")
    assert [each["path"] for each in problem["problems"]] == [["amount"], ["reason"]]


async def test_fees_and_dividends_are_posted(admin: InProcess, account: str) -> None:
    fee = await admin.done("postFee", ENTRIES, accountId=account, amount="2", note="Custody")
    assert [(each["kind"], each["amount"]["amount"], each["note"]) for each in fee["transactions"]] == [
        ("FEE", "-2.00", "Custody")
    ]
    dividend = await admin.done("postDividend", ENTRIES, accountId=account, amount="3", symbol="AAPL")
    assert [(each["kind"], each["amount"]["amount"], each["symbol"]) for each in dividend["transactions"]] == [
        ("DIVIDEND", "3.00", "AAPL")
    ]
    assert (await admin.refused("postFee", accountId=account, amount="1000"))["code"] == "INSUFFICIENT_FUNDS"


async def test_an_entry_is_reversed_once_with_all_that_was_posted_with_it(admin: InProcess, account: str) -> None:
    other = (await admin.done("createAccount", "account { id }", name="Two", parentId=admin.house.root))["account"][
        "id"
    ]
    moved = await admin.done("transfer", "transactions { id }", fromId=account, toId=other, amount="40")
    entries = {entry["id"] for entry in moved["transactions"]}
    same = {"operationId": str(uuid4()), "transactionId": moved["transactions"][0]["id"], "reason": "Wrong account"}
    reversal = await admin.done("reverseEntry", ENTRIES, **same)
    assert {each["corrects"]["id"] for each in reversal["transactions"]} == entries
    assert sorted(each["balanceAfter"]["amount"] for each in reversal["transactions"]) == ["0.00", "100.00"]
    assert await admin.done("reverseEntry", ENTRIES, **same) == reversal
    for entry in entries:
        again = await admin.refused("reverseEntry", transactionId=entry, reason="Again")
        assert (again["code"], again["path"]) == ("CONFLICT", ["transactionId"])


@pytest.mark.parametrize("entry", ["", "txn_01ARZ3NDEKTSV4RRFFQ69G5FAV", "nothing", "x" * 20_000])
async def test_what_is_no_entry_is_not_found(admin: InProcess, entry: str) -> None:
    problem = await admin.refused("reverseEntry", transactionId=entry, reason="")
    assert (problem["code"], problem["path"]) == ("NOT_FOUND", ["transactionId"])


async def test_above_policys_amount_another_person_approves(admin: InProcess, account: str) -> None:
    asker = await a_user(admin.house, ("MANAGER", admin.house.root))
    same = {"operationId": str(uuid4()), "accountId": account, "amount": "1000.01", "reason": "It was forgotten"}
    waiting = await asker.done("adjustCash", ENTRIES, **same)
    assert waiting["transactions"] == []
    assert waiting["operation"]["state"] == "AWAITING_APPROVAL"
    given = {"targetOperationId": waiting["operation"]["id"], "approve": True, "reason": "It is right"}
    assert (await asker.refused("decideOperation", **given))["code"] == "FORBIDDEN"
    decided = await admin.done("decideOperation", "operation { state }", **given)
    assert decided["operation"] == {"state": "SUCCEEDED"}
    posted = await asker.done("adjustCash", ENTRIES, **same)
    assert [each["balanceAfter"]["amount"] for each in posted["transactions"]] == ["1100.01"]
