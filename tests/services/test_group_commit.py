"""Ledger commands that wait for the same feed are committed together: each with its own outcome, and all of it once."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from graph import journal, operations
from graph.database import Transaction
from graph.journal import Recorder
from graph.query import Query
from services.checks import check
from services.commands import Act, Command, Effect
from services.grouping.lane import Lane
from services.ledger import Deposit, FlowPlan, Transfer, Withdraw
from services.permissions import Role
from services.pipeline import Outcome
from services.problems import ProblemCode, Refused
from tests.support.house import Address, House, op, open_house
from tests.support.proxy import Cut, proxied
from tests.support.trading import a_viewer, books
from tests.support.tree import account, counted

pytestmark = pytest.mark.anyio

RECORDS = Query(
    "test.records_of_feed",
    "MATCH (c:Change {feed: $feed}) WHERE c.number > 0 "
    "RETURN c.number AS number, c.at AS at, c.operation AS operation ORDER BY c.number",
)


class Faulty(Deposit):
    """A deposit that fails in a way that nobody expects."""

    async def apply(self, transaction: Transaction, recorder: Recorder, act: Act, plan: FlowPlan) -> Effect:
        await super().apply(transaction, recorder, act, plan)
        raise ZeroDivisionError


def deposit(into: str, amount: str = "1") -> Deposit:
    return Deposit(operation_id=op(), account_id=into, amount=amount)


async def all_at_once(house: House, commands: Sequence[Command[Any]]) -> list[Outcome | BaseException]:
    return await asyncio.gather(*(house.do(each) for each in commands), return_exceptions=True)


async def require_right(house: House) -> None:
    """Asserts that the tenant's books add up, and that its feed has each number once, at instants that grow."""
    report = await check(house.desk)
    assert not [each for each in report.findings if house.root in str(each)]
    records = await house.desk.database.run(RECORDS, feed=house.root)
    assert [row["number"] for row in records] == list(range(1, len(records) + 1))
    instants = [row["at"] for row in records]
    assert instants == sorted(set(instants))


def codes(answers: Sequence[Outcome | BaseException]) -> list[str]:
    return [each.problems[0].code.value if isinstance(each, Refused) else type(each).__name__ for each in answers]


async def test_what_one_leaves_is_what_the_next_one_finds(house: House) -> None:
    poor, rich = await account(house), await account(house)
    await house.do(deposit(poor, "100"))
    takes = [Withdraw(operation_id=op(), account_id=poor, amount="30") for _ in range(10)]
    gives = [Transfer(operation_id=op(), from_id=rich, to_id=poor, amount="5") for _ in range(3)]
    answers = await all_at_once(house, [*takes, deposit(rich, "10"), *gives])
    assert codes(answers[:10]).count("Outcome") == 3
    told = {each.problems[0].details["available"] for each in answers[:10] if isinstance(each, Refused)}
    assert told <= {f"{left}.00" for left in (10, 15, 20, 25, 40, 70)}
    found = await books(house, poor)
    given = codes(answers[11:]).count("Outcome")
    assert found.account["cash"] == 1000 + 500 * given
    assert [entry["balanceAfter"] for entry in found.entries if entry["balanceAfter"] < 0] == []
    assert (await books(house, rich)).account["cash"] == 1000 - 500 * given
    await require_right(house)


async def test_what_is_known_of_an_operation_is_what_reading_it_tells(house: House) -> None:
    rich, poor = await account(house), await account(house)
    commands = [deposit(rich, "5"), Transfer(operation_id=op(), from_id=rich, to_id=poor, amount="1", note="n")]
    for command in commands:
        outcome = await house.do(command)
        assert outcome.row == (await operations.find(house.desk.database, [outcome.operation]))[outcome.operation]
        assert (await house.do(command)).row is None  # told again from what is there


