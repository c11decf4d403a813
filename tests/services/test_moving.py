"""Moves in the tree, through the pipeline on a real engine."""

import asyncio
import random
from itertools import pairwise
from typing import Any

import pytest

from services.groups import MAX_DEPTH, CloseGroup, CreateGroup
from services.permissions import Role
from services.problems import Refused
from services.protocol.port import ProtocolOperation
from tests.support.house import Address, House, op
from tests.support.reads import PLACE, account_row, chain, place, viewer_with, write
from tests.support.trading import refusal
from tests.support.tree import (
    TREE,
    account,
    beside,
    configure,
    counted,
    create,
    last_record,
    listening,
    move,
    node_of,
    past_parents,
    place_of,
    statements,
    status,
    template,
    told,
)

pytestmark = pytest.mark.anyio


async def test_a_moved_account_leaves_where_it_was_to_the_past(house: House) -> None:
    one, two = await house.group("One"), await house.group("Two")
    node = await account(house, one)
    made = (await node_of(house, node))["createdAt"]
    outcome = await house.do(move(node, two))
    assert outcome.payload == {"node": node}
    row = await node_of(house, node)
    assert (await place_of(house, node)).path == (node, two, house.root)
    assert await past_parents(house, node) == [{"since": made, "until": row["updatedAt"], "node": one}]
    assert row["version"] == 2
    record = await last_record(house)
    assert (record["kind"], record["at"], record["nodes"]) == ("MOVED", row["updatedAt"], [node, one, two])
    assert record["before"] == {"parent": one, "version": 1}
    carried = {"cash": 0, "positions": []}
    assert record["after"] == {"parent": two, "version": 2, "rationale": "because", **carried}


async def test_a_group_moves_with_all_below_it_and_back(house: House) -> None:
    one, two = await house.group("One"), await house.group("Two")
    moved = await house.group("Moved", one)
    below = await house.group("Below", moved)
    node = await account(house, below)
    await house.do(move(moved, two))
    assert (await place_of(house, node)).path == (node, below, moved, two, house.root)
    await house.do(move(moved, one))
    assert (await place_of(house, node)).path == (node, below, moved, one, house.root)
    past = await past_parents(house, moved)
    assert [edge["node"] for edge in past] == [one, two]
    assert past[0]["until"] == past[1]["since"]
    assert (await node_of(house, moved))["version"] == 3
    assert (await node_of(house, node))["version"] == 1


async def test_a_group_never_comes_into_its_own_subtree(house: House) -> None:
    top = await house.group("Top")
    below = await house.group("Below", top)
    for parent in (top, below, await house.group("Deepest", below)):
        assert told(await refusal(house, move(top, parent))) == [("INVALID_INPUT", ("parentId",))]
    assert (await place_of(house, below)).path == (below, top, house.root)


async def test_a_root_does_not_move_and_nothing_leaves_its_tenant(house: House) -> None:
    other = (await house.do(CreateGroup(operation_id=op(), name="Other"))).payload["group"]
    group = await house.group("Group")
    alone = (await house.do(create(house).model_copy(update={"parent_id": None}))).payload["account"]
    for node in (house.root, group, alone):
        (problem,) = await refusal(house, move(node, other))
        assert (problem.code, problem.path, problem.details["rule"]) == ("RULE_VIOLATION", ("parentId",), "ONE_TENANT")
    (problem,) = await refusal(house, move(house.root, group))
    assert (problem.code, problem.path, problem.details["rule"]) == ("RULE_VIOLATION", ("id",), "NOT_ROOT")


async def test_what_is_wrong_with_the_input_is_told(house: House) -> None:
    group, shared = await house.group("Group"), await template(house)
    node = await account(house, group)
    assert told(await refusal(house, move(node, group))) == [("INVALID_INPUT", ("parentId",))]
    assert told(await refusal(house, move(node, node))) == [("NOT_FOUND", ("parentId",))]
    assert told(await refusal(house, move(shared, "garbled"))) == [
        ("NOT_FOUND", ("id",)),
        ("NOT_FOUND", ("parentId",)),
    ]
    silent = move(node, house.root).model_copy(update={"rationale": " "})
    assert told(await refusal(house, silent)) == [("INVALID_INPUT", ("rationale",))]


async def test_it_needs_the_right_on_the_node_and_on_the_new_parent(house: House) -> None:
    mine, others = await house.group("Mine"), await house.group("Others")
    node = await account(house, mine)
    manager = await viewer_with(house, mine, role=Role.MANAGER)
    assert told(await refusal(house, move(node, others), manager)) == [("NOT_FOUND", ("parentId",))]
    reader = await viewer_with(house, mine, others)
    assert told(await refusal(house, move(node, others), reader)) == [("FORBIDDEN", ("id",))]
    below = await house.group("Below", mine)
    await house.do(move(node, below), manager)
    assert (await place_of(house, node)).path[1] == below


