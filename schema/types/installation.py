"""The installation as its administrator sees it."""

import strawberry

from graph.database import Row
from graph.ids import Kind
from schema.types.node import Node, register


@strawberry.type(
    description="The installation itself. Its feed holds what belongs to no tenant: users, sign-ins, refusals of what"
    " does not exist for the caller. Its administrator alone sees it."
)
class Installation(Node):
    """The installation itself."""


def installation(row: Row) -> Installation:
    """The installation."""
    return Installation(id=row["id"])


register(Kind.INSTALLATION, Installation, installation)
