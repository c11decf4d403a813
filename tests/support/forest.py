"""A model of trees and of what was done to them: what each node was at an instant, and when it changed itself."""

from bisect import bisect_right
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Generic, TypeVar

from graph import clock

T = TypeVar("T")
KEY = "custom.desk"
"""The setting that some accounts have and some groups lock."""
ALWAYS = ""
"""Before every instant."""


class Timeline(Generic[T]):
    """A value that changes: what it was when."""

    def __init__(self, value: T) -> None:
        self._instants = [ALWAYS]
        self._values = [value]

    def set(self, at: str, value: T) -> None:
        """The value from this instant on, which is later than those before."""
        self._instants.append(at)
        self._values.append(value)

    def at(self, instant: str) -> T:
        """The value at an instant."""
        return self._values[bisect_right(self._instants, instant) - 1]

    @property
    def last(self) -> T:
        """The value now."""
        return self._values[-1]


@dataclass(slots=True, kw_only=True, eq=False)
class Node:
    """A group or an account. `made` is its createdAt; a group has none of an account's fields."""

    id: str
    root: str
    made: str
    name: Timeline[str]
    account: bool = False
    kind: str = ""
    tier: str | None = None
    currency: str = ""
    configured: bool = False
    """Whether it has a setting of its own for KEY, or, a group, locks it."""
    planted: bool = True
    cash: Timeline[Decimal] = field(default_factory=lambda: Timeline(Decimal(0)))
    status: Timeline[str] = field(default_factory=lambda: Timeline("ACTIVE"))
    changes: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """From when till when it was changed, as the caller saw it."""
    parts: "list[Node]" = field(default_factory=list["Node"])
    """The components of a COMPOSITE account."""
    busy: bool = False

    def still(self, start: str, end: str) -> bool:
        """Whether nothing changed it, or what it consists of, in this time."""
        apart = all(till < start or since > end for since, till in self.changes)
        return self.made < start and apart and all(part.still(start, end) for part in self.parts)

    def cash_at(self, instant: str) -> Decimal:
        """The posted cash at an instant."""
        return self.cash.at(instant) + sum(part.cash.at(instant) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Asked:
    """A move that was asked for, from when till when, and whether it was done."""

    node: str
    parent: str
    start: str
    end: str
    done: bool


@dataclass(slots=True)
class Tree:
    """A tenant: its root, its nodes by id, and every move that was asked for."""

    root: str
    nodes: dict[str, Node] = field(default_factory=dict[str, Node])
    moves: list[Asked] = field(default_factory=list[Asked])
    planted_at: str = ALWAYS

    def groups(self) -> list[Node]:
        """The groups that were planted."""
        return [node for node in self.nodes.values() if not node.account and node.planted]

    def accounts(self) -> list[Node]:
        """The accounts that were planted."""
        return [node for node in self.nodes.values() if node.account and node.planted]

    def add(self, made: dict[str, Any], **given: Any) -> Node:
        """Adds a node by the `id`, `name` and `createdAt` that the API says of it."""
        name = Timeline[str](made["name"])
        node = Node(id=made["id"], root=self.root, made=made["createdAt"], name=name, **given)
        self.nodes[node.id] = node
        return node


def now() -> str:
    """The present instant, as the graph writes them."""
    return clock.to_text(clock.now())


@contextmanager
def changing(node: Node) -> Generator[None]:
    """Notes that the node changes meanwhile."""
    start = now()
    try:
        yield
    finally:
        node.changes.append((start, now()))
