"""Lists leave out what is long, and read it where it is asked for, by one statement."""

from typing import Any

import pytest

from graph import reads_lists
from graph.listing import Listing, Window, pages
from tests.support.house import House
from tests.support.reads import ask, place, read
from tests.support.tree import configure

pytestmark = pytest.mark.anyio

SCHEMA = {"type": "object", "properties": {"desk": {"type": "string"}}}
NAMES = """query($id: ID!) { group(id: $id) {
  groups { nodes { name groups { nodes { name } } } } accounts { nodes { name ancestors { name } } } } }"""
WHOLE = """query($id: ID!) { group(id: $id) {
  groups { nodes { metadataSchema settings { key value } } }
  accounts { nodes { metadata settings { key value } } } } }"""


async def a_tenant(house: House) -> None:
    """Two groups, one of them with a schema, and three accounts, each with settings or metadata of its own."""
    desk = await house.group("Desk")
    await house.group("Plain")
    await house.do(configure(desk, {"custom.a": 1}, metadata_schema=SCHEMA))
    for number in range(3):
        await place(house, name=f"Account {number}", metadata=f'{{"desk":"{number}"}}')


async def test_what_a_list_leaves_out_is_whole_where_it_is_asked_for(house: House) -> None:
    await a_tenant(house)
    found = (await ask(house, WHOLE, id=house.root))["group"]
    groups: list[dict[str, Any]] = found["groups"]["nodes"]
    assert [node["metadataSchema"] for node in groups] == [SCHEMA, None]
    assert [{"key": "custom.a", "value": 1} in node["settings"] for node in groups] == [True, False]
    assert sorted(node["metadata"]["desk"] for node in found["accounts"]["nodes"]) == ["0", "1", "2"]


async def test_it_takes_one_statement_more_for_all_of_a_kind(house: House) -> None:
    await a_tenant(house)
    few = (await read(house, NAMES.replace("name ancestors", "id ancestors"), id=house.root)).statements
    asked = NAMES.replace("name ancestors", "metadata ancestors").replace("name groups", "metadataSchema groups")
    assert (await read(house, asked, id=house.root)).statements == few + 2


@pytest.mark.parametrize(
    ("source", "long"),
    [
        (reads_lists.CHILD_ACCOUNTS, {"metadata", "settings"}),
        (reads_lists.CHILD_GROUPS, {"metadataSchema", "settings"}),
    ],
)
async def test_a_page_has_nothing_long(house: House, source: reads_lists.Source, long: set[str]) -> None:
    await a_tenant(house)
    page = (await pages(house.desk.database, Listing(source, reads_lists.BY_CREATION), Window(9), [house.root]))[
        house.root
    ]
    assert len(page.rows) == (3 if source is reads_lists.CHILD_ACCOUNTS else 2)
    for row in page.rows:
        assert {name for name in long if row.node.get(name) is not None} == set()
        assert row.node["partial"] is True
        assert {"id", "name", "version", "createdAt"} <= row.node.keys()
