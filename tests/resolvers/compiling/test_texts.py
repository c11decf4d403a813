"""Reads of the same shape have the same Cypher, however they are written, so that the engines' plan caches hit."""

import random
from itertools import count
from typing import Any

from accountgraph.documents import Documents, graphql_schema
from accountgraph.limits import Limits
from graph.ids import Kind, new_id
from resolvers.compiling.plan import Bound, Compiled
from schema.compiled import COMPILED
from tests.support.reads import schema
from tests.support.size import seed

SHAPES, OPERATIONS, MOST_TEXTS = 20, 1_000, 50
LEAVES = {
    "Account": ["id", "name", "kind", "tier", "status", "currency", "version", "cash { amount }", "metadata"],
    "Group": ["id", "name", "version", "locks", "createdAt", "closedAt"],
}
Shape = tuple[str, list[str], dict[str, "Shape"]]
"""A type, the fields of its own that are asked for, and what is asked of its neighbours."""


def a_shape(dice: random.Random, kind: str, depth: int) -> Shape:
    """What may be asked of a node."""
    near = ["parent"] if kind == "Account" else ["parent", "accounts", "groups"]
    chosen = [name for name in near if depth and dice.random() < 0.5]
    below = {name: a_shape(dice, "Account" if name == "accounts" else "Group", depth - 1) for name in chosen}
    return kind, sorted(dice.sample(LEAVES[kind], dice.randint(1, 4))), below


class Writing:
    """Writes operations of given shapes in many ways."""

    def __init__(self, dice: random.Random) -> None:
        self._dice, self._number = dice, count()
        self._fragments: list[str] = []
        self._given: dict[str, Any] = {}

    def operation(self, shape: Shape) -> tuple[str, dict[str, Any]]:
        """A document, and its variables."""
        self._fragments, self._given = [], {}
        kind = shape[0]
        node_id = new_id(Kind.ACCOUNT if kind == "Account" else Kind.GROUP)
        root = f"{self._alias()}{kind.lower()}(id: {self._value('ID!', node_id)}) {self._selection(shape)}"
        named = ", ".join(f"{name}: {'ID!' if name == '$id' else 'Int'}" for name in self._given)
        document = f"query Q{next(self._number)}{f'({named})' if named else ''} {{ {root} }} "
        return document + " ".join(self._fragments), {name[1:]: value for name, value in self._given.items()}

    def _alias(self) -> str:
        return f"a{next(self._number)}: " if self._dice.random() < 0.5 else ""

    def _value(self, kind: str, value: str | int) -> str:
        if self._dice.random() < 0.5:
            return f'"{value}"' if isinstance(value, str) else str(value)
        name = "$id" if kind == "ID!" else f"$n{next(self._number)}"
        self._given[name] = value
        return name

    def _selection(self, shape: Shape) -> str:
        kind, leaves, below = shape
        dice = self._dice
        fields = [f"{self._alias()}{leaf}" for leaf in leaves] + ["__typename"] * dice.randint(0, 1)
        fields += [f"{self._alias()}{dice.choice(leaves)}" for _ in range(dice.randint(0, 2))]
        fields += [self._near(name, each) for name, each in below.items()]
        dice.shuffle(fields)
        cut = dice.randint(0, len(fields) - 1)
        if cut and dice.random() < 0.5:
            apart = f"... on {kind} {{ {' '.join(fields[:cut])} }}"
            if dice.random() < 0.5:
                name = f"F{next(self._number)}"
                self._fragments.append(f"fragment {name}{apart[3:]}")
                apart = f"...{name}"
            fields = [apart, *fields[cut:]]
        return f"{{ {' '.join(fields)} }}"

    def _near(self, name: str, shape: Shape) -> str:
        inside = self._selection(shape)
        if name == "parent":
            return f"{self._alias()}parent {inside}"
        size = f"(first: {self._value('Int', self._dice.randint(0, 3))})" if self._dice.random() < 0.7 else ""
        page = self._dice.choice((f"nodes {inside}", f"edges {{ cursor node {inside} }} pageInfo {{ endCursor }}"))
        return f"{self._alias()}{name}{size} {{ {page} }}"


def bound(documents: Documents, text: str, variables: dict[str, Any]) -> Bound:
    """The operation with its variables, compiled."""
    operation = documents.read(text).operation(None)
    return Compiled(documents.schema, COMPILED, operation.node, operation.fragments).bind(variables)


def test_a_thousand_operations_of_twenty_shapes_have_at_most_fifty_texts() -> None:
    dice = random.Random(seed())
    documents = Documents(schema(), Limits(depth=50, nodes=10**9))
    assert documents.schema is graphql_schema(schema())
    shapes = [a_shape(dice, dice.choice(("Account", "Group", "Group")), 3) for _ in range(SHAPES)]
    writing = Writing(dice)
    asked = [writing.operation(shapes[number % SHAPES]) for number in range(OPERATIONS)]
    assert len({text for text, _ in asked}) == OPERATIONS
    for text, _ in asked[:SHAPES]:
        documents.validate(documents.read(text))
    texts = {bound(documents, *each).query.text for each in asked}
    assert SHAPES // 2 < len(texts) <= MOST_TEXTS
