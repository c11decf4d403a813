"""Changes of accounts, through the pipeline on a real engine."""

import asyncio
from typing import Any

import pytest

from services.deciding import DecideOperation, decide
from services.permissions import Role
from services.problems import Refused
from services.registry import restored
from services.updating import UpdateAccount
from tests.support.house import Address, House, op
from tests.support.reads import viewer_with
from tests.support.trading import operation_of, refusal
from tests.support.tree import (
    account,
    beside,
    configure,
    edges,
    last_record,
    listening,
    node_of,
    status,
    template,
    told,
    values_of,
)

pytestmark = pytest.mark.anyio


def update(node: str, version: int = 1, **given: Any) -> UpdateAccount:
    """The command that changes an account."""
    return UpdateAccount.model_validate({"operation_id": op(), "id": node, "version": version, **given})


async def test_what_is_absent_stays_and_null_clears(house: House) -> None:
    node = await account(house, description="old", tier="GEN", metadata={"a": 1}, settings={"custom.a": 1})
    await house.do(update(node, name="New"))
    row = await node_of(house, node)
    assert (row["name"], row["description"], row["tier"], row["metadata"]) == ("New", "old", "GEN", {"a": 1})
    await house.do(update(node, 2, description=None, tier=None, metadata=None))
    row = await node_of(house, node)
    assert (row["name"], row["description"], row["tier"], row["metadata"]) == ("New", None, None, {})
    assert await values_of(house, node) == {"custom.a": 1}
    assert row["version"] == 3
    assert row["updatedAt"] > row["createdAt"]


async def test_the_record_has_what_changed_before_and_after(house: House) -> None:
    node, shared = await account(house, metadata={"a": 0.5}), await template(house, custom__a=1)
    await house.do(update(node, tier="COM", template_id=shared, metadata={"a": 1}))
    record = await last_record(house)
    assert (record["kind"], record["nodes"]) == ("ACCOUNT_UPDATED", [node, shared])
    assert record["before"] == {"version": 1, "tier": None, "template": None, "metadata": '{"a":0.5}'}
    assert record["after"] == {"version": 2, "tier": "COM", "template": shared, "metadata": '{"a":1}'}


@pytest.mark.parametrize("version", [0, 1, 3, -1, 2**31])
async def test_only_the_current_version_is_taken(house: House, version: int) -> None:
    node = await account(house)
    await house.do(update(node, name="Second"))
    (problem,) = await refusal(house, update(node, version, name="Third"))
    assert (problem.code, problem.path, problem.details) == ("STALE_VERSION", ("version",), {"currentVersion": 2})
    assert (await node_of(house, node))["name"] == "Second"


async def test_one_of_many_at_once_wins_and_the_others_are_stale(house: House, engine: Address) -> None:
    node = await account(house)
    async with beside(house, engine) as other:

        async def rename(index: int) -> str:
            try:
                await (house, other)[index % 2].do(update(node, name=f"Name {index}"))
            except Refused as refused:
                return refused.problems[0].code.value
            return "DONE"

        outcomes = await asyncio.gather(*(rename(index) for index in range(8)))
    assert sorted(outcomes) == ["DONE", *["STALE_VERSION"] * 7]
    assert (await node_of(house, node))["version"] == 2


async def test_wrong_fields_are_told_at_once(house: House) -> None:
    node = await account(house)
    wrong = update(node, name=None, description="\x07", metadata=[1])
    assert told(await refusal(house, wrong)) == [
        ("INVALID_INPUT", ("name",)),
        ("INVALID_INPUT", ("description",)),
        ("INVALID_INPUT", ("metadata",)),
    ]