async def test_one_that_is_refused_or_faulty_fails_alone(house: House) -> None:
    into = await account(house)
    commands: list[Command[Any]] = [deposit(into) for _ in range(20)]
    commands[4] = Withdraw(operation_id=op(), account_id=into, amount="1000")
    commands[11] = Faulty(operation_id=op(), account_id=into, amount="1")
    commands[15] = deposit("acc_00000000000000000000000000")
    answers = await all_at_once(house, commands)
    assert codes(answers) == [
        {4: "INSUFFICIENT_FUNDS", 11: "ZeroDivisionError", 15: "NOT_FOUND"}.get(number, "Outcome")
        for number in range(20)
    ]
    found = await books(house, into)
    assert (found.account["cash"], len(found.entries)) == (1700, 17)
    assert await all_at_once(house, [each for number, each in enumerate(commands) if number not in (4, 11, 15)]) == [
        each for number, each in enumerate(answers) if number not in (4, 11, 15)
    ]
    assert (await books(house, into)).account["cash"] == 1700
    await require_right(house)


async def test_an_id_that_two_processes_get_has_one_effect(house: House, engine: Address) -> None:
    into = await account(house)
    same = [deposit(into) for _ in range(12)]
    async with open_house(engine) as other:
        here, there = await asyncio.gather(all_at_once(house, same), all_at_once(other, same))
    assert codes(here) == ["Outcome"] * 12
    assert here == there
    assert (await books(house, into)).account["cash"] == 1200
    await require_right(house)


async def test_each_is_in_its_own_users_name_and_rights(house: House) -> None:
    into = await account(house)
    clerk, reader = await a_viewer(house, house.root, Role.OPERATOR), await a_viewer(house, house.root, Role.VIEWER)
    both = [house.do(deposit(into), viewer) for _ in range(6) for viewer in (clerk, reader)]
    answers = await asyncio.gather(*both, return_exceptions=True)
    assert codes(answers) == ["Outcome", ProblemCode.FORBIDDEN.value] * 6
    assert (await books(house, into)).account["cash"] == 600
    records = await house.desk.database.run(RECORDS, feed=house.root)
    made = [each.operation for each in answers if isinstance(each, Outcome)]
    assert sorted(row["operation"] for row in records if row["operation"] in made) == sorted(made)


async def test_many_take_about_as_many_statements_as_a_few(house: House) -> None:
    into = [await account(house) for _ in range(4)]
    with counted(house) as few:
        await all_at_once(house, [deposit(into[number % 4]) for number in range(8)])
    with counted(house) as many:
        answers = await all_at_once(house, [deposit(into[number % 4]) for number in range(64)])
    assert codes(answers) == ["Outcome"] * 64
    assert many.count(journal.APPEND.name) <= 8
    assert len(many) <= 4 * len(few)


@pytest.mark.parametrize("cut", Cut)
async def test_a_lost_commit_is_told_as_it_was(engine: Address, cut: Cut) -> None:
    async with proxied(engine) as (proxy, address), open_house(address) as house:
        into = await account(house)
        commands = [deposit(into) for _ in range(10)]
        proxy.cut(cut)
        answers = await all_at_once(house, commands)
        assert proxy.done == [cut]
        assert codes(answers) == ["Outcome"] * 10
        assert await all_at_once(house, commands) == answers
        assert (await books(house, into)).account["cash"] == 1000
        await require_right(house)


async def test_a_lane_does_together_what_arrives_meanwhile() -> None:
    groups: list[list[int]] = []
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def work(items: Sequence[int]) -> list[int | Exception]:
        groups.append(list(items))
        begun.set()
        await go_on.wait()
        return [item * 10 for item in items]

    lane: Lane[int, int] = Lane(work, 3)
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(lane.do(1))
        await begun.wait()
        others = [tasks.create_task(lane.do(number)) for number in range(2, 7)]
        await asyncio.sleep(0)
        others.pop(1).cancel()
        go_on.set()
    assert [first.result(), *(each.result() for each in others)] == [10, 20, 40, 50, 60]
    assert groups == [[1], [2, 4], [5, 6]] or groups == [[1], [2, 4, 5], [6]]
    assert lane.idle
