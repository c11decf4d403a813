"""Settings, locks and metadata schemas, through the pipeline on a real engine."""

import asyncio
from typing import Any

import pytest

from services.deciding import DecideOperation, decide
from services.effective import in_force
from services.groups import CloseGroup
from services.permissions import Role
from services.problems import Refused
from services.protocol.port import ProtocolOperation
from tests.support.house import Address, House, op
from tests.support.reads import PLACE, account_row, chain, place, viewer_with, write
from tests.support.trading import refusal
from tests.support.tree import (
    account,
    beside,
    configure,
    counted,
    create,
    last_record,
    listening,
    node_of,
    place_of,
    statements,
    status,
    template,
    told,
    values_of,
)

pytestmark = pytest.mark.anyio

OWNER = {"type": "object", "required": ["owner"]}


async def effective(house: House, node: str) -> dict[str, Any]:
    """The values in force on a node, with the ids that they come from."""
    values = (await in_force(house.desk.database, await place_of(house, node))).values
    return {key: (found.value, found.source_id) for key, found in values.items()}


async def test_settings_are_set_and_removed_on_each_kind_of_node(house: House) -> None:
    group, shared = await house.group("Group"), await template(house, custom__old=1)
    node = await account(house, group, template_id=shared)
    for each in (group, node, shared):
        outcome = await house.do(configure(each, {"custom.a": [1], "limits.minCashShare": "0.10"}))
        assert outcome.payload == {"settings": each}
        row = await node_of(house, each)
        assert (row["version"], row["settings"]["custom.a"]["at"]) == (2, row["updatedAt"])
        await house.do(configure(each, {"custom.a": None, "custom.b": 0.5, "custom.never": None}))
        kept = {"limits.minCashShare": "0.10", "custom.b": 0.5}
        assert await values_of(house, each) == (kept | {"custom.old": 1} if each == shared else kept)
        assert (await node_of(house, each))["version"] == 3


async def test_the_record_has_what_changed_before_and_after(house: House) -> None:
    node = await account(house, settings={"custom.a": 1, "custom.kept": 1})
    old = (await node_of(house, node))["createdAt"]
    await house.do(configure(node, {"custom.a": 0.5, "custom.b": 2}))
    record = await last_record(house)
    assert (record["kind"], record["nodes"]) == ("CONFIGURED", [node, house.root])
    assert record["before"] == {
        "version": 1, "settings": f'{{"custom.a":{{"at":"{old}","value":1}},"custom.b":null}}'
    }  # fmt: skip
    at = record["at"]
    assert record["after"] == {
        "version": 2,
        "settings": f'{{"custom.a":{{"at":"{at}","value":0.5}},"custom.b":{{"at":"{at}","value":2}}}}',
    }
    await house.do(configure(house.root, lock=("custom.y", "custom.z"), metadata_schema=True))
    record = await last_record(house)
    assert record["before"] == {"version": 1, "settings": "{}", "locks": [], "metadataSchema": None}
    assert record["after"] == {
        "version": 2, "settings": "{}", "locks": ["custom.y", "custom.z"], "metadataSchema": "true"
    }  # fmt: skip


async def test_what_counts_most_is_in_force_and_tells_its_source(house: House) -> None:
    group, shared = await house.group("Group"), await template(house, custom__a="template", custom__b="template")
    node = await account(house, group, tier="GEN", template_id=shared, settings={"custom.a": "own"})
    await house.do(configure(house.root, {"custom.a": "root", "custom.d": "root"}))
    await house.do(configure(group, {"custom.b": "group", "custom.c": "group", "custom.d": "group"}))
    found = await effective(house, node)
    assert {key: value for key, value in found.items() if key.startswith("custom.")} == {
        "custom.a": ("own", node),
        "custom.b": ("template", shared),
        "custom.c": ("group", group),
        "custom.d": ("group", group),
    }
    assert found["fork.surplusThreshold"] == ("50000", None)
    await house.do(configure(shared, {"custom.b": None}))
    assert (await effective(house, node))["custom.b"] == ("group", group)


