"""Groups, through the pipeline on a real engine."""

import asyncio
from typing import Any

import pytest

from services.groups import MAX_DEPTH, CloseGroup, CreateGroup, UpdateGroup
from services.permissions import Role
from services.problems import Refused
from services.protocol.port import ProtocolOperation
from services.templates import UpdateTemplate
from services.updating import UpdateAccount
from tests.support.house import Address, House, op
from tests.support.reads import chain, viewer_with
from tests.support.trading import refusal
from tests.support.tree import (
    account,
    beside,
    configure,
    create,
    last_record,
    listening,
    node_of,
    place_of,
    statements,
    status,
    template,
    told,
)

pytestmark = pytest.mark.anyio


def group(parent: str | None, name: str = "Group", **given: Any) -> CreateGroup:
    """The command that creates a group."""
    return CreateGroup.model_validate({"operation_id": op(), "name": name, "parent_id": parent, **given})


def rename(node: str, name: str, version: int = 1) -> UpdateGroup:
    """The command that renames a group."""
    return UpdateGroup(operation_id=op(), id=node, version=version, name=name)


def close(node: str, version: int = 1, reason: str = "done with") -> CloseGroup:
    """The command that closes a group."""
    return CloseGroup(operation_id=op(), id=node, version=version, reason=reason)


async def test_a_group_stands_below_its_parent_or_is_a_tenant(house: House) -> None:
    node = (await house.do(group(house.root))).payload["group"]
    assert (await place_of(house, node)).path == (node, house.root)
    record = await last_record(house)
    assert (record["kind"], record["nodes"]) == ("GROUP_CREATED", [node, house.root])
    root = (await house.do(group(None))).payload["group"]
    assert (await place_of(house, root)).path == (root,)
    assert (await last_record(house, root))["number"] == 1


async def test_a_tenant_is_made_by_the_administrator_alone(house: House) -> None:
    everything = await viewer_with(house, house.root, role=Role.SUPER_ADMIN)
    assert told(await refusal(house, group(None), everything)) == [("FORBIDDEN", ())]
    await house.do(group(house.root), everything)


@pytest.mark.parametrize("name", ["", " ", "a" * 201, "a\nb", "a\x00", "\x9f"])
async def test_a_wrong_name_is_told(house: House, name: str) -> None:
    node = await house.group("Group")
    for command in (group(house.root, name), rename(node, name)):
        assert told(await refusal(house, command)) == [("INVALID_INPUT", ("name",))]
    assert (await node_of(house, node))["name"] == "Group"


async def test_a_renamed_group_has_its_next_version_and_a_record(house: House) -> None:
    node = await house.group("Old")
    assert (await house.do(rename(node, "N" * 200))).payload == {"group": node}
    row = await node_of(house, node)
    assert (row["name"], row["version"]) == ("N" * 200, 2)
    record = await last_record(house)
    assert (record["kind"], record["nodes"], record["at"]) == ("GROUP_UPDATED", [node], row["updatedAt"])
    assert record["before"] == {"name": "Old", "version": 1}
    assert record["after"] == {"name": "N" * 200, "version": 2}
    (problem,) = await refusal(house, rename(node, "Late"))
    assert (problem.code, problem.path, problem.details) == ("STALE_VERSION", ("version",), {"currentVersion": 2})


async def test_one_of_many_renames_at_once_wins(house: House, engine: Address) -> None:
    node = await house.group("Old")
    async with beside(house, engine) as other:

        async def attempt(index: int) -> str:
            try:
                await (house, other)[index % 2].do(rename(node, f"Name {index}"))
            except Refused as refused:
                return refused.problems[0].code.value
            return "DONE"

        outcomes = await asyncio.gather(*(attempt(index) for index in range(6)))
    assert sorted(outcomes) == ["DONE", *["STALE_VERSION"] * 5]


async def test_a_group_closes_once_all_in_it_is_closed(house: House) -> None:
    node = await house.group("Group")
    below, member = await house.group("Below", node), await account(house, node)
    (problem,) = await refusal(house, close(node))
    assert (problem.code, problem.path, problem.details["rule"]) == ("RULE_VIOLATION", ("id",), "GROUP_EMPTY")
    await status(house, member, "CLOSED")
    assert told(await refusal(house, close(node))) == [("RULE_VIOLATION", ("id",))]
    await house.do(close(below))
    await house.do(close(node))
    row = await node_of(house, node)
    assert (row["closedAt"], row["version"]) == (row["updatedAt"], 2)
    record = await last_record(house)
    assert record["before"] == {"closedAt": None, "version": 1}
    assert record["after"] == {"closedAt": row["closedAt"], "reason": "done with", "version": 2}
    assert (await place_of(house, below)).path == (below, node, house.root)


