"""Compiled reads say what the executor says, byte for byte, and nothing that the viewer may not see."""

import neo4j
import pytest

from resolvers import cursors
from services.granting import Revoke
from services.permissions import Role
from tests.support.asking import INFO, planted
from tests.support.both_ways import BothWays, session_of
from tests.support.graphs import statement
from tests.support.house import Address, House, op
from tests.support.reads import again, viewer_with

pytestmark = pytest.mark.anyio
LISTED = statement("MATCH (:Group {id: $id})-[:CONTAINS]->(a:Account) RETURN a.createdAt AS at, a.id AS id")


async def test_a_revoked_role_and_an_ended_session_hide_at_once(house: House) -> None:
    ids = await planted(house)
    viewer = await viewer_with(house, ids[1])
    token = await session_of(house, viewer.user_id)
    ways, document = BothWays(house), f'{{ account(id: "{ids[5]}") {{ id }} }}'
    assert await ways.same(document, token)
    await house.do(Revoke(operation_id=op(), username=viewer.username, node_id=ids[1], role=Role.VIEWER))
    assert not (await again(house, viewer.username)).grants
    assert not await ways.same(document, token)


async def test_a_nested_read_takes_one_statement_however_many_nodes(house: House) -> None:
    await planted(house)
    token = await session_of(house, house.admin.user_id)
    ways = BothWays(house)
    document = (
        "query($id: ID!) { group(id: $id) { groups { nodes { accounts { nodes { id } } groups { nodes { id } } } } } }"
    )
    assert await ways.same(document, token, id=house.root)
    before = len(ways.calls)
    assert await ways.same(document, token, id=house.root)
    assert ways.calls[before:] == ["users.by_session", "reads.compiled", "reads.compiled", "users.by_session"]
    assert len(ways.texts) == 1


async def test_a_list_is_counted_and_followed_by_its_cursors(house: House) -> None:
    inner = (await planted(house))[3]
    token, ways = await session_of(house, house.admin.user_id), BothWays(house)
    page = f"totalCount edges {{ cursor node {{ name parent {{ name }} }} }} {INFO}"
    lists = f"a: accounts(first: $n, after: $c) {{ {page} }} b: accounts(first: 1, after: $d) {{ {page} }}"
    document = (
        f"query($id: ID!, $n: Int, $c: String, $d: String) {{ group(id: $id) {{ {lists} groups {{ {page} }} }} }}"
    )
    made = await house.desk.database.run(LISTED, id=inner)
    mark = cursors.mark_of("Group.accounts", inner, "CREATED_AT")
    marks = [None, *(cursors.write(mark, (row["at"], row["id"])) for row in made)]
    assert len(marks) > 6
    for number, cursor in enumerate(marks):
        assert await ways.same(document, token, id=inner, n=number % 3, c=cursor, d=marks[-1 - number])
    other = cursors.write(cursors.mark_of("Group.groups", inner, "CREATED_AT"), ("x", "y"))
    for wrong in (other, "", "x"):
        assert not await ways.same(document, token, id=inner, n=1, c=wrong)
    assert len(ways.texts) == 1


async def test_no_compiled_statement_scans_a_label(house: House, engine: Address) -> None:
    await planted(house)
    token = await session_of(house, house.admin.user_id)
    ways = BothWays(house)
    below = "accounts { totalCount nodes { name parent { id } } }"
    inner = f"parent {{ name }} groups(after: null) {{ totalCount nodes {{ id parent {{ id }} {below} }} }}"
    assert await ways.same(
        f"query($id: ID!) {{ group(id: $id) {{ {inner} }} node(id: $id) {{ id }} }}", token, id=house.root
    )
    login = (engine.username, engine.password)
    async with neo4j.AsyncGraphDatabase.driver(engine.uri, auth=login) as driver:
        for text in ways.texts:
            _, summary, _ = await driver.execute_query(f"EXPLAIN {text}", database_=engine.database)  # pyright: ignore[reportArgumentType, reportCallIssue]
            assert summary.plan is not None
            assert "Scan" not in summary.plan["args"]["string-representation"].replace("NodeIndexScan", "")
