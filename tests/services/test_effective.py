"""The settings in force, read from the graph."""

import pytest

from services.effective import in_force, in_force_on, inherited
from services.settings.resolution import SourceKind
from tests.support.house import House
from tests.support.reads import chain
from tests.support.tree import account, configure, counted, place_of, template

pytestmark = pytest.mark.anyio


async def test_groups_give_settings_from_the_nearest_up_locks_and_schemas(house: House) -> None:
    group = await house.group("Group")
    below = await house.group("Below", group)
    await house.do(configure(house.root, {"custom.a": 1}, lock=("custom.x",), metadata_schema={"minProperties": 0}))
    await house.do(configure(below, {"custom.a": 2}, lock=("custom.y",), metadata_schema=True))
    given = await inherited(house.desk.database, [below, group, house.root])
    assert [(level.node_id, level.values["custom.a"]["value"]) for level in given.levels] == [
        (below, 2),
        (house.root, 1),
    ]
    assert given.locked == {"custom.x", "custom.y"}
    assert given.schemas == (True, {"minProperties": 0})
    nothing = await inherited(house.desk.database, ())
    assert (nothing.levels, nothing.locked, nothing.schemas) == ((), frozenset(), ())


async def test_a_group_feels_its_own_settings_and_the_locks_above_it(house: House) -> None:
    group = await house.group("Group")
    await house.do(configure(house.root, {"custom.a": 1}, lock=("custom.x",)))
    await house.do(configure(group, {"custom.a": 2}, lock=("custom.y",)))
    found = await in_force(house.desk.database, await place_of(house, group))
    assert (found.values["custom.a"].value, found.values["custom.a"].source_id) == (2, group)
    assert found.locked == {"custom.x"}
    assert "fork.surplusThreshold" not in found.values


async def test_many_nodes_take_as_many_statements_as_one(house: House) -> None:
    groups = await chain(house, 300)
    await house.do(configure(groups[0], {"custom.a": "top"}))
    shared = await template(house, custom__b="shared")
    members = [await account(house, groups[-1], template_id=shared), await account(house, groups[10], tier="COM")]
    places = [await place_of(house, node) for node in (*members, groups[5])]
    with counted(house) as names:
        found = await in_force_on(house.desk.database, places)
    assert sorted(names) == ["settings.of_accounts", "settings.of_groups"]
    assert {node: force.values["custom.a"].source_id for node, force in found.items()} == dict.fromkeys(
        (*members, groups[5]), groups[0]
    )
    assert found[members[0]].values["custom.b"].source_kind is SourceKind.TEMPLATE
    assert "custom.b" not in found[members[1]].values
    assert found[members[1]].values["fork.surplusThreshold"].source_kind is SourceKind.TIER
    assert await in_force_on(house.desk.database, ()) == {}
