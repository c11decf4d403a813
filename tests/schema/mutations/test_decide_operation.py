"""What waits for a person: asked for, decided by another one, expired, and checked again when it starts."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from graph import operations
from graph.database import Transaction
from services.pipeline import Pipeline
from services.protocol.http import HttpProtocol
from services.worker import Worker
from tests.support.api import InProcess, a_user
from tests.support.house import House
from tests.support.ws2_server import Fault, ProtocolServer

pytestmark = pytest.mark.anyio

ASKS = {"valid": True, "can_proceed": True, "overall_status": "APPROVED", "violations": [], "requires_approval": True}
MONDAYS: dict[str, Any] = {
    "rule_id": "NO_MONDAYS",
    "priority": "HIGH",
    "description": "Nothing happens on a Monday",
    "severity": "ERROR",
    "current_value": "MON",
    "required_value": ["TUE", "WED"],
    "can_override": True,
}
REFUSES = {"valid": False, "can_proceed": False, "overall_status": "REJECTED", "violations": [MONDAYS]}
CASH = "query($id: ID!) { account(id: $id) { cash { amount } available { amount } name description tier } }"
OPERATION = """query($id: ID!) { operation(id: $id) { state finishedAt problems { code message path }
  result { __typename id } } }"""


@pytest.fixture
async def ws2() -> AsyncGenerator[ProtocolServer]:
    async with ProtocolServer() as server:
        yield server


@pytest.fixture
async def guarded(house: House, ws2: ProtocolServer) -> AsyncGenerator[House]:
    """The house with its protocol engine at the other end of HTTP."""
    protocol = HttpProtocol(ws2.url)
    desk = replace(house.desk, protocol=protocol)
    yield House(desk, Pipeline(desk), house.admin, house.market, house.root)
    await protocol.aclose()


@pytest.fixture
async def asker(guarded: House) -> InProcess:
    return await a_user(guarded, ("SUPER_ADMIN", guarded.root))


@pytest.fixture
async def decider(guarded: House) -> InProcess:
    return await a_user(guarded, ("MANAGER", guarded.root))


@pytest.fixture
async def account(asker: InProcess) -> str:
    made = await asker.done("createAccount", "account { id }", name="Main", parentId=asker.house.root)
    await asker.done("deposit", accountId=made["account"]["id"], amount="10000")
    return made["account"]["id"]


async def state_of(client: InProcess, operation: str) -> dict[str, Any]:
    return (await client.ask(OPERATION, id=operation))["operation"]


async def cash_of(client: InProcess, account: str) -> tuple[str, str]:
    """Posted and available cash."""
    shown = (await client.ask(CASH, id=account))["account"]
    return shown["cash"]["amount"], shown["available"]["amount"]


async def decide(client: InProcess, operation: str, *, approve: bool = True) -> dict[str, Any]:
    selection = "operation { id state problems { code message } } decision { state kind }"
    given = {"targetOperationId": operation, "approve": approve, "reason": "I looked at it"}
    return await client.do("decideOperation", selection, **given)


async def test_a_deposit_waits_and_is_posted_once_another_person_approves(
    ws2: ProtocolServer, asker: InProcess, decider: InProcess, account: str
) -> None:
    ws2.answer = ASKS
    same = {"operationId": str(uuid4()), "accountId": account, "amount": "5"}
    selection = "operation { id state expiresAt result { id } } transactions { id amount { amount } }"
    waiting = await asker.done("deposit", selection, **same)
    assert waiting["transactions"] == []
    assert waiting["operation"]["state"] == "AWAITING_APPROVAL"
    assert waiting["operation"]["expiresAt"] is not None
    assert waiting["operation"]["result"] is None
    assert await cash_of(asker, account) == ("10000.00", "10000.00")
    assert await asker.done("deposit", selection, **same) == waiting
    decided = await decide(decider, waiting["operation"]["id"])
    assert decided["operation"] == {"id": waiting["operation"]["id"], "state": "SUCCEEDED", "problems": []}
    assert decided["decision"] == {"state": "SUCCEEDED", "kind": "decideOperation"}
    assert await cash_of(asker, account) == ("10005.00", "10005.00")
    again = await asker.done("deposit", selection, **same)
    assert [entry["amount"]["amount"] for entry in again["transactions"]] == ["5.00"]
    assert again["operation"]["result"] == {"id": again["transactions"][0]["id"]}


async def test_the_requester_never_decides_whatever_their_role(
    ws2: ProtocolServer, guarded: House, asker: InProcess, account: str
) -> None:
    ws2.answer = ASKS
    admin = InProcess(guarded, guarded.admin.user_id)
    for client in (asker, admin):
        waiting = (await client.done("deposit", accountId=account, amount="5"))["operation"]
        for approve in (True, False):
            assert (await decide(client, waiting["id"], approve=approve))["code"] == "FORBIDDEN"
        assert (await state_of(client, waiting["id"]))["state"] == "AWAITING_APPROVAL"


async def test_a_rejected_operation_has_no_effect_and_is_decided_once(
    ws2: ProtocolServer, asker: InProcess, decider: InProcess, account: str
) -> None:
    ws2.answer = ASKS
    same = {"operationId": str(uuid4()), "accountId": account, "amount": "5"}
    waiting = (await asker.done("withdraw", **same))["operation"]
    rejected = await decide(decider, waiting["id"], approve=False)
    assert rejected["operation"]["state"] == "REJECTED"
    assert [problem["code"] for problem in rejected["operation"]["problems"]] == ["RULE_VIOLATION"]
    assert "I looked at it" in rejected["operation"]["problems"][0]["message"]
    assert (await state_of(asker, waiting["id"]))["finishedAt"] is not None
    assert (await decide(decider, waiting["id"]))["code"] == "CONFLICT"
    assert await cash_of(asker, account) == ("10000.00", "10000.00")
    assert (await asker.done("withdraw", **same))["operation"]["state"] == "REJECTED"


async def test_of_two_who_decide_at_once_one_does(
    ws2: ProtocolServer, guarded: House, asker: InProcess, decider: InProcess, account: str
) -> None:
    ws2.answer = ASKS
    waiting = (await asker.done("deposit", accountId=account, amount="5"))["operation"]
    other = InProcess(guarded, guarded.admin.user_id)
    answers = await asyncio.gather(*(decide(client, waiting["id"]) for client in (decider, other, decider)))
    codes = [answer.get("code") for answer in answers]
    assert sorted(code or "" for code in codes) == ["", "CONFLICT", "CONFLICT"]
    assert await cash_of(asker, account) == ("10005.00", "10005.00")


async def test_an_expired_review_never_approves(
    ws2: ProtocolServer, guarded: House, asker: InProcess, decider: InProcess, account: str
) -> None:
    ws2.answer = ASKS
    waiting = (await asker.done("deposit", accountId=account, amount="5"))["operation"]["id"]
    past = "2020-01-01T00:00:00.000000Z"

    async def expire(transaction: Transaction) -> None:
        await operations.change(transaction, waiting, ["AWAITING_APPROVAL"], {"expiresAt": past, "dueAt": past})

    await guarded.desk.database.write(expire, queue=guarded.root)
    assert (await decide(decider, waiting))["code"] == "CONFLICT"
    assert (await state_of(asker, waiting))["state"] == "AWAITING_APPROVAL"
    row = (await operations.find(guarded.desk.database, [waiting]))[waiting]
    await Worker(guarded.pipeline)._one(row)
    ended = await state_of(asker, waiting)
    assert ended["state"] == "REJECTED"
    assert [problem["code"] for problem in ended["problems"]] == ["RULE_VIOLATION"]
    assert (await decide(decider, waiting))["code"] == "CONFLICT"
    assert await cash_of(asker, account) == ("10000.00", "10000.00")


async def test_what_is_asked_is_shown_to_who_asked_and_to_who_may_decide(
    ws2: ProtocolServer, asker: InProcess, decider: InProcess, account: str
) -> None:
    at_once = await asker.done("deposit", "operation { approval { reasons } }", accountId=account, amount="5")
    assert at_once["operation"]["approval"] is None
    elsewhere = await a_user(asker.house, ("MANAGER", await asker.house.group("Elsewhere")))
    ws2.answer = ASKS | {"violations": [MONDAYS | {"severity": "WARNING"}]}
    shown = "query($id: ID!) { operation(id: $id) { approval { reasons request decidedBy decisionReason } } }"
    waiting = (await asker.done("withdraw", accountId=account, amount="5", note="Rent"))["operation"]["id"]
    expected: dict[str, Any] = {
        "reasons": ["Nothing happens on a Monday"],
        "request": {"accountId": account, "amount": "5", "note": "Rent"},
        "decidedBy": None,
        "decisionReason": None,
    }
    for client in (asker, decider):
        seen = (await client.ask(shown, id=waiting))["operation"]["approval"]
        assert {**seen, "request": {name: seen["request"][name] for name in expected["request"]}} == expected
    for role in ("VIEWER", "OPERATOR", "AUDITOR"):
        other = await a_user(asker.house, (role, asker.house.root))
        assert (await other.ask(shown, id=waiting))["operation"] == {"approval": None}
    assert (await elsewhere.ask(shown, id=waiting))["operation"] is None

    await decide(decider, waiting, approve=False)
    seen = (await asker.ask(shown, id=waiting))["operation"]["approval"]
    assert seen["decidedBy"] is not None
    assert seen["decisionReason"] == "I looked at it"


async def test_an_order_holds_nothing_while_it_waits(
    ws2: ProtocolServer, asker: InProcess, decider: InProcess, account: str
) -> None:
    ws2.answer = ASKS
    same = {"operationId": str(uuid4()), "accountId": account, "symbol": "AAPL", "side": "BUY", "quantity": "2"}
    selection = "operation { id state } transactions { kind state quantity }"
    waiting = await asker.done("placeOrder", selection, **same)
    assert waiting["operation"]["state"] == "AWAITING_APPROVAL"
    assert waiting["transactions"] == []
    assert await cash_of(asker, account) == ("10000.00", "10000.00")
    decided = await decide(decider, waiting["operation"]["id"])
    assert decided["operation"]["state"] == "SUCCEEDED", decided
    filled = await asker.done("placeOrder", selection, **same)
    assert {entry["kind"] for entry in filled["transactions"]} == {"TRADE", "FEE"}
    assert all(entry["state"] == "POSTED" for entry in filled["transactions"])


async def test_an_account_is_null_until_it_is_approved(
    ws2: ProtocolServer, asker: InProcess, decider: InProcess
) -> None:
    ws2.answer = ASKS
    same = {"operationId": str(uuid4()), "name": "New", "parentId": asker.house.root, "settings": {"custom.a": [1]}}
    selection = "account { id name } operation { id state }"
    waiting = await asker.done("createAccount", selection, **same)
    assert waiting["account"] is None
    await decide(decider, waiting["operation"]["id"])
    result = (await state_of(asker, waiting["operation"]["id"]))["result"]
    again = await asker.done("createAccount", selection, **same)
    assert again["account"] == {"id": result["id"], "name": "New"}
    assert result["__typename"] == "Account"


async def test_absent_fields_stay_and_null_ones_clear_after_the_wait(
    ws2: ProtocolServer, asker: InProcess, decider: InProcess
) -> None:
    made = await asker.done(
        "createAccount", "account { id }", name="One", description="Words", tier="REV", parentId=asker.house.root
    )
    account = made["account"]["id"]
    ws2.answer = ASKS
    waiting = await asker.done("updateAccount", id=account, version=1, name="Two", description=None)
    await decide(decider, waiting["operation"]["id"])
    shown = (await asker.ask(CASH, id=account))["account"]
    assert [shown[name] for name in ("name", "description", "tier")] == ["Two", None, "REV"]


async def test_what_cannot_wait_is_refused(ws2: ProtocolServer, asker: InProcess) -> None:
    ws2.answer = ASKS
    same = {"operationId": str(uuid4()), "name": "New", "parentId": asker.house.root}
    assert (await asker.refused("createGroup", **same))["code"] == "RULE_VIOLATION"
    assert (await asker.refused("createTemplate", **same, settings={}))["code"] == "RULE_VIOLATION"
    ws2.answer = None
    await asker.done("createGroup", **same)


@pytest.mark.parametrize("change", ["funds", "status", "role", "disabled"])
async def test_everything_is_checked_again_when_it_starts(
    ws2: ProtocolServer, guarded: House, asker: InProcess, decider: InProcess, account: str, change: str
) -> None:
    ws2.answer = ASKS
    waiting = (await asker.done("withdraw", accountId=account, amount="6000"))["operation"]["id"]
    ws2.answer = None
    admin = InProcess(guarded, guarded.admin.user_id)
    viewer = await asker.viewer()
    assert viewer is not None
    match change:
        case "funds":
            await admin.done("withdraw", accountId=account, amount="6000")
        case "status":
            given = {"id": account, "version": 1, "status": "SUSPENDED", "reason": "A doubt"}
            await admin.done("changeAccountStatus", **given)
        case "role":
            await admin.done("revoke", username=viewer.username, nodeId=guarded.root, role="SUPER_ADMIN")
        case _:
            await admin.done("setUserDisabled", "username", username=viewer.username, disabled=True)
    before = await cash_of(admin, account)
    decided = await decide(decider, waiting)
    assert decided["operation"]["state"] == "FAILED"
    expected = {
        "funds": "INSUFFICIENT_FUNDS",
        "status": "RULE_VIOLATION",
        "role": "NOT_FOUND",
        "disabled": "FORBIDDEN",
    }
    assert [problem["code"] for problem in decided["operation"]["problems"]] == [expected[change]]
    assert await cash_of(admin, account) == before


async def test_a_failed_operation_names_nothing_that_its_reader_does_not_see(
    ws2: ProtocolServer, guarded: House, asker: InProcess, decider: InProcess
) -> None:
    moved, home = await guarded.group("Moved"), await guarded.group("Home")
    made = await asker.done("createAccount", "account { id }", name="Secret", parentId=moved, settings={"custom.a": 1})
    reader = await a_user(guarded, ("VIEWER", home))
    ws2.answer = ASKS
    waiting = (await asker.done("move", id=moved, parentId=home, rationale="Order"))["operation"]["id"]
    ws2.answer = None
    await asker.done("configure", id=home, settings={}, lock=["custom.a"])
    await decide(decider, waiting)
    (told,) = (await reader.ask(OPERATION, id=waiting))["operation"]["problems"]
    assert (told["code"], told["path"]) == ("INVALID_INPUT", ["parentId"])
    assert not any(hidden in told["message"] for hidden in ("Secret", made["account"]["id"], "custom.a"))
    anew = await asker.refused("move", id=moved, parentId=home, rationale="Order")
    assert f"Secret ({made['account']['id']}) would be invalid: custom.a is locked" in anew["message"]


async def test_a_failed_transfer_tells_its_receiver_no_figure_of_the_sender(
    ws2: ProtocolServer, guarded: House, asker: InProcess, decider: InProcess, account: str
) -> None:
    made = await asker.done("createAccount", "account { id }", name="Receiver", parentId=guarded.root)
    reader = await a_user(guarded, ("VIEWER", made["account"]["id"]))
    ws2.answer = ASKS
    given = {"fromId": account, "toId": made["account"]["id"], "amount": "6000"}
    waiting = (await asker.done("transfer", **given))["operation"]["id"]
    ws2.answer = None
    await asker.done("withdraw", accountId=account, amount="6000")
    await decide(decider, waiting)
    document = (
        "query($id: ID!) { operation(id: $id) { problems { code message ... on InsufficientFunds { available } } } }"
    )
    (told,) = (await reader.ask(document, id=waiting))["operation"]["problems"]
    assert told == {"code": "INSUFFICIENT_FUNDS", "message": "less is available than this takes", "available": None}


async def test_the_inbox_lists_what_waits_for_those_who_see_it(
    ws2: ProtocolServer, guarded: House, asker: InProcess, decider: InProcess, account: str
) -> None:
    ws2.answer = ASKS
    asked = [(await asker.done("deposit", accountId=account, amount="5"))["operation"]["id"] for _ in range(3)]
    await decide(decider, asked[0])
    inbox = """query($within: ID) { operations(where: {state: [AWAITING_APPROVAL], within: $within}) {
      nodes { id } } }"""
    found = (await decider.ask(inbox, within=guarded.root))["operations"]["nodes"]
    assert [node["id"] for node in found] == [asked[2], asked[1]]
    assert (await (await a_user(guarded)).ask(inbox))["operations"]["nodes"] == []


@pytest.mark.parametrize("target", ["", "nothing", "op_01ARZ3NDEKTSV4RRFFQ69G5FAV", "acc_01ARZ3NDEKTSV4RRFFQ69G5FAV"])
async def test_what_is_no_operation_is_not_found(decider: InProcess, target: str) -> None:
    problem = await decide(decider, target)
    assert (problem["code"], problem["path"]) == ("NOT_FOUND", ["targetOperationId"])


async def test_a_rejecting_verdict_tells_its_rules(ws2: ProtocolServer, asker: InProcess, account: str) -> None:
    ws2.answer = REFUSES
    document = """mutation($input: DepositInput!) { deposit(input: $input) {
      ... on RuleViolation { code rule current required overridable } } }"""
    data = await asker.ask(document, input={"operationId": str(uuid4()), "accountId": account, "amount": "5"})
    assert data["deposit"] == {
        "code": "RULE_VIOLATION",
        "rule": "NO_MONDAYS",
        "current": "MON",
        "required": '["TUE", "WED"]',
        "overridable": True,
    }
    assert await cash_of(asker, account) == ("10000.00", "10000.00")


@pytest.mark.parametrize("fault", [Fault.STATUS_500, Fault.GARBAGE, Fault.CONTRADICTION, Fault.DROPPED, Fault.TWICE])
async def test_a_verdict_that_cannot_be_used_lets_nothing_through(
    ws2: ProtocolServer, asker: InProcess, account: str, fault: Fault
) -> None:
    same = {"operationId": str(uuid4()), "accountId": account, "amount": "5"}
    ws2.fault = fault
    assert (await asker.refused("deposit", **same))["code"] == "UNAVAILABLE"
    assert await cash_of(asker, account) == ("10000.00", "10000.00")
    ws2.fault = None
    await asker.done("deposit", **same)
