"""What every mutation does alike: once for each operation id, all problems at once, and never half an answer."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from uuid import uuid4

import pytest

from graph.database import Database
from graph.query import Query
from services.pipeline import Pipeline
from services.problems import ProblemCode, refuse
from tests.support.api import InProcess, a_user
from tests.support.house import House
from tests.support.logged import logged

pytestmark = pytest.mark.anyio

HEAD = Query("test.head", "MATCH (f:Feed {id: $feed}) RETURN f.number AS number")
CASH = "query($id: ID!) { account(id: $id) { cash { amount } version name description tier metadata } }"


@pytest.fixture
async def admin(house: House) -> InProcess:
    return InProcess(house, house.admin.user_id)


@pytest.fixture
async def account(admin: InProcess) -> str:
    made = await admin.done("createAccount", "account { id }", name="Main", parentId=admin.house.root)
    return made["account"]["id"]


async def head(house: House) -> int:
    """The number of the tenant's last change."""
    return (await house.desk.database.run(HEAD, feed=house.root))[0]["number"]


async def test_one_operation_id_sent_twenty_times_at_once_has_one_effect(admin: InProcess, account: str) -> None:
    same = {"operationId": str(uuid4()), "accountId": account, "amount": "10.00"}
    selection = "operation { id state } transactions { id }"
    answers = await asyncio.gather(*(admin.do("deposit", selection, **same) for _ in range(20)))
    assert all(answer == answers[0] for answer in answers)
    assert answers[0]["operation"]["state"] == "SUCCEEDED"
    assert len(answers[0]["transactions"]) == 1
    assert (await admin.ask(CASH, id=account))["account"]["cash"]["amount"] == "10.00"


async def test_an_operation_id_is_compared_after_coercion_and_without_regard_to_case(
    admin: InProcess, account: str
) -> None:
    operation = str(uuid4())
    first = await admin.done("deposit", operationId=operation, accountId=account, amount="10")
    again = await admin.done("deposit", operationId=operation.upper(), accountId=account, amount="10.00", note=None)
    assert again == first


async def test_another_input_under_a_used_operation_id_is_refused(admin: InProcess, account: str) -> None:
    operation = str(uuid4())
    await admin.done("deposit", operationId=operation, accountId=account, amount="10")
    for other in ({"amount": "11"}, {"amount": "10", "note": "Other"}, {"amount": "nonsense"}):
        problem = await admin.refused("deposit", **{"operationId": operation, "accountId": account, **other})
        assert problem["__typename"] == "OperationIdReused"
        assert problem["code"] == "OPERATION_ID_REUSED"
        assert problem["path"] == ["operationId"]
    problem = await admin.refused("withdraw", operationId=operation, accountId=account, amount="10")
    assert problem["code"] == "OPERATION_ID_REUSED"
    assert (await admin.ask(CASH, id=account))["account"]["cash"]["amount"] == "10.00"


async def test_a_problem_fixes_no_operation_id(admin: InProcess, account: str) -> None:
    operation = str(uuid4())
    problem = await admin.refused("withdraw", operationId=operation, accountId=account, amount="10")
    assert problem["code"] == "INSUFFICIENT_FUNDS"
    await admin.done("deposit", accountId=account, amount="10")
    await admin.done("withdraw", operationId=operation, accountId=account, amount="10")


async def test_two_users_may_choose_the_same_operation_id(admin: InProcess, account: str) -> None:
    other = await a_user(admin.house, ("OPERATOR", admin.house.root))
    same = {"operationId": str(uuid4()), "accountId": account, "amount": "10"}
    one, two = await admin.done("deposit", **same), await other.done("deposit", **same)
    assert one["operation"]["id"] != two["operation"]["id"]


async def test_a_repeated_request_shows_the_objects_as_they_are_now(admin: InProcess) -> None:
    same = {"operationId": str(uuid4()), "name": "Old", "parentId": admin.house.root}
    made = await admin.done("createAccount", "account { id name version }", **same)
    await admin.done("updateAccount", id=made["account"]["id"], version=1, name="New")
    again = await admin.done("createAccount", "account { id name version }", **same)
    assert again["account"] == {"id": made["account"]["id"], "name": "New", "version": 2}


