"""Deep and wide trees: what a request costs does not grow with them."""

from typing import Any

import pytest

from graph.query import Query
from services.configuring import Configure
from tests.support.house import House, op
from tests.support.reads import PLACE, account_row, ask, chain, hold, place, read, viewer_with, write

pytestmark = pytest.mark.anyio

MOVE = Query(
    "test.move_account",
    "MATCH (a:Account {id: $id})<-[e:CONTAINS]-(g:Group) MATCH (h:Group {id: $to}) "
    "CREATE (g)-[:CONTAINED {since: e.since, until: $at}]->(a) CREATE (h)-[:CONTAINS {since: $at}]->(a) DELETE e",
)

# Parts of a request that read the same kind of thing meet in one statement, or just miss each other.
TURNS = 3
EVERYTHING = """
query($id: ID!, $where: AccountFilter) {
  group(id: $id) {
    groups { nodes { id parent { id } rollup { cash { amount } marketValue { amount } } settings { key } } totalCount }
    accounts(subtree: true, where: $where) {
      totalCount
      pageInfo { hasNextPage hasPreviousPage }
      nodes {
        id cash { amount } marketValue { amount } parent { id name } ancestors { id } settings { key source { id } }
        positions { nodes { symbol averagePrice { amount } } totalCount } components { totalCount nodes { id } }
        transactions { totalCount nodes { id operation { id } } } openOrders { totalCount } template { id }
        statement(from: "2026-01-01", to: "2026-12-31") { closing { amount } }
      }
    }
    rollup { accountCount totalValue { amount } }
  }
}"""


async def fill(house: House, group: str, count: int) -> None:
    """A group of accounts with a position each, in groups of their own."""
    for number in range(count):
        below = await house.group(f"G{number}", group)
        await hold(house, await place(house, below, cash=number), "AAPL", 10**8, "1")


async def test_statements_do_not_grow_with_the_length_of_lists(house: House) -> None:
    short, long = await house.group("Short"), await house.group("Long")
    await fill(house, short, 1)
    await fill(house, long, 9)
    for viewer in (house.admin, await viewer_with(house, house.root)):
        one = await read(house, EVERYTHING, viewer, id=short)
        nine = await read(house, EVERYTHING, viewer, id=long)
        assert one.errors == nine.errors == []
        assert nine.data["group"]["accounts"]["totalCount"] == 9
        assert nine.statements <= one.statements + TURNS
        assert nine.symbols_asked == one.symbols_asked == [("AAPL",)]


async def test_a_tree_of_1000_levels(house: House) -> None:
    groups = await chain(house, 1_000)
    account = await place(house, groups[-1], name="deep", cash=123)
    await hold(house, account, "AAPL", 10**8, "1")
    await house.do(Configure(operation_id=op(), id=groups[0], settings={"custom.deep": True}))
    viewer = await viewer_with(house, groups[499])
    document = """
    query($id: ID!, $top: ID!) {
      account(id: $id) { parent { id } ancestors { id } settings { key source { id } } }
      group(id: $top) {
        rollup { accountCount cash { amount } totalValue { amount } }
        accounts(subtree: true, where: {nameContains: "DEEP"}) { totalCount nodes { id } }
        past: accounts(subtree: true, asOf: "2026-06-01T00:00:00Z") { totalCount nodes { id } }
      }
      accounts(where: {within: $top, minCash: "1"}) { totalCount nodes { id } }
      operations(where: {within: $id}) { totalCount }
    }"""
    whole = await read(house, document, id=account, top=groups[0])
    assert whole.errors == []
    assert [each["id"] for each in whole.data["account"]["ancestors"]] == [*groups[::-1], house.root]
    settings = {each["key"]: each["source"] for each in whole.data["account"]["settings"]}
    assert settings["custom.deep"] == {"id": groups[0]}
    found = whole.data["group"]
    assert found["rollup"]["accountCount"] == 1
    assert found["rollup"]["cash"] == [{"amount": "1.23"}]
    assert found["accounts"] == found["past"] == {"totalCount": 1, "nodes": [{"id": account}]}
    assert whole.data["accounts"]["totalCount"] == 1
    near = await house.group("Near")
    await house.do(Configure(operation_id=op(), id=near, settings={"custom.near": True}))
    shallow = await read(house, document, id=await place(house, near, name="deep"), top=near)
    assert whole.statements <= shallow.statements + TURNS
    part = await read(house, document, viewer, id=account, top=groups[499])
    assert [each["id"] for each in part.data["account"]["ancestors"]] == groups[499:][::-1]
    assert {each["key"]: each["source"] for each in part.data["account"]["settings"]}["custom.deep"] is None


