"""Users, their roles on nodes, and who may list them."""

from uuid import uuid4

import pytest

from tests.support.api import PASSWORD, InProcess, a_user
from tests.support.house import House, op

pytestmark = pytest.mark.anyio

USERS = """query($first: Int, $after: String) { users(first: $first, after: $after) {
  totalCount pageInfo { hasNextPage endCursor } nodes { username administrator disabled createdAt } } }"""
GRANTS = """query($id: ID!, $first: Int, $after: String) { grants(nodeId: $id, first: $first, after: $after) {
  totalCount pageInfo { hasNextPage hasPreviousPage endCursor } nodes { username role nodeId since } } }"""


@pytest.fixture
def admin(house: House) -> InProcess:
    return InProcess(house, house.admin.user_id)


def a_name() -> str:
    return f"user-{uuid4().hex[:12]}"


async def name_of(client: InProcess) -> str:
    viewer = await client.viewer()
    assert viewer is not None
    return viewer.username


def code_of(error: object) -> str:
    """The code of a GraphQL error, or of the refusal that it came from."""
    problems = getattr(getattr(error, "original_error", None), "problems", None)
    return problems[0].code if problems else getattr(error, "extensions")["code"]  # noqa: B009


async def test_a_user_is_created_once(admin: InProcess) -> None:
    same = {"operationId": op(), "username": a_name(), "password": PASSWORD}
    made = await admin.done("createUser", "username operation { id }", **same)
    assert made["username"] == same["username"]
    assert await admin.done("createUser", "username operation { id }", **same) == made
    other = await admin.refused("createUser", **{**same, "password": f"{PASSWORD}!"})
    assert other["code"] == "OPERATION_ID_REUSED"
    taken = await admin.refused("createUser", username=same["username"].upper(), password=PASSWORD)
    assert (taken["code"], taken["path"]) == ("INVALID_INPUT", ["username"])


@pytest.mark.parametrize("username", ["ab", "x" * 65, "a b c", "naïve", "tab\tname", ""])
async def test_a_bad_name_and_a_bad_password_are_told_at_once(admin: InProcess, username: str) -> None:
    problem = await admin.refused("createUser", username=username, password="short")
    assert [each["path"] for each in problem["problems"]] == [["username"], ["password"]]


async def test_users_are_listed_page_by_page_for_the_administrator_alone(admin: InProcess) -> None:
    names = [f"listed-{uuid4().hex[:6]}{end}" for end in "abc"]
    for name in names:
        await admin.done("createUser", "username", username=name, password=PASSWORD)
    found: list[str] = []
    after: str | None = None
    while True:
        page = (await admin.ask(USERS, first=100, after=after))["users"]
        found += [node["username"] for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert set(names) <= set(found)
    assert [name.casefold() for name in found] == sorted(name.casefold() for name in found)
    client = await a_user(admin.house, ("SUPER_ADMIN", admin.house.root))
    answer = await client.run(USERS, first=1)
    assert answer.data is None
    assert [code_of(error) for error in answer.errors] == ["FORBIDDEN"]


@pytest.mark.parametrize("arguments", [{"first": -1}, {"first": 101}, {"after": "garbled"}, {"after": ""}])
async def test_a_bad_page_of_users_is_refused(admin: InProcess, arguments: dict[str, object]) -> None:
    answer = await admin.run(USERS, **arguments)
    assert [code_of(error) for error in answer.errors] == ["BAD_USER_INPUT"]


async def test_the_roles_on_a_node_are_listed_for_those_who_grant_or_audit(admin: InProcess) -> None:
    house = admin.house
    group = await house.group("Below")
    auditor = await a_user(house, ("AUDITOR", group))
    manager = await a_user(house, ("MANAGER", group), ("VIEWER", house.root))
    names = {await name_of(auditor): "AUDITOR", await name_of(manager): "MANAGER"}
    found = (await auditor.ask(GRANTS, id=group))["grants"]
    assert {node["username"]: node["role"] for node in found["nodes"]} == names
    assert {node["nodeId"] for node in found["nodes"]} == {group}
    everything = (await admin.ask(GRANTS, id=group))["grants"]
    assert everything["totalCount"] == 3
    assert {node["nodeId"] for node in everything["nodes"]} == {group, house.root}
    first = (await admin.ask(GRANTS, id=group, first=1))["grants"]
    rest = (await admin.ask(GRANTS, id=group, after=first["pageInfo"]["endCursor"]))["grants"]
    assert [*first["nodes"], *rest["nodes"]] == everything["nodes"]
    assert first["pageInfo"]["hasNextPage"]
    assert rest["pageInfo"]["hasPreviousPage"]
    refused = await manager.run(GRANTS, id=group)
    assert [code_of(error) for error in refused.errors] == ["FORBIDDEN"]
    for node in (house.root, "grp_01ARZ3NDEKTSV4RRFFQ69G5FAV", "nonsense"):
        hidden = await auditor.run(GRANTS, id=node)
        assert [code_of(error) for error in hidden.errors] == ["NOT_FOUND"]


async def test_a_grant_that_is_there_stays_one(admin: InProcess) -> None:
    client = await a_user(admin.house, ("VIEWER", admin.house.root))
    given = {"username": await name_of(client), "nodeId": admin.house.root, "role": "VIEWER"}
    await admin.done("grant", **given)
    assert (await admin.ask(GRANTS, id=admin.house.root))["grants"]["totalCount"] == 1
    await admin.done("revoke", **given)
    assert (await admin.ask(GRANTS, id=admin.house.root))["grants"]["totalCount"] == 0


async def test_a_role_for_nobody_is_not_found(admin: InProcess) -> None:
    for username in ("nobody-of-this-name", "", "x" * 20_000, "a\u0000b"):
        problem = await admin.refused("grant", username=username, nodeId=admin.house.root, role="VIEWER")
        assert (problem["code"], problem["path"]) == ("NOT_FOUND", ["username"])


async def test_an_administrator_is_appointed_and_dismissed(admin: InProcess) -> None:
    client = await a_user(admin.house)
    name = await name_of(client)
    assert (await client.refused("createGroup", name="Mine"))["code"] == "FORBIDDEN"
    await admin.done("setAdministrator", "username", username=name, administrator=True)
    await client.done("createGroup", "group { id }", name="Mine")
    await admin.done("setAdministrator", "username", username=name, administrator=False)
    assert (await client.refused("createGroup", name="Mine"))["code"] == "FORBIDDEN"