async def test_every_invalid_field_is_told_at_once(admin: InProcess) -> None:
    before = await head(admin.house)
    problem = await admin.refused(
        "createAccount",
        operationId="one two three",
        name="",
        parentId=admin.house.root,
        currency="usd",
        metadata=[1],
        settings={"limits.nothing": 1, "limits.maxPositionShare": "much"},
    )
    assert problem["__typename"] == "InvalidInput"
    assert problem["path"] == ["operationId"]
    assert all(each["code"] == "INVALID_INPUT" for each in problem["problems"])
    assert {tuple(each["path"]) for each in problem["problems"]} == {
        ("operationId",),
        ("name",),
        ("currency",),
        ("metadata",),
        ("settings", "limits.nothing"),
        ("settings", "limits.maxPositionShare"),
    }
    assert all(each["message"] in problem["message"] for each in problem["problems"])
    assert await head(admin.house) == before


@pytest.mark.parametrize(
    "amount", ["-1", "0", "1.001", "1e3", "١٢", "", " 1", "+1", "NaN", "1" * 30, "0x10", "1,000", "9" * 10_000]
)
async def test_an_amount_that_is_none_names_its_field(admin: InProcess, account: str, amount: str) -> None:
    problem = await admin.refused("deposit", accountId=account, amount=amount)
    assert problem["code"] == "INVALID_INPUT"
    assert problem["path"] == ["amount"]


NO_IDS = ["", "acc_", "acc_01ARZ3NDEKTSV4RRFFQ69G5FAV", "' OR 1=1", "x" * 20_000, "grp_\u0000"]


@pytest.mark.parametrize("node", NO_IDS)
async def test_an_id_that_names_nothing_is_not_found(admin: InProcess, node: str) -> None:
    problem = await admin.refused("deposit", accountId=node, amount="nonsense")
    assert problem["__typename"] == "NotFound"
    assert problem["path"] == ["accountId"]


async def test_nobody_does_anything_without_a_session(house: House, account: str) -> None:
    stranger = InProcess(house)
    before = await head(house)
    problem = await stranger.refused("deposit", accountId=account, amount="1")
    assert problem["__typename"] == "Unauthenticated"
    cancelled = await stranger.refused("cancelOrder", orderOperationId="op_1")
    assert cancelled["code"] == "UNAUTHENTICATED"
    answer = await stranger.run("mutation { signOut }")
    assert answer.data is None
    assert answer.errors
    assert await head(house) == before


async def test_why_it_cannot_be_told_who_asks_comes_first(admin: InProcess, account: str) -> None:
    admin.refusal = refuse(ProblemCode.UNAVAILABLE, "the database does not answer now; try again")
    problem = await admin.refused("deposit", operationId="nonsense", accountId=account, amount="1")
    assert problem["__typename"] == "Unavailable"


@pytest.fixture
async def adrift(house: House) -> AsyncGenerator[House]:
    """A house whose engine has gone away."""
    gone = Database.connect("bolt://127.0.0.1:9", "nobody", "nothing", None)
    desk = replace(house.desk, database=gone)
    yield House(desk, Pipeline(desk), house.admin, house.market, house.root)
    await gone.close()


class Remembered(InProcess):
    """A client whose viewer was told before the engine went away."""

    async def viewer(self) -> object:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self.house.admin


async def test_without_the_engine_every_mutation_answers_unavailable(adrift: House) -> None:
    client = Remembered(adrift)
    for name, given in {
        "deposit": {"accountId": adrift.root, "amount": "1"},
        "createGroup": {"name": "One"},
        "cancelOrder": {"orderOperationId": "op_01ARZ3NDEKTSV4RRFFQ69G5FAV"},
        "decideOperation": {"targetOperationId": "op_01ARZ3NDEKTSV4RRFFQ69G5FAV", "approve": True, "reason": "Yes"},
    }.items():
        problem = await client.refused(name, **given)
        assert problem["__typename"] == "Unavailable", name
        assert problem["code"] == "UNAVAILABLE"
    signed = await InProcess(adrift).ask(
        'mutation { signIn(input: {username: "admin", password: "a"}) { ... on Problem { code } } }'
    )
    assert signed["signIn"] == {"code": "UNAVAILABLE"}


