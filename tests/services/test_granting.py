"""Roles of users who are disabled: taken back like any other's, and not granted."""

import pytest

from graph import users
from services.granting import Grant, Revoke
from services.permissions import Role, Viewer
from services.problems import ProblemCode, Refused
from services.users import SetUserDisabled
from tests.support.house import House, op
from tests.support.trading import a_viewer

pytestmark = pytest.mark.anyio


async def disable(house: House, viewer: Viewer, *, disabled: bool = True) -> None:
    """Disables the user, or enables them again."""
    await house.do(SetUserDisabled(operation_id=op(), username=viewer.username, disabled=disabled))


def taken_back(house: House, viewer: Viewer) -> Revoke:
    """The command that takes the role of a manager of the tenant back."""
    return Revoke(operation_id=op(), username=viewer.username, node_id=house.root, role=Role.MANAGER)


async def test_a_role_of_a_disabled_user_is_revoked_and_stays_so(house: House) -> None:
    clerk = await a_viewer(house, house.root, Role.MANAGER)
    await disable(house, clerk)
    await house.do(taken_back(house, clerk))
    with pytest.raises(Refused) as refused:
        await house.do(taken_back(house, clerk))
    assert [problem.path for problem in refused.value.problems] == [("role",)]
    await disable(house, clerk, disabled=False)
    row = await users.by_id(house.desk.database, clerk.user_id)
    assert row is not None
    assert row["grants"] == []


async def test_nothing_is_granted_to_a_disabled_user(house: House) -> None:
    clerk = await a_viewer(house, house.root, Role.VIEWER)
    await disable(house, clerk)
    with pytest.raises(Refused) as refused:
        await house.do(Grant(operation_id=op(), username=clerk.username, node_id=house.root, role=Role.MANAGER))
    assert [(problem.code, problem.path) for problem in refused.value.problems] == [
        (ProblemCode.NOT_FOUND, ("username",))
    ]


async def test_a_role_that_is_held_already_is_granted_again_without_an_effect(house: House) -> None:
    clerk = await a_viewer(house, house.root, Role.VIEWER)
    await house.do(Grant(operation_id=op(), username=clerk.username, node_id=house.root, role=Role.VIEWER))
    row = await users.by_id(house.desk.database, clerk.user_id)
    assert row is not None
    assert row["grants"] == [(house.root, "VIEWER")]
