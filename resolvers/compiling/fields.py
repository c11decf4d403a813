"""What the compiler knows of the schema's types: which properties of a node make each field's value, and how."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from graph.compiled import Label
from graph.listing import Ordering


class Uncovered(Exception):
    """The executor has to answer this request: the compiler does not know a part of it, or something rare is met."""


@dataclass(frozen=True, slots=True)
class Value:
    """A field that is made of a node's own properties: `make` has them in this order.

    Where the field's type has fields itself, they are what is made's attributes of the same names.
    """

    properties: tuple[str, ...]
    make: Callable[..., Any] | None = None
    """None where the field is the one property as it is."""


@dataclass(frozen=True, slots=True)
class Children:
    """A field that is a page of the nodes directly in a group."""

    label: Label
    name: str
    """What its cursors are marked with."""
    ordering: Ordering
    size: int
    """How many nodes it has where the client says no number."""


@dataclass(frozen=True, slots=True)
class NodeType:
    """A type of the schema whose objects are nodes. `parent` is a field of each."""

    label: Label
    values: Mapping[str, Value]
    children: Mapping[str, Children] = field(default_factory=dict[str, Children])


def plain(*names: str) -> dict[str, Value]:
    """Fields that are the properties of the same names."""
    return {name: Value((name,)) for name in names}