async def test_several_mutations_of_a_document_are_done_in_order(admin: InProcess, account: str) -> None:
    document = """mutation($a: DepositInput!, $b: WithdrawInput!, $c: WithdrawInput!) {
      one: deposit(input: $a) { ... on PostPayload { transactions { balanceAfter { amount } } } }
      two: withdraw(input: $b) { ... on PostPayload { transactions { balanceAfter { amount } } } }
      three: withdraw(input: $c) { ... on Problem { code } } }"""
    given = {"accountId": account}
    data = await admin.ask(
        document,
        a={**given, "operationId": str(uuid4()), "amount": "10"},
        b={**given, "operationId": str(uuid4()), "amount": "4"},
        c={**given, "operationId": str(uuid4()), "amount": "7"},
    )
    assert data["one"]["transactions"] == [{"balanceAfter": {"amount": "10.00"}}]
    assert data["two"]["transactions"] == [{"balanceAfter": {"amount": "6.00"}}]
    assert data["three"] == {"code": "INSUFFICIENT_FUNDS"}


async def test_absent_stays_and_null_clears(admin: InProcess) -> None:
    made = await admin.done(
        "createAccount",
        "account { id }",
        name="One",
        description="Words",
        tier="GEN",
        metadata={"a": 1},
        parentId=admin.house.root,
    )
    account = made["account"]["id"]
    await admin.done("updateAccount", id=account, version=1, name="Two")
    shown = (await admin.ask(CASH, id=account))["account"]
    assert [shown[name] for name in ("name", "description", "tier", "metadata")] == ["Two", "Words", "GEN", {"a": 1}]
    await admin.done("updateAccount", id=account, version=2, description=None, tier=None, metadata=None)
    shown = (await admin.ask(CASH, id=account))["account"]
    assert [shown[name] for name in ("name", "description", "tier", "metadata")] == ["Two", None, None, {}]
    problem = await admin.refused("updateAccount", id=account, version=3, name=None)
    assert problem["path"] == ["name"]


async def test_null_stands_for_a_default_where_there_is_one(admin: InProcess) -> None:
    selection = "account { kind currency }"
    made = await admin.done("createAccount", selection, name="One", parentId=admin.house.root, kind=None, currency=None)
    assert made["account"] == {"kind": "INDIVIDUAL", "currency": "USD"}


async def test_a_stale_version_tells_the_present_one(admin: InProcess, account: str) -> None:
    document = """mutation($input: UpdateAccountInput!) { updateAccount(input: $input) {
      ... on StaleVersion { code currentVersion path } } }"""
    for version in (0, 2, 99):
        data = await admin.ask(
            document, input={"operationId": str(uuid4()), "id": account, "version": version, "name": "Two"}
        )
        assert data["updateAccount"] == {"code": "STALE_VERSION", "currentVersion": 1, "path": ["version"]}


async def test_logs_have_the_operation_id_and_no_secret(admin: InProcess, account: str) -> None:
    operation, secret = str(uuid4()), f"secret {uuid4()}"
    with logged() as stream:
        await admin.done("deposit", operationId=operation, accountId=account, amount="1")
        await admin.done("createUser", "username", username=f"user-{uuid4().hex[:12]}", password=secret)
        await admin.refused("createUser", username="x", password=secret)
        text = stream.getvalue()
    assert operation in text
    assert "mutation_performed" in text
    assert secret not in text


async def test_each_effect_is_told_by_the_feed(admin: InProcess, account: str) -> None:
    before = await head(admin.house)
    await admin.done("deposit", accountId=account, amount="1")
    assert await head(admin.house) == before + 1
