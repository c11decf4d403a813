"""Roles as sets of permissions, and what a viewer may do where."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Permission(StrEnum):
    """One thing that a role allows on a node and everything below it."""

    READ = "READ"
    POST = "POST"
    TRADE = "TRADE"
    CORRECT = "CORRECT"
    CREATE = "CREATE"
    UPDATE = "UPDATE"
    MOVE = "MOVE"
    CONFIGURE = "CONFIGURE"
    FORK = "FORK"
    MERGE = "MERGE"
    DECIDE = "DECIDE"
    GRANT = "GRANT"
    AUDIT = "AUDIT"


class Role(StrEnum):
    """The roles of core.graphql."""

    VIEWER = "VIEWER"
    OPERATOR = "OPERATOR"
    MANAGER = "MANAGER"
    ADMIN = "ADMIN"
    AUDITOR = "AUDITOR"
    SUPER_ADMIN = "SUPER_ADMIN"


_OPERATOR = frozenset({Permission.READ, Permission.POST, Permission.TRADE})
_MANAGER = _OPERATOR | {
    Permission.CORRECT,
    Permission.CREATE,
    Permission.UPDATE,
    Permission.MOVE,
    Permission.CONFIGURE,
    Permission.FORK,
    Permission.MERGE,
    Permission.DECIDE,
}
ALL = frozenset(Permission)
PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.VIEWER: frozenset({Permission.READ}),
    Role.OPERATOR: _OPERATOR,
    Role.MANAGER: _MANAGER,
    Role.ADMIN: _MANAGER | {Permission.AUDIT},
    Role.AUDITOR: frozenset({Permission.READ, Permission.AUDIT}),
    Role.SUPER_ADMIN: ALL,
}


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks: a signed-in user, whether they administer the installation, and their roles by granted node.

    `tenant` is the root of one of these nodes, where it was read: no right follows from it.
    """

    user_id: str
    username: str
    administrator: bool
    session_id: str | None
    grants: Mapping[str, frozenset[Role]] = field(default_factory=dict[str, frozenset[Role]])
    tenant: str | None = field(default=None, compare=False)

    def permissions(self, path: Iterable[str]) -> frozenset[Permission]:
        """What the viewer may do on the node whose ids up to its root are `path`; empty where it is hidden."""
        if self.administrator:
            return ALL
        held: frozenset[Permission] = frozenset()
        for node_id in path:
            for role in self.grants.get(node_id, ()):
                held |= PERMISSIONS[role]
        return held

    def sees(self, path: Iterable[str]) -> bool:
        """Whether the node at `path` is in the viewer's scope."""
        return Permission.READ in self.permissions(path)