async def test_closed_nodes_stay_where_they_are(house: House) -> None:
    group, empty = await house.group("Group"), await house.group("Empty")
    node = await account(house)
    await status(house, node, "CLOSED")
    await house.do(CloseGroup(operation_id=op(), id=empty, version=1, reason="empty"))
    assert told(await refusal(house, move(node, group))) == [("RULE_VIOLATION", ("id",))]
    assert told(await refusal(house, move(empty, group))) == [("RULE_VIOLATION", ("id",))]
    assert told(await refusal(house, move(group, empty))) == [("RULE_VIOLATION", ("parentId",))]


async def test_an_account_fits_the_settings_locks_and_schemas_of_its_new_groups(house: House) -> None:
    node = await account(house, tier="REV", settings={"custom.a": 1}, metadata={"a": 1})
    locking, schema, wide = await house.group("Locking"), await house.group("Schema"), await house.group("Wide")
    await house.do(configure(locking, lock=("custom.a",)))
    await house.do(configure(schema, metadata_schema={"required": ["owner"]}))
    await house.do(configure(wide, {"policy.optionDeltaMin": 45}))
    for parent in (locking, schema, wide):
        below = await house.group("Below", parent)
        assert told(await refusal(house, move(node, below))) == [("INVALID_INPUT", ("parentId",))]
    assert (await place_of(house, node)).path == (node, house.root)


async def test_a_group_moves_only_where_all_below_it_stay_valid_and_the_problem_names_who_would_not(
    house: House,
) -> None:
    moved = await house.group("Moved")
    below = await house.group("Below", moved)
    await account(house, below)
    node = await account(house, below, name="Careful", tier="REV", settings={"custom.a": 1}, metadata={"a": 1})
    locking, schema, wide = await house.group("Locking"), await house.group("Schema"), await house.group("Wide")
    await house.do(configure(locking, lock=("custom.a",)))
    await house.do(configure(schema, metadata_schema={"properties": {"a": {"type": "string"}}}))
    await house.do(configure(wide, {"policy.optionDeltaMin": 45}))
    for parent in (locking, schema, wide):
        (problem,) = await refusal(house, move(moved, parent))
        assert (problem.code, problem.path) == ("INVALID_INPUT", ("parentId",))
        assert f"Careful ({node})" in problem.message
    await status(house, node, "CLOSED")
    for parent in (locking, schema, wide):
        await house.do(move(moved, parent))
    assert (await place_of(house, node)).path == (node, below, moved, wide, house.root)


async def test_what_was_locked_above_no_longer_binds_elsewhere(house: House) -> None:
    locking, free = await house.group("Locking"), await house.group("Free")
    await house.do(configure(locking, lock=("custom.a",)))
    moved = await house.group("Moved", locking)
    node = await account(house, moved)
    assert told(await refusal(house, configure(node, {"custom.a": 1}))) == [("INVALID_INPUT", ("settings", "custom.a"))]
    await house.do(move(moved, free))
    await house.do(configure(node, {"custom.a": 1}))
    assert told(await refusal(house, move(moved, locking))) == [("INVALID_INPUT", ("parentId",))]


async def test_the_tree_has_a_greatest_depth(house: House) -> None:
    groups = await chain(house, MAX_DEPTH - 2)
    moved = await house.group("Moved")
    below = await house.group("Below", moved)
    assert told(await refusal(house, move(moved, groups[-1]))) == [("LIMIT_EXCEEDED", ("parentId",))]
    await house.do(move(below, groups[-1]))
    assert len((await place_of(house, below)).path) == MAX_DEPTH
    node = await account(house)
    assert told(await refusal(house, move(node, below))) == [("LIMIT_EXCEEDED", ("parentId",))]


async def test_a_thousand_levels_move_in_as_many_statements_as_one(house: House) -> None:
    locking = await house.group("Locking")
    await house.do(configure(locking, {"policy.optionDeltaMin": 45}))
    groups, small = await chain(house, 1_000), await house.group("Small")
    node = await account(house, groups[-1])
    few, many = await statements(house, move(small, locking)), await statements(house, move(groups[0], locking))
    assert few == many
    path = (await place_of(house, node)).path
    assert (len(path), path[0], path[-2:]) == (1_003, node, (locking, house.root))
    assert told(await refusal(house, move(locking, groups[-1]))) == [("INVALID_INPUT", ("parentId",))]