async def test_another_template_takes_the_place_of_the_first(house: House) -> None:
    one, two = await template(house, custom__a=1), await template(house, custom__a=2)
    node = await account(house, template_id=one)
    await house.do(update(node, template_id=two))
    await house.do(update(node, 2, template_id=two))
    await house.do(update(node, 3, template_id=None))
    assert await edges(house, node, "USES") == []
    past = await edges(house, node, "USED")
    assert [edge["node"] for edge in past] == [one, two]
    assert past[0]["since"] < past[0]["until"] == past[1]["since"] < past[1]["until"]


async def test_a_new_tier_or_template_is_checked_against_the_settings_in_force(house: House) -> None:
    await house.do(configure(house.root, lock=("custom.locked",)))
    node = await account(house, tier="GEN", settings={"policy.optionDeltaMin": 45})
    assert told(await refusal(house, update(node, tier="REV"))) == [("INVALID_INPUT", ("tier",))]
    locked = await template(house, custom__locked=1)
    assert told(await refusal(house, update(node, template_id=locked))) == [("INVALID_INPUT", ("templateId",))]
    wide = await template(house, policy__optionDeltaMax=60)
    await house.do(update(node, tier="REV", template_id=wide))
    assert told(await refusal(house, update(node, 2, template_id=None))) == [("INVALID_INPUT", ("templateId",))]


async def test_metadata_still_fits_the_schemas_above(house: House) -> None:
    await house.do(configure(house.root, metadata_schema={"required": ["owner"]}))
    node = await account(house, metadata={"owner": 1})
    for wrong in (None, {}, {"desk": 1}):
        assert told(await refusal(house, update(node, metadata=wrong))) == [("INVALID_INPUT", ("metadata", "owner"))]
    await house.do(update(node, name="Without metadata"))


async def test_scope_comes_before_right(house: House) -> None:
    seen, hidden = await house.group("Seen"), await house.group("Hidden")
    node, other, shared = await account(house, seen), await account(house, hidden), await template(house, hidden)
    viewer = await viewer_with(house, seen)
    assert told(await refusal(house, update(node, 9, name=""), viewer)) == [("FORBIDDEN", ("id",))]
    assert told(await refusal(house, update(other, name="A"), viewer)) == [("NOT_FOUND", ("id",))]
    assert told(await refusal(house, update(node, template_id=shared), viewer)) == [("NOT_FOUND", ("templateId",))]


async def test_a_closed_account_refuses_every_change(house: House) -> None:
    node = await account(house)
    await status(house, node, "CLOSED")
    for command in (update(node, 2, name="A"), configure(node, {"custom.a": 1})):
        (problem,) = await refusal(house, command)
        assert (problem.code, problem.details["rule"]) == ("RULE_VIOLATION", "ACCOUNT_NOT_CLOSED")


async def test_absent_and_null_stay_apart_while_it_waits_for_approval(house: House) -> None:
    node = await account(house, description="old", metadata={"a": 1})
    asking, protocol = listening(house, asks=True)
    command = update(node, description=None, name="New")
    waiting = await asking.do(command)
    assert protocol.questions[0].facts["changes"] == {"name": "New", "description": None}
    stored = restored(await operation_of(house, waiting.operation))
    assert stored == command
    assert stored.comparable() == command.comparable() == {
        "id": node, "version": 1, "name": "New", "description": None
    }  # fmt: skip
    decider = await viewer_with(house, house.root, role=Role.MANAGER)
    approval = DecideOperation(operation_id=op(), target_operation_id=waiting.operation, approve=True, reason="fine")
    await decide(house.pipeline, decider, approval)
    row = await node_of(house, node)
    assert (row["name"], row["description"], row["metadata"]) == ("New", None, {"a": 1})


async def test_the_same_operation_id_tells_absent_from_null(house: House) -> None:
    node = await account(house, description="old")
    command = update(node, name="New")
    first = await house.do(command)
    assert await house.do(command) == first
    cleared = update(node, name="New", description=None, operation_id=command.operation_id)
    assert told(await refusal(house, cleared)) == [("OPERATION_ID_REUSED", ("operationId",))]
    assert (await node_of(house, node))["description"] == "old"
