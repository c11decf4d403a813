"""Imports by GraphQL: asked for, followed, cancelled and gone on with; and who may."""

from typing import Any

import pytest

from tests.support.api import InProcess, a_user
from tests.support.house import House
from tests.support.importing import as_json_lines, rested, upload

pytestmark = pytest.mark.anyio

ROLES = ("VIEWER", "OPERATOR", "MANAGER", "ADMIN", "AUDITOR", "SUPER_ADMIN")
SHAPING = frozenset({"MANAGER", "ADMIN", "SUPER_ADMIN"})
COUNTS = "id phase dryRun skipInvalid lines checked succeeded failed unprocessed operation { id state kind }"
PROGRESS = f"bulkImport {{ {COUNTS} }} operation {{ id state }}"
FOLLOW = f"query($id: ID!) {{ bulkImport(id: $id) {{ {COUNTS} }} }}"
OUTCOMES = """query($id: ID!, $first: Int, $after: String, $outcome: ImportOutcome) {
  bulkImport(id: $id) { outcomes(first: $first, after: $after, outcome: $outcome) {
    totalCount pageInfo { hasNextPage hasPreviousPage endCursor }
    nodes { number lineId outcome node { __typename id } problems { code message path } }
  } }
}"""
LINES: list[dict[str, Any] | str] = [
    {"id": "g", "type": "group", "name": "Desk"},
    {"id": "a", "name": "One", "parentId": "g", "openingBalance": "10.00"},
    {"id": "b", "name": "Two", "parentId": "nowhere"},
    {"id": "c", "name": "Three", "openingBalance": "-1"},
]


async def sent(house: House, client: InProcess, lines: list[dict[str, Any] | str] | None = None) -> str:
    viewer = await client.viewer()
    return await upload(house, as_json_lines(LINES if lines is None else lines), viewer=viewer)


async def test_an_import_is_followed_and_its_outcomes_are_paged(house: House) -> None:
    client = InProcess(house, house.admin.user_id)
    given = {"groupId": house.root, "uploadId": await sent(house, client), "skipInvalid": True}
    begun = (await client.done("bulkImport", PROGRESS, **given))["bulkImport"]
    assert (begun["phase"], begun["operation"]["state"]) == ("CHECKING", "RUNNING")
    assert (begun["lines"], begun["unprocessed"]) == (4, 4)
    await rested(house, begun["id"])
    ended = (await client.ask(FOLLOW, id=begun["id"]))["bulkImport"]
    assert (ended["phase"], ended["operation"]["state"]) == ("ENDED", "SUCCEEDED")
    assert [ended[name] for name in ("succeeded", "failed", "unprocessed", "checked")] == [2, 2, 0, 4]
    first = (await client.ask(OUTCOMES, id=begun["id"], first=3))["bulkImport"]["outcomes"]
    assert [(each["lineId"], each["outcome"]) for each in first["nodes"]] == [
        ("g", "SUCCEEDED"),
        ("a", "SUCCEEDED"),
        ("b", "FAILED"),
    ]
    assert [each["node"] and each["node"]["__typename"] for each in first["nodes"]] == ["Group", "Account", None]
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"]) == (4, True)
    after = first["pageInfo"]["endCursor"]
    rest = (await client.ask(OUTCOMES, id=begun["id"], first=3, after=after))["bulkImport"]["outcomes"]
    assert [each["lineId"] for each in rest["nodes"]] == ["c"]
    assert (rest["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasPreviousPage"]) == (False, True)
    failed = (await client.ask(OUTCOMES, id=begun["id"], outcome="FAILED"))["bulkImport"]["outcomes"]
    assert failed["totalCount"] == 2
    assert [each["problems"][0]["path"] for each in failed["nodes"]] == [["parentId"], ["openingBalance"]]


