"""What lies below a change, read from the graph."""

import pytest

from services import descendants
from services.descendants import height, metadata_faults, subtree, users
from services.problems import Refused
from services.settings.subtree import TreeNode
from tests.support.house import House
from tests.support.reads import place
from tests.support.tree import account, configure, counted, status, template, told

pytestmark = pytest.mark.anyio


def line(length: int) -> list[TreeNode]:
    """Nodes in a line, the deepest first."""
    return [TreeNode(str(index), str(index - 1) if index else None, {}) for index in reversed(range(length))]


@pytest.mark.parametrize("length", [1, 2, 20_000])
async def test_the_height_counts_levels(length: int) -> None:
    assert height(line(length), "0") == length
    assert height([*line(length), TreeNode("beside", "0", {})], "0") == max(length, 2)


async def test_accounts_that_set_the_same_are_one_node(house: House) -> None:
    group, shared = await house.group("Group"), await template(house, custom__a=1)
    below = await house.group("Below", group)
    await house.do(configure(below, {"custom.g": 1}, lock=("custom.l",)))
    plain = [await account(house, below) for _ in range(3)]
    tiered = await account(house, below, tier="REV")
    using = await account(house, below, template_id=shared)
    closed = await account(house, below, tier="COM")
    await status(house, closed, "CLOSED")
    nodes = {node.id: node for node in await subtree(house.desk.database, group)}
    assert nodes.keys() == {group, below, min(plain), tiered, using}
    assert (nodes[group].parent_id, nodes[below].parent_id, nodes[tiered].parent_id) == (house.root, group, below)
    assert (nodes[below].own.keys(), nodes[below].locks) == ({"custom.g"}, {"custom.l"})
    assert (nodes[tiered].tier, nodes[using].template.keys()) == ("REV", {"custom.a"})


async def test_an_empty_group_is_a_tree_of_one(house: House) -> None:
    (node,) = await subtree(house.desk.database, await house.group("Empty"))
    assert (node.parent_id, node.own, node.locks) == (house.root, {}, frozenset())


async def test_a_templates_users_come_with_all_groups_above_them(house: House) -> None:
    one, two = await house.group("One"), await house.group("Two")
    below, shared = await house.group("Below", one), await template(house)
    users_of = [await account(house, below, template_id=shared), await account(house, two, template_id=shared)]
    await account(house, two)
    with counted(house) as names:
        nodes = {node.id: node for node in await users(house.desk.database, shared, {})}
    assert len(names) == 2
    assert nodes.keys() == {*users_of, below, one, two, house.root}
    assert {nodes[node].parent_id for node in (one, two)} == {house.root}
    assert await users(house.desk.database, await template(house), {}) == []


async def test_metadata_is_read_once_for_each_that_differs(house: House) -> None:
    group = await house.group("Group")
    first = await account(house, group, metadata={"a": 1})
    for value in (1, 1, 2):
        await account(house, group, metadata={"a": value})
    found = await metadata_faults(house.desk.database, house.root, [{"properties": {"a": {"const": 2}}}], "field")
    assert [invalid.node_id for invalid in found] == [first]
    assert await metadata_faults(house.desk.database, house.root, [True, {}], "field") == []


@pytest.mark.parametrize("limit", ["MAX_METADATA", "MAX_METADATA_BYTES", "MAX_SECONDS"])
async def test_too_much_metadata_is_refused(house: House, monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    for value in range(2):
        await place(house, metadata=f'{{"a":{value}}}')
    monkeypatch.setattr(descendants, limit, {"MAX_METADATA": 1, "MAX_METADATA_BYTES": 9, "MAX_SECONDS": -1.0}[limit])
    with pytest.raises(Refused) as refused:
        await metadata_faults(house.desk.database, house.root, [True], "metadataSchema")
    assert told(list(refused.value.problems)) == [("LIMIT_EXCEEDED", ("metadataSchema",))]
