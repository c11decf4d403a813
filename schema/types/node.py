"""The interface of everything that has an id of its own, and the types that implement it."""

from collections.abc import Callable
from typing import TypeVar

import strawberry

from graph.database import Row
from graph.ids import Kind


@strawberry.interface(description="Anything that has an id of its own; `node(id)` finds it again.")
class Node:
    """Anything that has an id of its own."""

    id: strawberry.ID = strawberry.field(description="The id, unique in the installation. It never changes.")


NODE_TYPES: dict[Kind, type[Node]] = {}
_MAKERS: dict[Kind, Callable[[Row], Node]] = {}
N = TypeVar("N", bound=Node)


def register(kind: Kind, node_type: type[N], make: Callable[[Row], N]) -> None:
    """Says which type shows the nodes of this kind. Every kind is registered once, by its type's own module."""
    assert kind not in NODE_TYPES, f"{kind.name} has one type"
    NODE_TYPES[kind] = node_type
    _MAKERS[kind] = make


def node_of(kind: Kind, row: Row) -> Node:
    """The node of this kind with these properties, as clients see it."""
    return _MAKERS[kind](row)