async def test_every_wrong_field_is_told_at_once(house: House) -> None:
    node = await account(house)
    wrong = configure(node, {"limits.maxPositionShare": 2, "fork.maxPerDay": 1.5, "nonsense": 1, "custom.a": "\x00"})
    assert told(await refusal(house, wrong)) == [
        ("INVALID_INPUT", ("settings", "limits.maxPositionShare")),
        ("INVALID_INPUT", ("settings", "fork.maxPerDay")),
        ("INVALID_INPUT", ("settings", "nonsense")),
        ("INVALID_INPUT", ("settings", "custom.a")),
    ]
    more = configure(node, lock=("custom.a",), unlock=("custom.a", "what"), metadata_schema={"type": "nothing"})
    assert told(await refusal(house, more)) == [
        ("INVALID_INPUT", ("unlock", "1")),
        ("INVALID_INPUT", ("unlock",)),
        ("INVALID_INPUT", ("metadataSchema", "type")),
        ("INVALID_INPUT", ("lock",)),
        ("INVALID_INPUT", ("unlock",)),
        ("INVALID_INPUT", ("metadataSchema",)),
    ]
    assert told(await refusal(house, configure(node).model_copy(update={"settings": []}))) == [
        ("INVALID_INPUT", ("settings",))
    ]


async def test_a_node_has_so_many_settings_of_its_own_at_most(house: House) -> None:
    for node in (house.root, await account(house), await template(house)):
        for part in range(5):
            await house.do(configure(node, {f"custom.k{part}-{index}": 1 for index in range(100)}))
        assert told(await refusal(house, configure(node, {"custom.more": 1}))) == [("INVALID_INPUT", ("settings",))]
        await house.do(configure(node, {"custom.more": 1, "custom.k0-0": None}))


async def test_settings_that_do_not_go_together_are_refused_on_the_node_itself(house: House) -> None:
    low, high = {"policy.optionDeltaMax": 30}, {"policy.optionDeltaMin": 31}
    for node in (house.root, await account(house, await house.group("Group"))):
        await house.do(configure(node, low))
        assert told(await refusal(house, configure(node, high))) == [
            ("INVALID_INPUT", ("settings", "policy.optionDeltaMin"))
        ]


async def test_a_change_that_would_break_a_node_below_names_it(house: House) -> None:
    group = await house.group("Group")
    below = await house.group("Below", group)
    await account(house, below, tier="GEN")
    node = await account(house, below, name="Careful", tier="REV")
    (problem,) = await refusal(house, configure(group, {"policy.optionDeltaMin": 45, "custom.a": 1}))
    assert (problem.code, problem.path) == ("INVALID_INPUT", ("settings", "policy.optionDeltaMin"))
    assert problem.message.startswith(f"Careful ({node}) would be invalid: ")
    assert await values_of(house, group) == {}
    await house.do(configure(group, {"policy.optionDeltaMin": 45, "policy.optionDeltaMax": 50}))
    (problem,) = await refusal(house, configure(group, {"policy.optionDeltaMax": None}))
    assert (problem.path, node in problem.message) == (("settings", "policy.optionDeltaMax"), True)
    await status(house, node, "CLOSED")
    await house.do(configure(group, {"policy.optionDeltaMax": None}))


async def test_at_most_ten_nodes_are_named(house: House) -> None:
    group = await house.group("Group")
    for index in range(12):
        await account(house, await house.group(f"Below {index}", group), tier="REV")
    problems = await refusal(house, configure(group, {"policy.optionDeltaMin": 45}))
    assert len(problems) == 10
    assert len({problem.message for problem in problems}) == 10


async def test_a_locked_key_is_set_by_nothing_below_and_overridden_by_nothing(house: House) -> None:
    group = await house.group("Group")
    node = await account(house, group, name="Setter", settings={"custom.a": 1})
    (problem,) = await refusal(house, configure(house.root, {"custom.b": 1}, lock=("custom.z", "custom.a")))
    assert (problem.code, problem.path) == ("INVALID_INPUT", ("lock", "1"))
    assert f"Setter ({node})" in problem.message
    await house.do(configure(node, {"custom.a": None}))
    await house.do(configure(house.root, {"custom.a": "all"}, lock=("custom.z", "custom.a")))
    for each in (node, group):
        assert told(await refusal(house, configure(each, {"custom.a": 2}))) == [
            ("INVALID_INPUT", ("settings", "custom.a"))
        ]
    assert (await effective(house, node))["custom.a"] == ("all", house.root)
    await house.do(configure(house.root, {"custom.a": "others"}))
    await house.do(configure(node, {"custom.a": None}))
    await house.do(configure(house.root, unlock=("custom.a",)))
    assert (await node_of(house, house.root))["locks"] == ["custom.z"]
    await house.do(configure(node, {"custom.a": 2}))


