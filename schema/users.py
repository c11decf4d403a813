"""Who asks, the users, and the roles on a node."""

from typing import Annotated

import strawberry

from graph.database import Row
from resolvers import users
from resolvers.paging import PageArgs
from schema.enums import Role
from schema.fields import After, First, Info, described
from schema.scalars import DateTime
from schema.types.page import Connection, connection


@strawberry.type(description="Somebody who may sign in.")
class User:
    """Somebody who may sign in."""

    username: str = strawberry.field(description="The name. It is the same in any case of its letters.")
    administrator: bool = strawberry.field(description="Whether the user administers the installation.")
    disabled: bool = strawberry.field(description="Whether the user may not sign in.")
    created_at: DateTime = strawberry.field(description="When the user was created.")


@strawberry.type(description="A role that a user holds on a node and everything below it.")
class RoleGrant:
    """A role that a user holds on a node."""

    username: str = strawberry.field(description="The user's name.")
    role: Role = strawberry.field(description="The role.")
    node_id: strawberry.ID = strawberry.field(
        description="The node on which it was granted: the one that was asked for, or a group above it."
    )
    since: DateTime = strawberry.field(description="When it was granted.")


NodeId = Annotated[strawberry.ID, strawberry.argument(name="nodeId", description="A group or an account.")]


@strawberry.type
class UserQueries:
    """The queries about users and roles."""

    @described
    async def users(self, info: Info, first: First = 100, after: After = None) -> Connection[User]:
        """Every user, in order of their names; for the installation's administrator alone."""
        return connection(await users.page(info.context, PageArgs(first=first, after=after)), _user)

    @described
    async def grants(
        self, info: Info, node_id: NodeId, first: First = 100, after: After = None
    ) -> Connection[RoleGrant]:
        """The roles that hold on a node, the oldest first: granted on it, or on a group above where the viewer may
        read that too. Needs the right to grant or to audit there.
        """
        return connection(await users.granted_on(info.context, node_id, PageArgs(first=first, after=after)), _grant)


def _user(row: Row) -> User:
    return User(
        username=row["username"],
        administrator=row["administrator"],
        disabled=row["disabled"],
        created_at=row["createdAt"],
    )


def _grant(row: Row) -> RoleGrant:
    return RoleGrant(
        username=row["username"], role=Role(row["role"]), node_id=strawberry.ID(row["node"]), since=row["since"]
    )
