"""Who the caller is, and what they may do where."""

from collections.abc import Sequence
from dataclasses import dataclass

from resolvers import nodes, scope
from resolvers.context import Context
from resolvers.nodes import Found
from services.permissions import PERMISSIONS, Role


@dataclass(frozen=True, slots=True)
class Grant:
    """A role on a node, with what it allows."""

    role: Role
    node: Found

    @property
    def permissions(self) -> Sequence[str]:
        """What the role allows, sorted."""
        return sorted(permission.value for permission in PERMISSIONS[self.role])


async def grants(context: Context) -> Sequence[Grant]:
    """The caller's roles, in order of node id and role."""
    pairs = sorted((node, role) for node, roles in context.caller.grants.items() for role in roles)
    found = await nodes.find_all(context, [node for node, _ in pairs])
    return [Grant(role, node) for (_, role), node in zip(pairs, found, strict=True) if node is not None]


async def permissions(context: Context, node_id: str) -> Sequence[str]:
    """What the caller may do on a group, account or template, sorted; nothing where they see none of this id."""
    found = await scope.place(context, node_id)
    held = context.caller.permissions(found.path) if found is not None else ()
    return sorted(permission.value for permission in held)
