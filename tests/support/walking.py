"""Walks through the pages of accounts and groups, and what each must have met."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.support.api import Api
from tests.support.forest import Node, Tree, now
from tests.support.growth import Growth, Parents, subtree

Test = Callable[[Node, str], bool]
Key = Callable[[Node, str], tuple[Any, ...]]
INFO = "edges { node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
ACCOUNTS = f"""
query($where: AccountFilter, $orderBy: AccountOrder, $first: Int, $after: String, $last: Int, $before: String) {{
  list: accounts(where: $where, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before)
  {{ {INFO} }} }}"""
BELOW = f"""
query($id: ID!, $where: AccountFilter, $first: Int, $after: String, $subtree: Boolean) {{
  group(id: $id) {{ list: accounts(where: $where, first: $first, after: $after, subtree: $subtree) {{ {INFO} }} }} }}"""
GROUPS = f"""
query($id: ID!, $first: Int, $after: String) {{
  group(id: $id) {{ list: groups(first: $first, after: $after) {{ {INFO} }} }} }}"""
TENANTS = f"query($first: Int, $after: String) {{ list: groups(first: $first, after: $after) {{ {INFO} }} }}"


def _all(_node: Node, _at: str) -> bool:
    return True


FILTERS: list[tuple[dict[str, Any] | None, Test]] = [
    (None, _all),
    ({"tier": ["GEN", "REV"]}, lambda node, _at: node.tier in {"GEN", "REV"}),
    ({"kind": ["INDIVIDUAL"], "status": ["ACTIVE"]},
     lambda node, at: node.kind == "INDIVIDUAL" and node.status.at(at) == "ACTIVE"),
    ({"nameContains": "R"}, lambda node, at: "r" in node.name.at(at).lower()),
    ({"minCash": "100", "maxCash": "3000"}, lambda node, at: 100 <= node.cash_at(at) <= 3_000),
    ({"not": {"tier": ["COM"]}, "or": [{"simulated": True}, {"maxCash": "0"}]},
     lambda node, at: node.tier != "COM" and node.cash_at(at) == 0),
]  # fmt: skip
KEYS: dict[str, Key] = {
    "CREATED_AT": lambda node, _at: (node.made, node.id),
    "NAME": lambda node, at: (node.name.at(at), node.id),
    "CASH": lambda node, at: (node.cash_at(at), node.id),
}


@dataclass(slots=True, kw_only=True)
class Walk:
    """What is walked through, and, afterwards, what it met from when till when."""

    document: str
    group: str | None = None
    """The group that the list is of, or whose subtree it is within; None for all that there is."""
    direct: bool = False
    where: int = 0
    field: str = "CREATED_AT"
    down: bool = False
    backward: bool = False
    met: list[str]
    start: str = ""
    end: str = ""

    async def go(self, api: Api, chance: random.Random) -> None:
        """Walks from the first page on, or from the last page back, each of a random size."""
        cursor, more, given = None, True, self._given()
        self.start = now()
        largest = chance.choice((3, 10, 100) if self.group else (100,))
        while more:
            size = chance.randint(1, largest)
            window = {"last": size, "before": cursor} if self.backward else {"first": size, "after": cursor}
            data = await api.ask(self.document, **given, **window)
            found = data.get("group", data)["list"]
            here = [edge["node"]["id"] for edge in found["edges"]]
            assert len(here) <= size
            self.met = here + self.met if self.backward else self.met + here
            info = found["pageInfo"]
            more = info["hasPreviousPage" if self.backward else "hasNextPage"]
            assert here or not more, "a page that is not the last one has something on it"
            cursor = info["startCursor" if self.backward else "endCursor"]
        self.end = now()

    def _given(self) -> dict[str, Any]:
        where = FILTERS[self.where][0]
        if self.document == ACCOUNTS:
            within = {} if self.group is None else {"within": self.group}
            order = {"field": self.field, "order": "DESC" if self.down else "ASC"}
            return {"where": {**(where or {}), **within}, "orderBy": order}
        if self.document == BELOW:
            return {"id": self.group, "where": where, "subtree": not self.direct}
        return {"id": self.group} if self.document == GROUPS else {}


def some_walk(chance: random.Random, trees: list[Tree]) -> Walk:
    """A random walk: of all accounts, of a subtree or a group, or of groups, in some order and with some filter."""
    document = chance.choice((ACCOUNTS, ACCOUNTS, ACCOUNTS, BELOW, BELOW, GROUPS, TENANTS))
    if document == TENANTS:
        return Walk(document=document, met=[])
    tree = chance.choice(trees)
    group = tree.root if chance.random() < 0.5 else chance.choice(tree.groups()).id
    where = chance.randrange(len(FILTERS)) if chance.random() < 0.5 else 0
    if document == GROUPS:
        return Walk(document=document, group=group, direct=True, met=[])
    if document == BELOW:
        return Walk(document=document, group=group, direct=chance.random() < 0.3, where=where, met=[])
    return Walk(
        document=document,
        group=None if chance.random() < 0.2 else group,
        where=where,
        field=chance.choice(list(KEYS)),
        down=chance.random() < 0.5,
        backward=chance.random() < 0.5,
        met=[],
    )


def require_right(walk: Walk, growths: Mapping[str, Growth], trees: Mapping[str, Tree]) -> int:
    """Asserts that a walk met each node once, in order, that stayed as it was in the list; how many they are.

    `growths` are those of the trees that changed since they were planted, by root.
    """
    accounts = walk.document in (ACCOUNTS, BELOW)
    inside, outside = set[Node](), set[str]()
    for tree in trees.values():
        states = growths[tree.root].between(walk.start, walk.end) if tree.root in growths else [{}]
        places = [members(walk, tree, state) for state in states]
        for node in tree.nodes.values():
            if node.account != accounts or not still(node, tree, walk):
                continue
            if not FILTERS[walk.where][1](node, walk.start) or not any(node.id in place for place in places):
                outside.add(node.id)
            elif all(node.id in place for place in places):
                inside.add(node)
    wanted = [
        node.id for node in sorted(inside, key=lambda node: KEYS[walk.field](node, walk.start), reverse=walk.down)
    ]
    right = set(wanted)
    assert [node for node in walk.met if node in right] == wanted, walk
    assert not outside.intersection(walk.met), walk
    return len(wanted)


def still(node: Node, tree: Tree, walk: Walk) -> bool:
    """Whether the node did not change itself during the walk, and was not moved."""
    moved = any(m.node == node.id and m.start <= walk.end and m.end >= walk.start for m in tree.moves)
    return not moved and node.still(walk.start, walk.end)


def members(walk: Walk, tree: Tree, state: Parents) -> set[str]:
    """Which of the tree's nodes the walk's list has in this state, without its filter."""
    if walk.document == TENANTS:
        return {tree.root}
    if walk.group is None:
        return set(tree.nodes)
    if walk.group not in tree.nodes:
        return set()
    if walk.direct:
        return {node for node, parent in state.items() if parent == walk.group}
    return subtree(state, walk.group) - {walk.group}
