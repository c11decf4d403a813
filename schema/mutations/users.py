"""createUser, changePassword, setUserDisabled and setAdministrator."""

from typing import Annotated, TypeAlias

import strawberry

from graph.database import Row
from resolvers.context import Context
from schema.fields import Info
from schema.mutations import objects
from schema.mutations.answers import Given, OperationInput, UsualProblem, answer
from schema.types.operation import Operation
from services.users import ChangePassword, CreateUser, SetAdministrator, SetUserDisabled


@strawberry.input(description="A new user, who may sign in at once and sees nothing yet.")
class CreateUserInput(OperationInput):
    """createUser's input."""

    username: str = strawberry.field(
        description="The name: 3 to 64 letters, digits or . _ @ -; names differ by more than their case."
    )
    password: str = strawberry.field(description="The password: 12 to 128 characters.")


@strawberry.input(description="Another password of the caller's own.")
class ChangePasswordInput(OperationInput):
    """changePassword's input."""

    current_password: str = strawberry.field(description="The password that holds now.")
    new_password: str = strawberry.field(description="The new one: 12 to 128 characters.")


@strawberry.input(description="Whether a user may sign in.")
class SetUserDisabledInput(OperationInput):
    """setUserDisabled's input."""

    username: str = strawberry.field(description="The user.")
    disabled: bool = strawberry.field(
        description="True ends the user's sessions at once; false lets them sign in again."
    )


@strawberry.input(description="Whether a user administers the installation.")
class SetAdministratorInput(OperationInput):
    """setAdministrator's input."""

    username: str = strawberry.field(description="The user.")
    administrator: bool = strawberry.field(description="Whether they administer it.")


@strawberry.type(description="The user that was created.")
class CreateUserPayload:
    """createUser's payload."""

    username: str = strawberry.field(description="The user's name.")
    operation: Operation = strawberry.field(description="The operation that created the user.")


@strawberry.type(description="The user that was changed.")
class ChangeUserPayload:
    """The payload of every change of a user."""

    username: str = strawberry.field(description="The user's name.")
    operation: Operation = strawberry.field(description="The operation that changed the user.")


CreateUserResult: TypeAlias = Annotated[
    CreateUserPayload | UsualProblem,
    strawberry.union("CreateUserResult", description="A new user, or what stands in the way."),
]
ChangeUserResult: TypeAlias = Annotated[
    ChangeUserPayload | UsualProblem,
    strawberry.union("ChangeUserResult", description="A changed user, or what stands in the way."),
]


@strawberry.type
class UserMutations:
    """The mutations of users."""

    @strawberry.mutation(description="Creates a user. The installation's administrator alone may.")
    async def create_user(self, info: Info, given: Given[CreateUserInput]) -> CreateUserResult:
        """Creates a user."""
        return await answer(info.context, CreateUser, given, _created)

    @strawberry.mutation(description="Changes the caller's own password; every other session of theirs ends.")
    async def change_password(self, info: Info, given: Given[ChangePasswordInput]) -> ChangeUserResult:
        """Changes the caller's password."""
        return await answer(info.context, ChangePassword, given, _changed)

    @strawberry.mutation(
        description="Disables a user, whose sessions end at once, or enables them again. The installation's"
        " administrator alone may; the last one cannot be disabled."
    )
    async def set_user_disabled(self, info: Info, given: Given[SetUserDisabledInput]) -> ChangeUserResult:
        """Disables or enables a user."""
        return await answer(info.context, SetUserDisabled, given, _changed)

    @strawberry.mutation(
        description="Makes a user an administrator of the installation, or takes that from them. The installation's"
        " administrator alone may; the last one cannot be removed."
    )
    async def set_administrator(self, info: Info, given: Given[SetAdministratorInput]) -> ChangeUserResult:
        """Appoints or dismisses an administrator."""
        return await answer(info.context, SetAdministrator, given, _changed)


async def _created(_: Context, operation: Row) -> CreateUserPayload:
    return CreateUserPayload(username=operation["payload"]["username"], operation=objects.operation(operation))


async def _changed(_: Context, operation: Row) -> ChangeUserPayload:
    return ChangeUserPayload(username=operation["payload"]["username"], operation=objects.operation(operation))
