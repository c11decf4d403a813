"""Templates, through the pipeline on a real engine."""

from typing import Any

import pytest

from services.groups import CloseGroup
from services.permissions import Role
from services.protocol.port import ProtocolOperation
from services.templates import CreateTemplate, UpdateTemplate
from tests.support.house import House, op
from tests.support.reads import viewer_with
from tests.support.trading import refusal
from tests.support.tree import account, last_record, listening, node_of, place_of, template, told, values_of

pytestmark = pytest.mark.anyio


def make(parent: str | None, **given: Any) -> CreateTemplate:
    """The command that creates a template."""
    fields: dict[str, Any] = {"operation_id": op(), "name": "Template", "parent_id": parent, "settings": {}}
    return CreateTemplate.model_validate(fields | given)


async def test_a_template_belongs_to_a_group(house: House) -> None:
    group = await house.group("Group")
    node = await template(house, group, custom__a={"b": 1}, limits__minCashShare=0.05)
    row = await node_of(house, node)
    assert (await place_of(house, node)).path == (node, group, house.root)
    assert (row["name"], row["root"], row["version"]) == ("Template", house.root, 1)
    assert await values_of(house, node) == {"custom.a": {"b": 1}, "limits.minCashShare": 0.05}
    assert row["settings"]["custom.a"]["at"] == row["createdAt"]
    record = await last_record(house)
    assert (record["kind"], record["nodes"], record["at"]) == ("TEMPLATE_CREATED", [node, group], row["createdAt"])
    assert (record["before"], record["after"]["parent"]) == (None, group)


async def test_every_wrong_field_is_told_at_once(house: House) -> None:
    wrong = make(None, name="", settings={"limits.minCashShare": "much", "nonsense": 1})
    assert told(await refusal(house, wrong)) == [
        ("INVALID_INPUT", ("name",)),
        ("INVALID_INPUT", ("settings", "limits.minCashShare")),
        ("INVALID_INPUT", ("settings", "nonsense")),
        ("INVALID_INPUT", ("parentId",)),
    ]
    for settings in (None, [], "text", 1):
        problems = await refusal(house, make(house.root, settings=settings))
        assert told(problems) == [("INVALID_INPUT", ("settings",))]


async def test_scope_comes_before_right(house: House) -> None:
    seen, hidden = await house.group("Seen"), await house.group("Hidden")
    node = await account(house, seen)
    operator = await viewer_with(house, seen, role=Role.OPERATOR)
    assert told(await refusal(house, make(seen, name=""), operator)) == [("FORBIDDEN", ("parentId",))]
    for parent in (hidden, node, "nowhere"):
        assert told(await refusal(house, make(parent, name=""), operator)) == [("NOT_FOUND", ("parentId",))]


async def test_a_closed_group_takes_no_template(house: House) -> None:
    group = await house.group("Group")
    await house.do(CloseGroup(operation_id=op(), id=group, version=1, reason="done"))
    assert told(await refusal(house, make(group))) == [("RULE_VIOLATION", ("parentId",))]


async def test_a_template_is_renamed_at_the_version_that_was_seen(house: House) -> None:
    node = await template(house, custom__a=1)
    await house.do(UpdateTemplate(operation_id=op(), id=node, version=1, name="New"))
    row = await node_of(house, node)
    assert (row["name"], row["version"], await values_of(house, node)) == ("New", 2, {"custom.a": 1})
    record = await last_record(house)
    assert (record["kind"], record["before"]) == ("TEMPLATE_UPDATED", {"name": "Template", "version": 1})
    late = UpdateTemplate(operation_id=op(), id=node, version=1, name="Late")
    assert told(await refusal(house, late)) == [("STALE_VERSION", ("version",))]
    nameless = UpdateTemplate(operation_id=op(), id=node, version=2, name="")
    assert told(await refusal(house, nameless)) == [("INVALID_INPUT", ("name",))]
    reader = await viewer_with(house, house.root)
    assert told(await refusal(house, nameless, reader)) == [("FORBIDDEN", ("id",))]


async def test_the_protocol_engine_is_asked(house: House) -> None:
    heard, protocol = listening(house)
    node = (await heard.do(make(house.root, settings={"custom.a": 1}))).payload["template"]
    await heard.do(UpdateTemplate(operation_id=op(), id=node, version=1, name="New"))
    assert [(question.account_id, question.operation) for question in protocol.questions] == [
        (node, ProtocolOperation.CREATE),
        (node, ProtocolOperation.UPDATE),
    ]
    assert protocol.questions[0].facts["settings"] == {"custom.a": 1}
