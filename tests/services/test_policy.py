"""The policy that an operation was judged under, and policy and rights that change before its commit."""

from dataclasses import replace
from typing import Any

import pytest

from graph import operations
from graph.journal import policy
from services.access import viewer_of_user
from services.configuring import Configure
from services.granting import Grant, Revoke
from services.ledger import Deposit
from services.permissions import Role, Viewer
from services.pipeline import Pipeline
from services.problems import Refused
from services.protocol.embedded import EmbeddedProtocol
from services.protocol.port import Question
from services.protocol.verdict import Verdict
from services.settings.catalogue import catalogue_digest
from services.updating import UpdateAccount
from tests.support.house import Address, House, op, open_house
from tests.support.overtaking import overtaken
from tests.support.trading import JOURNAL, a_viewer, an_account, an_order, books
from tests.support.tree import template

pytestmark = pytest.mark.anyio


async def policy_of(house: House, operation: str) -> int:
    """The number in the operation's policy version, whose digest is this catalogue's."""
    row = (await operations.find(house.desk.database, [operation]))[operation]
    digest, _, number = row["policy"].partition(":")
    assert digest == catalogue_digest()[:12]
    return int(number)


def limit(house: House, value: str) -> Configure:
    """Limits the value of one order for everything in the tenant."""
    return Configure(operation_id=op(), id=house.root, settings={"limits.maxOrderValue": value})


async def test_an_operation_names_the_record_that_last_changed_a_setting(house: House) -> None:
    account = await an_account(house)
    before = await house.do(Deposit(operation_id=op(), account_id=account, amount="1"))
    assert await policy_of(house, before.operation) == 0

    configured = await house.do(limit(house, "1000"))
    after = await house.do(Deposit(operation_id=op(), account_id=account, amount="1"))
    later = await house.do(an_order(await an_account(house), "BUY", "1"))

    assert await policy_of(house, configured.operation) == 0
    number = await policy_of(house, after.operation)
    assert await policy_of(house, later.operation) == number
    records = [row["record"] for row in await house.desk.database.run(JOURNAL, feed=house.root)]
    assert [(each["number"], each["kind"]) for each in records if each["operation"] == configured.operation] == [
        (number, "CONFIGURED")
    ]


async def test_only_what_may_change_a_setting_makes_a_new_version(house: House) -> None:
    account, shared = await an_account(house), await template(house, custom__a=1)
    fields: list[tuple[dict[str, Any], bool]] = [
        ({"name": "Renamed"}, False),
        ({"description": "For the long run", "metadata": {"a": 1}}, False),
        ({"tier": "GEN"}, True),
        ({"name": "Again"}, False),
        ({"template_id": shared}, True),
        ({"template_id": None, "tier": None}, True),
    ]
    for version, (changed, anew) in enumerate(fields, start=1):
        before = await policy(house.desk.database, house.root)
        given = {"operation_id": op(), "id": account, "version": version, **changed}
        await house.do(UpdateAccount.model_validate(given))
        assert (await policy(house.desk.database, house.root) != before) is anew, changed


async def test_an_order_that_a_tighter_limit_overtakes_is_refused(house: House, engine: Address) -> None:
    account = await an_account(house)
    async with open_house(engine) as other:
        order = overtaken(an_order(account, "BUY", "10"), other, limit(house, "5"))
        with pytest.raises(Refused) as refused:
            await house.do(order)
    assert [problem.details["rule"] for problem in refused.value.problems] == ["limits.maxOrderValue"]
    assert len((await books(house, account)).entries) == 1


async def test_an_order_that_a_wider_limit_overtakes_is_placed_under_it(house: House, engine: Address) -> None:
    account = await an_account(house)
    async with open_house(engine) as other:
        wider = limit(house, "90000")
        outcome = await house.do(overtaken(an_order(account, "BUY", "10"), other, wider))
    assert (await books(house, account)).positions["AAPL"]["quantity"] == 10 * 10**8
    assert await policy_of(house, outcome.operation) > 0


@pytest.mark.parametrize("code", ["FORBIDDEN", "NOT_FOUND"])
async def test_a_deposit_that_its_users_revocation_overtakes_is_refused(
    house: House, engine: Address, code: str
) -> None:
    account = await an_account(house, None)
    clerk = await a_viewer(house, house.root, Role.OPERATOR)
    if code == "FORBIDDEN":
        await house.do(Grant(operation_id=op(), username=clerk.username, node_id=account, role=Role.VIEWER))
        clerk = await viewer_again(house, clerk)
    deposit = Deposit(operation_id=op(), account_id=account, amount="1")
    async with open_house(engine) as other:
        revoke = Revoke(operation_id=op(), username=clerk.username, node_id=house.root, role=Role.OPERATOR)
        with pytest.raises(Refused) as refused:
            await house.do(overtaken(deposit, other, revoke, locked=False), clerk)
    assert [(problem.code.value, problem.path) for problem in refused.value.problems] == [(code, ("accountId",))]
    assert (await books(house, account)).entries == []


async def viewer_again(house: House, viewer: Viewer) -> Viewer:
    """The viewer with the rights of now."""
    now = await viewer_of_user(house.desk.database, viewer.user_id)
    assert now is not None
    return now


class Listening(EmbeddedProtocol):
    """The embedded engine, which keeps what it is asked about orders."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Question] = []

    async def validate(self, question: Question) -> Verdict:
        if question.operation == "ORDER":
            self.asked.append(question)
        return await super().validate(question)


async def test_where_the_question_changes_it_is_asked_again(house: House, engine: Address) -> None:
    account = await an_account(house, tier="REV", settings={"approval.order": False})
    days = ["MON", "TUE", "WED", "THU", "FRI"]
    await house.do(Configure(operation_id=op(), id=account, settings={"policy.entryDays": days}))
    listening = Listening()
    house.pipeline = Pipeline(replace(house.desk, protocol=listening))
    async with open_house(engine) as other:
        change = Configure(operation_id=op(), id=house.root, settings={"policy.cashBuffer": 0.04})
        await house.do(overtaken(an_order(account, "BUY", "1"), other, change))
    assert len(listening.asked) == 2
    assert listening.asked[0].facts != listening.asked[1].facts