async def test_10000_children_of_one_group(house: House) -> None:
    group = await house.group("Wide")
    for start in range(0, 10_000, 2_000):
        rows = [
            {"parent": group, "properties": account_row(house.root, name=f"W{start + number:05}", cash=1)}
            for number in range(2_000)
        ]
        await write(house, PLACE, rows=rows)
    document = """
    query($id: ID!, $after: String) {
      group(id: $id) {
        accounts(after: $after) { totalCount nodes { name } pageInfo { endCursor hasNextPage } }
        rollup { accountCount cash { amount } }
      }
      accounts(where: {within: $id}, orderBy: {field: NAME, order: DESC}, first: 2) { totalCount nodes { name } }
    }"""
    found = await ask(house, document, id=group)
    assert found["group"]["accounts"]["totalCount"] == 10_000
    assert found["group"]["rollup"] == {"accountCount": 10_000, "cash": [{"amount": "100.00"}]}
    assert [each["name"] for each in found["accounts"]["nodes"]] == ["W09999", "W09998"]
    seen: set[str] = set()
    for _ in range(3):
        page = found["group"]["accounts"]
        assert len(page["nodes"]) == 100
        seen |= {each["name"] for each in page["nodes"]}
        found = await ask(house, document, id=group, after=page["pageInfo"]["endCursor"])
    assert len(seen) == 300


async def names(house: House, group: str, at: str | None, viewer: Any = None, *, subtree: bool = False) -> list[str]:
    document = """
    query($id: ID!, $at: DateTime, $subtree: Boolean) {
      group(id: $id) {
        accounts(asOf: $at, subtree: $subtree) { totalCount nodes { name } }
        groups(asOf: $at) { totalCount nodes { name } }
      }
    }"""
    found = (await ask(house, document, viewer, id=group, at=at, subtree=subtree))["group"]
    for connection in found.values():
        assert connection["totalCount"] == len(connection["nodes"])
    return sorted(each["name"] for connection in found.values() for each in connection["nodes"])


async def test_the_past_shows_what_belonged_there_then_and_may_be_seen_now(house: House) -> None:
    top = await house.group("Top")
    left, right = await house.group("Left", top), await house.group("Right", top)
    account = await place(house, left, name="moved", createdAt="2026-01-01T00:00:00.000000Z")
    moved = "2026-02-01T00:00:00.000000Z"
    await write(house, MOVE, id=account, to=right, at=moved)
    instants = {
        "2025-12-31T23:59:59.999999Z": [],
        "2026-01-01T00:00:00Z": ["left"],
        "2026-01-01T01:00:00+01:00": ["left"],
        "2026-01-31T23:59:59.999999Z": ["left"],
        moved: ["right"],
        "2026-03-01T00:00:00Z": ["right"],
        None: ["right"],
    }
    for at, where in instants.items():
        assert await names(house, left, at) == (["moved"] if where == ["left"] else []), at
        assert await names(house, right, at) == (["moved"] if where == ["right"] else []), at
    assert await names(house, top, None, subtree=True) == ["Left", "Right", "moved"]
    left_alone = await viewer_with(house, left)
    assert await names(house, left, "2026-01-15T00:00:00Z", left_alone) == []
    both = await viewer_with(house, left, right)
    assert await names(house, left, "2026-01-15T00:00:00Z", both) == ["moved"]
    by_account = await viewer_with(house, left, account)
    assert await names(house, left, "2026-01-15T00:00:00Z", by_account, subtree=True) == ["moved"]


async def test_the_future_is_refused(house: House) -> None:
    document = "query($id: ID!, $at: DateTime) { group(id: $id) { name groups(asOf: $at) { totalCount } } }"
    answer = await read(house, document, id=house.root, at="2999-01-01T00:00:00Z")
    assert answer.codes == ["BAD_USER_INPUT"]
    for bad in ("2026-01-01", "2026-01-01T00:00:00", "yesterday", "2026-13-01T00:00:00Z", 5, "0000-01-01T00:00:00Z"):
        assert (await read(house, document, id=house.root, at=bad)).errors != []
    early = await read(house, document, id=house.root, at="0001-01-01T00:00:00Z")
    assert early.data["group"]["groups"] == {"totalCount": 0}
