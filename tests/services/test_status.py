"""The status of accounts, through the pipeline on a real engine."""

import asyncio
from typing import Any

import pytest

from graph.query import Query
from services.accounts import AccountStatus
from services.ledger import Deposit, Withdraw
from services.permissions import Role
from services.problems import Refused
from services.protocol.port import ProtocolOperation
from services.status import ChangeAccountStatus
from tests.support.house import Address, House, op
from tests.support.reads import hold, place, viewer_with, write
from tests.support.trading import cancel, refusal
from tests.support.trading import place as trade
from tests.support.tree import account, beside, last_record, listening, node_of, status, told

pytestmark = pytest.mark.anyio

# As orders were that came to less than half a cent.
HOLD_NOTHING = Query(
    "test.hold_nothing",
    "MATCH (a:Account {id: $id}) MATCH (o:Order {account: $id}) SET a.cash = 0, a.held = 0, o.held = 0",
)
SET_STATUS = Query("test.set_status", "MATCH (a:Account {id: $id}) SET a.status = $status")


def change(node: str, wanted: str, version: int = 1, **given: Any) -> ChangeAccountStatus:
    """The command that changes an account's status."""
    fields = {"operation_id": op(), "id": node, "version": version, "status": wanted, "reason": "because"}
    return ChangeAccountStatus.model_validate(fields | given)


async def test_open_states_change_into_each_other(house: House) -> None:
    node = await account(house)
    states = ["INACTIVE", "SUSPENDED", "ACTIVE", "SUSPENDED", "INACTIVE", "ACTIVE"]
    for wanted in states:
        await status(house, node, wanted)
        assert (await node_of(house, node))["status"] == wanted
    row = await node_of(house, node)
    assert row["version"] == 1 + len(states)
    record = await last_record(house)
    assert (record["kind"], record["nodes"], record["at"]) == ("STATUS_CHANGED", [node], row["updatedAt"])
    assert record["before"] == {"status": "INACTIVE", "version": 6}
    assert record["after"] == {"status": "ACTIVE", "version": 7, "reason": "because"}


@pytest.mark.parametrize("wanted", ["FORKING", "MERGING"])
async def test_running_states_are_never_set_by_a_caller(house: House, wanted: str) -> None:
    node = await account(house)
    problems = await refusal(house, change(node, wanted, reason=" "))
    assert told(problems) == [("INVALID_INPUT", ("reason",)), ("INVALID_INPUT", ("status",))]


@pytest.mark.parametrize("running", ["FORKING", "MERGING"])
async def test_a_running_state_is_never_ended_by_a_caller(house: House, running: str) -> None:
    node = await account(house)
    await write(house, SET_STATUS, id=node, status=running)
    assert told(await refusal(house, change(node, "SUSPENDED"))) == [("CONFLICT", ("id",))]


async def test_the_status_that_it_has_is_no_change(house: House) -> None:
    node = await account(house)
    assert told(await refusal(house, change(node, "ACTIVE"))) == [("INVALID_INPUT", ("status",))]
    assert (await node_of(house, node))["version"] == 1


@pytest.mark.parametrize("version", [0, 2, 7])
async def test_only_the_current_version_is_taken(house: House, version: int) -> None:
    node = await account(house)
    (problem,) = await refusal(house, change(node, "INACTIVE", version))
    assert (problem.code, problem.path, problem.details) == ("STALE_VERSION", ("version",), {"currentVersion": 1})


async def test_only_an_empty_account_closes_and_it_stays_closed(house: House) -> None:
    node = await account(house)
    await house.do(Deposit(operation_id=op(), account_id=node, amount="12.50"))
    (problem,) = await refusal(house, change(node, "CLOSED"))
    assert (problem.code, problem.path) == ("RULE_VIOLATION", ("status",))
    assert problem.details["current"] == "12.50 USD, 0 positions and 0 open orders"
    await house.do(Withdraw(operation_id=op(), account_id=node, amount="12.50"))
    await house.do(change(node, "CLOSED"))
    for wanted in ("ACTIVE", "INACTIVE", "SUSPENDED", "CLOSED"):
        assert told(await refusal(house, change(node, wanted, 2))) == [("RULE_VIOLATION", ("id",))]
    problems = await refusal(house, Deposit(operation_id=op(), account_id=node, amount="1"))
    assert told(problems) == [("RULE_VIOLATION", ("accountId",))]


async def test_an_account_with_positions_does_not_close(house: House) -> None:
    node = await place(house)
    await hold(house, node, "AAPL", 100_000_000)
    (problem,) = await refusal(house, change(node, "CLOSED"))
    assert problem.details["current"] == "0.00 USD, 1 positions and 0 open orders"


async def test_an_account_with_an_open_order_that_holds_nothing_does_not_close(house: House) -> None:
    node = await account(house)
    await house.do(Deposit(operation_id=op(), account_id=node, amount="0.01"))
    placed = await trade(house, node, "BUY", "0.0001", limit_price="100", time_in_force="GTC")
    await write(house, HOLD_NOTHING, id=node)
    (problem,) = await refusal(house, change(node, "CLOSED"))
    assert problem.details["current"] == "0.00 USD, 0 positions and 1 open orders"
    for wanted in ("INACTIVE", "SUSPENDED", "ACTIVE"):
        await status(house, node, wanted)
    await cancel(house, placed.operation)
    await house.do(change(node, "CLOSED", 4))


async def test_a_closing_and_a_deposit_at_once_never_leave_cash_in_a_closed_account(
    house: House, engine: Address
) -> None:
    async with beside(house, engine) as other:

        async def attempt(where: House, command: Any) -> bool:
            try:
                await where.do(command)
            except Refused as refused:
                assert refused.problems[0].code == "RULE_VIOLATION"
                return False
            return True

        for _ in range(6):
            node = await account(house)
            deposit = Deposit(operation_id=op(), account_id=node, amount="1")
            outcome = await asyncio.gather(attempt(house, change(node, "CLOSED")), attempt(other, deposit))
            row = await node_of(house, node)
            assert sorted(outcome) == [False, True]
            assert (row["status"], row["cash"]) == (("CLOSED", 0) if outcome[0] else ("ACTIVE", 100))


async def test_scope_comes_before_right(house: House) -> None:
    group = await house.group("Group")
    node, hidden = await account(house, group), await account(house)
    operator = await viewer_with(house, group, role=Role.OPERATOR)
    assert told(await refusal(house, change(node, "FORKING"), operator)) == [("FORBIDDEN", ("id",))]
    for missing in (hidden, group, "acc_nothing", "", "acc_" + "0" * 26):
        assert told(await refusal(house, change(missing, "INACTIVE"), operator)) == [("NOT_FOUND", ("id",))]


async def test_the_protocol_engine_is_asked(house: House) -> None:
    heard, protocol = listening(house)
    node = await account(house)
    await status(heard, node, AccountStatus.SUSPENDED)
    (question,) = protocol.questions
    assert (question.account_id, question.operation) == (node, ProtocolOperation.STATUS)
    assert (question.facts["status"], question.facts["reason"]) == ("SUSPENDED", "because")