async def test_ten_thousand_children_move_and_are_checked_in_as_many_statements(house: House) -> None:
    wide, locking, small = await house.group("Wide"), await house.group("Locking"), await house.group("Small")
    await house.do(configure(locking, {"policy.optionDeltaMin": 45}, lock=("custom.a",)))
    rows = [{"parent": wide, "properties": account_row(house.root)} for _ in range(10_000)]
    for start in range(0, len(rows), 2_000):
        await write(house, PLACE, rows=rows[start : start + 2_000])
    few = await statements(house, move(small, locking))
    assert await statements(house, move(wide, locking)) == few
    back = await house.group("Back")
    await house.do(move(wide, back))
    spoiler = await place(house, wide, settings='{"custom.a":{"value":1,"at":"2026-01-01T00:00:00.000000Z"}}')
    (problem,) = await refusal(house, move(wide, locking))
    assert spoiler in problem.message


async def test_a_group_that_inherits_the_same_is_not_read_through(house: House) -> None:
    one, two = await house.group("One"), await house.group("Two")
    moved = await house.group("Moved", await house.group("Deep", one))
    with counted(house) as names:
        await house.do(move(moved, two))
    assert "settings.below" not in names


async def test_two_crossing_moves_at_once_make_no_cycle(house: House, engine: Address) -> None:
    async with beside(house, engine) as other:
        for _ in range(8):
            one, two = await house.group("One"), await house.group("Two")
            done = await asyncio.gather(_moves(house, one, two), _moves(other, two, one))
            assert sorted(done) == [False, True]
            assert await _roots(house, [one, two]) == {house.root}


async def test_longer_crossing_moves_at_once_make_no_cycle(house: House, engine: Address) -> None:
    async with beside(house, engine) as other:
        tops = [await house.group(f"Top {index}") for index in range(4)]
        ends = [await house.group("End", await house.group("Middle", top)) for top in tops]
        crossing = [(top, ends[(index + 1) % 4]) for index, top in enumerate(tops)]
        done = await asyncio.gather(
            *(_moves((house, other)[index % 2], node, parent) for index, (node, parent) in enumerate(crossing))
        )
        assert sorted(done) == [False, True, True, True]
        assert await _roots(house, ends) == {house.root}


async def test_random_moves_at_once_keep_the_graph_a_tree(house: House, engine: Address) -> None:
    chance = random.Random(4)
    groups = [await house.group(f"Group {index}") for index in range(12)]
    accounts = [await account(house, chance.choice(groups)) for _ in range(6)]
    async with beside(house, engine) as other:

        async def mover(where: House, seed: int) -> int:
            mine = random.Random(seed)
            picks = [(mine.choice([*groups, *accounts]), mine.choice([house.root, *groups])) for _ in range(12)]
            return sum([await _moves(where, node, parent) for node, parent in picks if node != parent])

        moved = sum(await asyncio.gather(*(mover((house, other)[seed % 2], seed) for seed in range(8))))
    assert moved > 20
    assert await _roots(house, [*groups, *accounts]) == {house.root}
    rows = await house.desk.database.run(TREE, ids=groups)
    assert sorted(row["id"] for row in rows) == sorted(groups)
    assert all(len(row["parents"]) == 1 for row in rows)
    versions = [(await node_of(house, node))["version"] - 1 for node in [*groups, *accounts]]
    pasts = [await past_parents(house, node) for node in [*groups, *accounts]]
    assert versions == [len(past) for past in pasts]
    assert sum(versions) == moved
    for past in pasts:
        assert all(before["until"] == after["since"] for before, after in pairwise(past))


async def test_the_protocol_engine_is_asked_about_an_update(house: House) -> None:
    heard, protocol = listening(house)
    group, node = await house.group("Group"), await account(house)
    for moved in (node, await house.group("Moved")):
        await heard.do(move(moved, group))
        question = protocol.questions[-1]
        assert (question.account_id, question.operation) == (moved, ProtocolOperation.UPDATE)
        assert (question.facts["parent"], question.facts["rationale"]) == (group, "because")


async def _moves(house: House, node: str, parent: str) -> bool:
    """Whether the move was done; a refusal is one of its own rules."""
    try:
        await house.do(move(node, parent))
    except Refused as refused:
        assert told(list(refused.problems)) == [("INVALID_INPUT", ("parentId",))]
        return False
    return True


async def _roots(house: House, nodes: list[str]) -> set[Any]:
    return {(await place_of(house, node)).path[-1] for node in nodes}
