"""Nodes below a change: what becomes invalid or overrides a lock, equal to looking at each node on its own."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.settings.key import TIERS
from services.settings.resolution import Level, SourceKind, Stored, apply_changes, resolve
from services.settings.rules import check_effective
from services.settings.subtree import Invalid, TreeNode, check_subtree

KEYS = ("benchmark.symbol", "benchmark.maxTrackingError", "policy.deploymentMin", "limits.minCashShare", "custom.a")
VALUES: dict[str, Any] = dict(zip(KEYS, ("MTUM", 0.1, 0.5, 0.6, 1), strict=True))


def own(*keys: str) -> dict[str, Stored]:
    return apply_changes({}, {key: VALUES[key] for key in keys}, "at")


def naive(nodes: list[TreeNode], above: list[Level], locked: set[str]) -> dict[str, list[str]]:
    """The paths of each node's problems, found by walking up from it."""
    by_id = {node.id: node for node in nodes}
    found: dict[str, list[str]] = {}
    for node in nodes:
        levels = [Level(node.id, SourceKind.ACCOUNT, node.own), Level(None, SourceKind.TEMPLATE, node.template)]
        locks = set(locked)
        parent = by_id.get(node.parent_id or "")
        while parent is not None:
            levels += [Level(parent.id, SourceKind.ACCOUNT, parent.own)]
            levels += [Level(None, SourceKind.TEMPLATE, parent.template)]
            locks |= parent.locks
            parent = by_id.get(parent.parent_id or "")
        bad = sorted((node.own.keys() | node.template.keys()) & locks)
        bad += [problem.path[-1] for problem in check_effective(resolve([*levels, *above], node.tier))]
        if bad:
            found[node.id] = bad
    return found


stored = st.sets(st.sampled_from(KEYS), max_size=2).map(lambda keys: own(*keys))
tiers = st.sampled_from([None, *TIERS])
locks = st.frozensets(st.sampled_from(KEYS), max_size=1)


@st.composite
def forests(draw: st.DrawFn) -> list[TreeNode]:
    nodes: list[TreeNode] = []
    for index in range(draw(st.integers(1, 12))):
        parent = draw(st.none() | st.sampled_from(nodes)) if nodes else None
        parent_id = "outside" if parent is None else parent.id
        nodes.append(TreeNode(str(index), parent_id, draw(stored), draw(tiers), draw(stored), draw(locks)))
    return draw(st.permutations(nodes))


@settings(deadline=None)
@given(forests(), st.lists(stored, max_size=2), locks)
def test_the_walk_equals_looking_at_each_node(nodes: list[TreeNode], above: list[Any], locked: frozenset[str]) -> None:
    levels = [Level(f"up{index}", SourceKind.GROUP, values) for index, values in enumerate(above)]
    found = {
        one.node_id: [problem.path[-1] for problem in one.problems] for one in check_subtree(nodes, levels, locked)
    }
    assert found == naive(nodes, levels, set(locked))


def ids(found: Any) -> list[str]:
    return [one.node_id for one in found]


def test_a_descendant_that_loses_what_it_needs_is_named() -> None:
    nodes = [
        TreeNode("g", "root", own("benchmark.symbol")),
        TreeNode("a", "g", own("benchmark.maxTrackingError")),
        TreeNode("b", "g", own("custom.a")),
    ]
    assert list(check_subtree(nodes)) == []
    (found,) = check_subtree([replace(nodes[0], own={}), *nodes[1:]], touched={"benchmark.symbol"})
    assert found.node_id == "a"
    assert found.problems[0].path == ("settings", "benchmark.symbol")
    assert "benchmark.maxTrackingError" in found.problems[0].message


def test_settings_above_bind_the_tops() -> None:
    top = [TreeNode("a", "g", own("benchmark.maxTrackingError"))]
    assert ids(check_subtree(top)) == ["a"]
    near = Level("g", SourceKind.GROUP, own("benchmark.symbol"))
    assert ids(check_subtree(top, [near])) == []


def test_a_group_sets_what_it_locks_and_nobody_below_does() -> None:
    group = TreeNode("g", None, own("custom.a"), locks=frozenset({"custom.a"}))
    below = [
        TreeNode("sub", "g", {}),
        TreeNode("own", "sub", own("custom.a")),
        TreeNode("tpl", "sub", {}, template=own("custom.a")),
        TreeNode("free", "sub", own("benchmark.symbol")),
    ]
    beside = TreeNode("beside", None, own("custom.a"))
    found = list(check_subtree([group, *below, beside]))
    assert ids(found) == ["own", "tpl"]
    assert all(one.problems[0].path == ("settings", "custom.a") for one in found)
    assert all("locked" in one.problems[0].message and "'g'" not in one.problems[0].message for one in found)


def test_a_lock_of_a_nearer_group_does_not_end_that_of_a_higher_one() -> None:
    nodes = [
        TreeNode("g", None, {}, locks=frozenset({"custom.a"})),
        TreeNode("h", "g", {}, locks=frozenset({"custom.a"})),
        TreeNode("a", "h", {}),
        TreeNode("b", "g", own("custom.a")),
    ]
    assert ids(check_subtree(nodes)) == ["b"]
    assert ids(check_subtree(nodes[3:], locked=["custom.a"])) == ["b"]


@pytest.mark.parametrize("shape", ["deep", "wide"])
def test_a_thousand_levels_and_ten_thousand_children(shape: str) -> None:
    count = 2_000 if shape == "deep" else 10_000
    nodes = [TreeNode("0", None, own("benchmark.symbol"), locks=frozenset({"custom.a"}))]
    parents = ["", *(str(index) if shape == "deep" else "0" for index in range(count - 1))]
    nodes += [TreeNode(str(index), parents[index], {}, TIERS[index % 3]) for index in range(1, count)]
    nodes.append(TreeNode("last", str(count - 1), own("custom.a", "benchmark.maxTrackingError")))
    assert ids(check_subtree(nodes)) == ["last"]
    assert len(next(iter(check_subtree([replace(nodes[0], own={}), *nodes[1:]]))).problems) == 2


def test_a_circle_is_an_error_of_the_caller() -> None:
    with pytest.raises(ValueError, match="no forest"):
        list(check_subtree([TreeNode("a", "b", {}), TreeNode("b", "a", {}), TreeNode("c", None, {})]))


def test_nothing_is_invalid_where_nothing_is_set() -> None:
    found: list[Invalid] = list(check_subtree([TreeNode("a", None, {}, tier) for tier in TIERS]))
    assert found == []
