"""createGroup, updateGroup and closeGroup."""

from typing import Annotated, TypeAlias

import strawberry
from strawberry import ID, UNSET

from graph.database import Row
from resolvers.context import Context
from schema.fields import Info
from schema.mutations import objects
from schema.mutations.answers import Given, OperationInput, UsualProblem, VersionProblem, answer
from schema.types.group import Group
from schema.types.operation import Operation
from services.groups import CloseGroup, CreateGroup, UpdateGroup


@strawberry.input(description="A new group.")
class CreateGroupInput(OperationInput):
    """createGroup's input."""

    name: str = strawberry.field(description="Its name: 1 to 200 characters without control characters.")
    parent_id: ID | None = strawberry.field(
        description="The group that it comes into; none makes a tenant, which the installation's administrator may.",
        default=UNSET,
    )


@strawberry.type(description="The group that was created.")
class CreateGroupPayload:
    """createGroup's payload."""

    group: Group = strawberry.field(description="The new group.")
    operation: Operation = strawberry.field(description="The operation that created it.")


CreateGroupResult: TypeAlias = Annotated[
    CreateGroupPayload | UsualProblem,
    strawberry.union("CreateGroupResult", description="A new group, or what stands in its way."),
]


@strawberry.input(description="Another name for a group.")
class UpdateGroupInput(OperationInput):
    """updateGroup's input."""

    id: ID = strawberry.field(description="The group.")
    version: int = strawberry.field(description="The version of the group that the caller saw.")
    name: str = strawberry.field(description="Its new name: 1 to 200 characters without control characters.")


@strawberry.input(description="A group that is closed for good.")
class CloseGroupInput(OperationInput):
    """closeGroup's input."""

    id: ID = strawberry.field(description="The group. Nothing open may be in it.")
    version: int = strawberry.field(description="The version of the group that the caller saw.")
    reason: str = strawberry.field(description="Why: 1 to 2,000 characters.")


@strawberry.type(description="The group that was changed.")
class UpdateGroupPayload:
    """updateGroup's and closeGroup's payload."""

    group: Group | None = strawberry.field(description="The group; null while its operation waits for approval.")
    operation: Operation = strawberry.field(description="The operation that changed it.")


UpdateGroupResult: TypeAlias = Annotated[
    UpdateGroupPayload | VersionProblem,
    strawberry.union("UpdateGroupResult", description="A changed group, or what stands in its way."),
]


@strawberry.type
class GroupMutations:
    """The mutations of groups."""

    @strawberry.mutation(
        description="Creates a group below another one, or a tenant of its own. Needs the right to create there."
    )
    async def create_group(self, info: Info, given: Given[CreateGroupInput]) -> CreateGroupResult:
        """Creates a group."""
        return await answer(info.context, CreateGroup, given, _created)

    @strawberry.mutation(description="Renames a group. Needs the right to update it.")
    async def update_group(self, info: Info, given: Given[UpdateGroupInput]) -> UpdateGroupResult:
        """Renames a group."""
        return await answer(info.context, UpdateGroup, given, _updated)

    @strawberry.mutation(
        description="Closes a group for good: nothing comes into it any more. Needs the right to update it."
    )
    async def close_group(self, info: Info, given: Given[CloseGroupInput]) -> UpdateGroupResult:
        """Closes a group."""
        return await answer(info.context, CloseGroup, given, _updated)


async def _created(context: Context, operation: Row) -> CreateGroupPayload:
    group = await objects.required(objects.group(context, operation["payload"].get("group")))
    return CreateGroupPayload(group=group, operation=objects.operation(operation))


async def _updated(context: Context, operation: Row) -> UpdateGroupPayload:
    group = await objects.group(context, operation["payload"].get("group"))
    return UpdateGroupPayload(group=group, operation=objects.operation(operation))