async def test_locks_add_up_along_the_path(house: House) -> None:
    group = await house.group("Group")
    node = await account(house, group)
    await house.do(configure(house.root, lock=("custom.a",)))
    await house.do(configure(group, lock=("custom.a", "custom.b")))
    await house.do(configure(group, unlock=("custom.a",)))
    for key in ("custom.a", "custom.b"):
        assert told(await refusal(house, configure(node, {key: 1}))) == [("INVALID_INPUT", ("settings", key))]


async def test_a_template_is_checked_where_it_is_used(house: House) -> None:
    group, hidden = await house.group("Group"), await house.group("Hidden")
    shared = await template(house, group, custom__a=1)
    near = await account(house, group, name="Near", tier="REV", template_id=shared)
    await account(house, hidden, name="Far", tier="COM", template_id=shared)
    await house.do(configure(hidden, lock=("custom.b",)))
    manager = await viewer_with(house, group, role=Role.MANAGER)
    problems = await refusal(house, configure(shared, {"policy.optionDeltaMin": 45}), manager)
    assert told(problems) == [("INVALID_INPUT", ("settings", "policy.optionDeltaMin"))] * 2
    assert {f"Near ({near})" in problem.message for problem in problems} == {True, False}
    assert not any("Far" in problem.message for problem in problems)
    (problem,) = await refusal(house, configure(shared, {"custom.b": 1}), manager)
    assert problem.message.startswith("a node that you cannot see would be invalid")
    assert problem.path == ("settings", "custom.b")
    (problem,) = await refusal(house, configure(shared, {"custom.b": 1}))
    assert problem.message.startswith("Far (")
    await house.do(configure(shared, {"policy.optionDeltaMin": 20}), manager)


async def test_a_lock_is_checked_against_the_templates_that_are_used_below(house: House) -> None:
    shared = await template(house, custom__a=1)
    group = await house.group("Group")
    node = await account(house, group, template_id=shared)
    (problem,) = await refusal(house, configure(group, lock=("custom.a",)))
    assert (problem.path, node in problem.message) == (("lock", "0"), True)


async def test_a_metadata_schema_binds_what_is_below(house: House) -> None:
    group = await house.group("Group")
    node = await account(house, group, name="Ownerless")
    (problem,) = await refusal(house, configure(house.root, metadata_schema=OWNER))
    assert (problem.code, problem.path) == ("INVALID_INPUT", ("metadataSchema",))
    assert f"Ownerless ({node})" in problem.message
    await status(house, node, "CLOSED")
    await account(house, group, metadata={"owner": 1})
    await house.do(configure(house.root, metadata_schema=OWNER))
    assert told(await refusal(house, create(house, group))) == [("INVALID_INPUT", ("metadata", "owner"))]
    await house.do(configure(house.root, {"custom.a": 1}))
    assert (await node_of(house, house.root))["metadataSchema"] == OWNER
    await house.do(configure(house.root, metadata_schema=None))
    assert (await node_of(house, house.root))["metadataSchema"] is None
    await account(house, group)


async def test_scope_comes_before_right_and_closed_groups_refuse(house: House) -> None:
    seen, hidden = await house.group("Seen"), await house.group("Hidden")
    operator = await viewer_with(house, seen, role=Role.OPERATOR)
    assert told(await refusal(house, configure(seen, {"nonsense": 1}), operator)) == [("FORBIDDEN", ("id",))]
    for node in (hidden, await template(house, hidden), "no such node"):
        assert told(await refusal(house, configure(node, {"nonsense": 1}), operator)) == [("NOT_FOUND", ("id",))]
    await house.do(CloseGroup(operation_id=op(), id=hidden, version=1, reason="done"))
    assert told(await refusal(house, configure(hidden, {"custom.a": 1}))) == [("RULE_VIOLATION", ("id",))]


async def test_a_lock_and_what_it_forbids_at_once_never_both_succeed(house: House, engine: Address) -> None:
    async with beside(house, engine) as other:
        for _ in range(6):
            group = await house.group("Group")
            below = await house.group("Below", group)
            node = await account(house, below)
            contenders = (
                configure(group, lock=("custom.a",)),
                configure(node, {"custom.a": 1}),
                create(house, below, settings={"custom.a": 1}),
            )
            locked, *others = await asyncio.gather(
                *(_done(where, command) for where, command in zip((house, other, other), contenders, strict=True))
            )
            assert others == [not locked, not locked]