async def test_an_import_is_a_node_and_the_result_of_its_operation(house: House) -> None:
    client = InProcess(house, house.admin.user_id)
    begun = await client.done("bulkImport", PROGRESS, groupId=house.root, uploadId=await sent(house, client))
    node, operation = begun["bulkImport"]["id"], begun["operation"]["id"]
    document = "query($id: ID!, $of: ID!) { node(id: $id) { __typename id } operation(id: $of) { result { id } } }"
    found = await client.ask(document, id=node, of=operation)
    assert found == {"node": {"__typename": "BulkImport", "id": node}, "operation": {"result": {"id": node}}}


async def test_an_import_is_cancelled_and_gone_on_with(house: House) -> None:
    client = InProcess(house, house.admin.user_id)
    given = {"groupId": house.root, "uploadId": await sent(house, client, LINES[:2])}
    begun = (await client.done("bulkImport", PROGRESS, **given))["bulkImport"]
    stopped = (await client.done("cancelImport", PROGRESS, importId=begun["id"]))["bulkImport"]
    assert stopped["operation"] == {"id": begun["operation"]["id"], "state": "CANCELLED", "kind": "bulkImport"}
    await rested(house, begun["id"])
    assert (await client.ask(FOLLOW, id=begun["id"]))["bulkImport"]["unprocessed"] == 2
    again = await client.refused("cancelImport", importId=begun["id"])
    assert (again["code"], again["path"]) == ("CONFLICT", ["importId"])
    resumed = (await client.done("resumeImport", PROGRESS, importId=begun["id"]))["bulkImport"]
    assert resumed["operation"]["state"] == "RUNNING"
    await rested(house, begun["id"])
    ended = (await client.ask(FOLLOW, id=begun["id"]))["bulkImport"]
    assert (ended["succeeded"], ended["operation"]["state"]) == (2, "SUCCEEDED")
    assert (await client.refused("resumeImport", importId=begun["id"]))["code"] == "CONFLICT"


@pytest.mark.parametrize("role", ROLES)
async def test_who_may_import_and_who_may_not(house: House, role: str) -> None:
    client = await a_user(house, (role, house.root))
    asked = await client.do("bulkImport", PROGRESS, groupId=house.root, uploadId=await sent(house, client))
    admin = InProcess(house, house.admin.user_id)
    theirs = await admin.done("bulkImport", PROGRESS, groupId=house.root, uploadId=await sent(house, admin))
    their_id = theirs["bulkImport"]["id"]
    if role in SHAPING:
        assert asked["operation"]["state"] == "RUNNING"
        await client.done("cancelImport", PROGRESS, importId=their_id)
        assert (await client.ask(FOLLOW, id=their_id))["bulkImport"]["operation"]["state"] == "CANCELLED"
    else:
        assert asked["code"] == "FORBIDDEN"
        assert (await client.refused("cancelImport", importId=their_id))["code"] == "FORBIDDEN"
        assert (await client.ask(FOLLOW, id=their_id))["bulkImport"] is None
        assert (await admin.ask(FOLLOW, id=their_id))["bulkImport"]["operation"]["state"] == "RUNNING"
    assert (await client.refused("resumeImport", importId=their_id))["code"] == "FORBIDDEN"


async def test_what_is_hidden_is_not_found(house: House) -> None:
    admin = InProcess(house, house.admin.user_id)
    begun = await admin.done("bulkImport", PROGRESS, groupId=house.root, uploadId=await sent(house, admin))
    stranger = await a_user(house)
    own = await sent(house, stranger)
    hidden = await stranger.refused("bulkImport", groupId=house.root, uploadId=own)
    assert (hidden["code"], hidden["path"]) == ("NOT_FOUND", ["groupId"])
    for name in ("cancelImport", "resumeImport"):
        problem = await stranger.refused(name, importId=begun["bulkImport"]["id"])
        assert (problem["code"], problem["path"]) == ("NOT_FOUND", ["importId"])
    assert (await stranger.ask(FOLLOW, id=begun["bulkImport"]["id"]))["bulkImport"] is None
    manager = await a_user(house, ("MANAGER", house.root))
    problem = await manager.refused("bulkImport", groupId=house.root, uploadId=own)
    assert (problem["code"], problem["path"]) == ("NOT_FOUND", ["uploadId"])
