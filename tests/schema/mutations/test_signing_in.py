"""Sessions: begun by name and password, slowed down where somebody guesses, and ended one by one."""

import asyncio
from uuid import uuid4

import pytest

from services.guard import FREE_FAILURES, MOST_WAITING
from tests.support.api import PASSWORD, InProcess, a_user
from tests.support.house import House, op

pytestmark = pytest.mark.anyio

SIGN_IN = """mutation($input: SignInInput!) { signIn(input: $input) {
  __typename ... on SignInPayload { accessToken expiresAt } ... on Problem { code message path } } }"""
WHO = "{ viewer { username administrator } }"


async def sign_in(client: InProcess, username: str, password: str = PASSWORD) -> dict[str, str]:
    return (await client.ask(SIGN_IN, input={"username": username, "password": password}))["signIn"]


async def session(client: InProcess, username: str) -> InProcess:
    """A client in a new session of the user."""
    opened = await sign_in(client, username)
    return InProcess(client.house, token=opened["accessToken"])


@pytest.fixture
def stranger(house: House) -> InProcess:
    return InProcess(house)


@pytest.fixture
async def username(house: House) -> str:
    name = f"user-{uuid4().hex[:12]}"
    await a_user(house, username=name)
    return name


async def test_a_created_user_signs_in_at_once_in_any_case(stranger: InProcess, username: str) -> None:
    client = await session(stranger, username.upper())
    assert (await client.ask(WHO))["viewer"] == {"username": username, "administrator": False}


async def test_a_wrong_name_and_a_wrong_password_are_told_alike(stranger: InProcess, username: str) -> None:
    wrong = await sign_in(stranger, username, "another long password")
    unknown = await sign_in(stranger, f"nobody-{uuid4().hex}", "another long password")
    assert wrong == unknown
    assert wrong["__typename"] == "Unauthenticated"
    for name, password in (("", ""), ("x" * 30_000, "y" * 30_000), ("a\u0000b", PASSWORD), (f"{username} ", PASSWORD)):
        assert await sign_in(stranger, name, password) == wrong


async def test_sign_out_ends_this_session_alone(stranger: InProcess, username: str) -> None:
    one, two = await session(stranger, username), await session(stranger, username)
    assert await one.ask("mutation { signOut }") == {"signOut": True}
    assert await one.viewer() is None
    assert (await one.run("mutation { signOut }")).errors
    assert (await two.ask(WHO))["viewer"]["username"] == username


async def test_nothing_is_done_after_the_sign_out_of_a_document(house: House, username: str) -> None:
    admin = InProcess(house, house.admin.user_id)
    await admin.done("grant", username=username, nodeId=house.root, role="MANAGER")
    client = await session(InProcess(house), username)
    document = """mutation($input: CreateGroupInput!) { signOut createGroup(input: $input) {
      ... on Problem { code } } }"""
    data = await client.ask(document, input={"operationId": op(), "name": "Late", "parentId": house.root})
    assert data == {"signOut": True, "createGroup": {"code": "UNAUTHENTICATED"}}


async def test_a_disabled_users_sessions_end_at_once(house: House, username: str) -> None:
    admin, stranger = InProcess(house, house.admin.user_id), InProcess(house)
    client = await session(stranger, username)
    await admin.done("setUserDisabled", "username", username=username, disabled=True)
    assert await client.viewer() is None
    assert (await sign_in(stranger, username))["code"] == "UNAUTHENTICATED"
    await admin.done("setUserDisabled", "username", username=username, disabled=False)
    assert await client.viewer() is None
    assert await (await session(stranger, username)).viewer() is not None


async def test_a_new_password_ends_every_other_session(stranger: InProcess, username: str) -> None:
    one, two = await session(stranger, username), await session(stranger, username)
    problem = await one.refused("changePassword", currentPassword="wrong one", newPassword="the new password")
    assert (problem["code"], problem["path"]) == ("FORBIDDEN", ["currentPassword"])
    problem = await one.refused("changePassword", currentPassword=PASSWORD, newPassword="short")
    assert (problem["code"], problem["path"]) == ("INVALID_INPUT", ["newPassword"])
    assert await two.viewer() is not None
    same = {"operationId": op(), "currentPassword": PASSWORD, "newPassword": "the new password"}
    done = await one.done("changePassword", "username operation { id state }", **same)
    assert done["username"] == username
    assert await one.viewer() is not None
    assert await two.viewer() is None
    assert (await sign_in(stranger, username))["code"] == "UNAUTHENTICATED"
    assert "accessToken" in await sign_in(stranger, username, "the new password")
    assert await one.done("changePassword", "username operation { id state }", **same) == done


async def guess(client: InProcess, name: str, times: int = FREE_FAILURES) -> None:
    """Fails to sign in by a name so often."""
    for _ in range(times):
        assert (await sign_in(client, name, "another long password"))["code"] == "UNAUTHENTICATED"


async def test_a_name_that_failed_often_waits_behind_others(stranger: InProcess, username: str) -> None:
    await guess(stranger, username)
    order: list[str] = []

    async def arrive(name: str) -> None:
        await sign_in(stranger, name, "another long password")
        order.append(name)

    await asyncio.gather(arrive(username), arrive("somebody-else"))
    assert order == ["somebody-else", username]
    assert "accessToken" in await sign_in(stranger, username)


async def test_those_who_wait_are_bounded(stranger: InProcess, username: str) -> None:
    await guess(stranger, username)
    waiting = [asyncio.create_task(sign_in(stranger, username)) for _ in range(MOST_WAITING + 1)]
    done, pending = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    assert [task.result()["code"] for task in done] == ["LIMIT_EXCEEDED"]
    assert len(pending) == MOST_WAITING
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
