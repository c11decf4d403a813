"""The caller, as they see themselves."""

from typing import Annotated

import strawberry

from resolvers import viewer as callers
from schema.enums import Permission, Role
from schema.fields import Info, described
from schema.types.node import Node, node_of


@strawberry.type(description="A role that was granted on a node and holds for its whole subtree.")
class Grant:
    """A role on a node."""

    node: Node = strawberry.field(description="The group or account that it was granted on.")
    role: Role = strawberry.field(description="The role.")
    permissions: list[Permission] = strawberry.field(description="What the role allows there and below.")


@strawberry.type(description="Who asks, and what they may do where.")
class Viewer:
    """Who asks."""

    id: strawberry.ID = strawberry.field(description="The user's id.")
    username: str = strawberry.field(description="The name that they sign in with.")
    administrator: bool = strawberry.field(
        description="Whether they administer the installation, and so may do everything everywhere."
    )

    @described
    async def grants(self, info: Info) -> list[Grant]:
        """The roles that they were granted. Roles add up; an administrator needs none."""
        return [grant(found) for found in await callers.grants(info.context)]

    @described
    async def permissions(
        self,
        info: Info,
        node_id: Annotated[strawberry.ID, strawberry.argument(name="id", description="The node's id.")],
    ) -> list[Permission]:
        """What they may do on a group, an account or a template; nothing where they see none of this id."""
        return [Permission(name) for name in await callers.permissions(info.context, node_id)]


def grant(found: callers.Grant) -> Grant:
    """The grant."""
    return Grant(
        node=node_of(*found.node),
        role=Role(found.role.value),
        permissions=[Permission(name) for name in found.permissions],
    )