async def test_configurations_of_one_node_at_once_all_take_effect(house: House, engine: Address) -> None:
    node = await account(house)
    async with beside(house, engine) as other:
        done = await asyncio.gather(
            *(_done((house, other)[index % 2], configure(node, {f"custom.k{index}": index})) for index in range(8))
        )
    assert all(done)
    assert await values_of(house, node) == {f"custom.k{index}": index for index in range(8)}
    assert (await node_of(house, node))["version"] == 9


async def test_statements_do_not_grow_with_the_tree(house: House) -> None:
    groups, small = await chain(house, 1_000), await house.group("Small")
    change = {"policy.optionDeltaMin": 30}
    few = await statements(house, configure(small, change, lock=("custom.a",)))
    assert await statements(house, configure(groups[0], change, lock=("custom.a",))) == few
    assert told(await refusal(house, configure(groups[-1], {"custom.a": 1}))) == [
        ("INVALID_INPUT", ("settings", "custom.a"))
    ]
    shared = await template(house)
    assert await statements(house, configure(shared, change)) < few
    users = [await account(house, groups[-1], template_id=shared) for _ in range(3)]
    few = await statements(house, configure(shared, change))
    users.append(await account(house, small, tier="REV", template_id=shared))
    assert await statements(house, configure(shared, change)) == few
    (problem,) = await refusal(house, configure(shared, {"policy.optionDeltaMin": 41}))
    assert users[-1] in problem.message


async def test_ten_thousand_accounts_are_checked_together(house: House) -> None:
    wide = await house.group("Wide")
    rows = [
        {"parent": wide, "properties": account_row(house.root, metadata=f'{{"owner":{index % 50}}}')}
        for index in range(10_000)
    ]
    for start in range(0, len(rows), 2_000):
        await write(house, PLACE, rows=rows[start : start + 2_000])
    spoiler = await place(house, wide, tier="REV", metadata='{"desk":1}')
    (problem,) = await refusal(house, configure(wide, {"policy.optionDeltaMin": 45}))
    assert spoiler in problem.message
    (problem,) = await refusal(house, configure(wide, metadata_schema=OWNER))
    assert spoiler in problem.message
    await house.do(configure(wide, {"policy.optionDeltaMin": 40}, lock=("custom.a",)))


async def test_what_no_node_below_can_feel_reads_none(house: House) -> None:
    with counted(house) as names:
        await house.do(configure(house.root, {"custom.a": 1, "limits.maxOrderValue": "5"}, unlock=("custom.a",)))
    assert not {"settings.below", "settings.metadata_below"} & set(names)


async def test_the_protocol_engine_is_asked_about_the_node(house: House) -> None:
    heard, protocol = listening(house)
    for node in (house.root, await account(house), await template(house)):
        await heard.do(configure(node, {"custom.a": 0.5}))
        question = protocol.questions[-1]
        assert (question.account_id, question.operation) == (node, ProtocolOperation.CONFIGURE)
        assert question.facts["settings"] == {"custom.a": 0.5}


async def test_an_approved_configuration_is_the_one_that_was_asked_for(house: House) -> None:
    await house.do(configure(house.root, metadata_schema=True))
    asking, _ = listening(house, asks=True)
    decider = await viewer_with(house, house.root, role=Role.MANAGER)
    given: tuple[dict[str, Any], ...] = ({}, {"metadata_schema": None})
    for more, kept in zip(given, (True, None), strict=True):
        waiting = await asking.do(configure(house.root, {"custom.a": 0.25}, **more))
        target = waiting.operation
        decision = DecideOperation(operation_id=op(), target_operation_id=target, approve=True, reason="fine")
        await decide(house.pipeline, decider, decision)
        assert (await node_of(house, house.root))["metadataSchema"] is kept
    assert await values_of(house, house.root) == {"custom.a": 0.25}


async def _done(house: House, command: Any) -> bool:
    try:
        await house.do(command)
    except Refused as refused:
        assert {problem.code.value for problem in refused.problems} == {"INVALID_INPUT"}
        return False
    return True