async def test_a_closed_group_changes_no_more(house: House) -> None:
    node = await house.group("Group")
    await house.do(close(node))
    for command in (rename(node, "New", 2), close(node, 2)):
        assert told(await refusal(house, command)) == [("RULE_VIOLATION", ("id",))]
    assert told(await refusal(house, group(node))) == [("RULE_VIOLATION", ("parentId",))]


async def test_the_templates_of_a_closed_group_change_no_more_and_get_no_new_users(house: House) -> None:
    node = await house.group("Group")
    shared = await template(house, node, custom__a=1)
    user, other = await account(house, template_id=shared), await account(house)
    await house.do(close(node))
    renamed = UpdateTemplate(operation_id=op(), id=shared, version=1, name="New")
    for command, field in (
        (renamed, "id"),
        (configure(shared, {"custom.a": 2}), "id"),
        (configure(node, {"custom.a": 2}), "id"),
        (create(house, template_id=shared), "templateId"),
        (use(other, shared), "templateId"),
    ):
        problems = await refusal(house, command)
        assert [(problem.details["rule"], problem.path) for problem in problems] == [("GROUP_OPEN", (field,))]
    await house.do(use(user, shared))
    await house.do(use(user, None, 2))
    assert told(await refusal(house, use(user, shared, 3))) == [("RULE_VIOLATION", ("templateId",))]


def use(node: str, shared: str | None, version: int = 1) -> UpdateAccount:
    """The command that gives an account a template, or none."""
    return UpdateAccount(operation_id=op(), id=node, version=version, template_id=shared)


async def test_closing_needs_a_reason_and_the_version(house: House) -> None:
    node = await house.group("Group")
    assert told(await refusal(house, close(node, reason=""))) == [("INVALID_INPUT", ("reason",))]
    assert told(await refusal(house, close(node, 2))) == [("STALE_VERSION", ("version",))]


async def test_a_closing_and_a_new_account_at_once_never_both_succeed(house: House, engine: Address) -> None:
    async with beside(house, engine) as other:

        async def attempt(where: House, command: Any) -> bool:
            try:
                await where.do(command)
            except Refused as refused:
                assert refused.problems[0].code == "RULE_VIOLATION"
                return False
            return True

        for _ in range(6):
            node = await house.group("Group")
            commands = (attempt(house, close(node)), attempt(other, create(house, node)))
            assert sorted(await asyncio.gather(*commands)) == [False, True]


async def test_scope_comes_before_right(house: House) -> None:
    seen, hidden = await house.group("Seen"), await house.group("Hidden")
    member = await account(house, seen)
    operator = await viewer_with(house, seen, role=Role.OPERATOR)
    for command in (rename(seen, "", 7), close(seen, 7, ""), group(seen, "")):
        (problem,) = await refusal(house, command, operator)
        assert problem.code == "FORBIDDEN"
    for node in (hidden, member, house.root, "grp_" + "0" * 26):
        assert told(await refusal(house, rename(node, "A"), operator)) == [("NOT_FOUND", ("id",))]


async def test_the_tree_has_a_greatest_depth_and_its_cost_does_not_grow(house: House) -> None:
    groups = await chain(house, MAX_DEPTH - 1)
    assert told(await refusal(house, group(groups[-1]))) == [("LIMIT_EXCEEDED", ("parentId",))]
    assert await statements(house, group(groups[-2])) == await statements(house, group(house.root))


async def test_the_protocol_engine_is_asked(house: House) -> None:
    heard, protocol = listening(house)
    node = (await heard.do(group(house.root))).payload["group"]
    await heard.do(rename(node, "New"))
    await heard.do(close(node, 2))
    assert [(question.account_id, question.operation) for question in protocol.questions] == [
        (node, ProtocolOperation.CREATE),
        (node, ProtocolOperation.UPDATE),
        (node, ProtocolOperation.UPDATE),
    ]


async def test_a_group_does_not_wait_for_approval(house: House) -> None:
    asking, _ = listening(house, asks=True)
    (problem,) = await refusal(asking, group(house.root))
    assert (problem.code, problem.details["rule"]) == ("RULE_VIOLATION", "APPROVAL")
