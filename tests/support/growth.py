"""How trees grew, from the raw edges of the graph: every state they were in, and the proof that each was a tree."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from graph import clock
from graph.database import Database, Row
from graph.money import from_minor
from tests.support.forest import Asked, Tree
from tests.support.graphs import statement

Parents = Mapping[str, str]
GRACE = timedelta(seconds=1)
"""How long before its commit a change may have taken its instant."""
_EDGES = (
    "<-[e:CONTAINS|CONTAINED]-(p:Group) WHERE n.root IN $roots "
    "RETURN n.id AS node, n.root AS root, p.id AS parent, p.root AS other, e.since AS since, e.until AS until"
)
EDGES = (statement(f"MATCH (n:Group){_EDGES}"), statement(f"MATCH (n:Account){_EDGES}"))
_NODES = (
    " WHERE n.root IN $roots RETURN n.id AS id, n.root AS root, n.status AS status, n.kind AS kind, "
    "n.currency AS currency, n.cash AS cash, n.simulated AS simulated, "
    "COUNT { (n)<-[:CONTAINS]-() } AS parents, COUNT { (n)<-[:HOSTS]-() } AS hosts"
)
NODES = (statement(f"MATCH (n:Group){_NODES}"), statement(f"MATCH (n:Account){_NODES}"))


@dataclass(slots=True)
class Growth:
    """The states of one tree in order, each from an instant on: the parent of each node but the root."""

    tree: Tree
    nodes: dict[str, Row]
    instants: list[str] = field(default_factory=list[str])
    states: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    edges: list[Row] = field(default_factory=list[Row])

    @property
    def last(self) -> Parents:
        """The parents now."""
        return self.states[-1]

    def between(self, start: str, end: str) -> list[dict[str, str]]:
        """Every state that a request may have met which began and ended at these instants."""
        earliest = clock.to_text(clock.from_text(start) - GRACE)
        first = max(0, bisect_right(self.instants, earliest) - 1)
        return self.states[first : bisect_right(self.instants, end)]


async def growths(database: Database, trees: Iterable[Tree]) -> list[Growth]:
    """How each tree grew. Asserts that every state is a tree, and that it holds what was acknowledged, no more."""
    by_root = {tree.root: tree for tree in trees}
    roots = list(by_root)
    nodes = [row for query in NODES for row in await database.run(query, roots=roots)]
    edges = [row for query in EDGES for row in await database.run(query, roots=roots)]
    found = {root: Growth(tree, {}) for root, tree in by_root.items()}
    for row in nodes:
        found[row["root"]].nodes[row["id"]] = row
    for row in edges:
        assert row["root"] == row["other"], row
        found[row["root"]].edges.append(row)
    for growth in found.values():
        require_shape(growth)
        replay(growth)
        require_acknowledged(growth)
    return list(found.values())


def require_shape(growth: Growth) -> None:
    """Asserts that each node that was made is there, with one parent, or hosted where it is the root."""
    tree = growth.tree
    assert growth.nodes.keys() == tree.nodes.keys()
    for node_id, row in growth.nodes.items():
        assert (row["parents"], row["hosts"]) == ((0, 1) if node_id == tree.root else (1, 0)), row
    current = [edge for edge in growth.edges if edge["until"] is None]
    assert len({edge["node"] for edge in current}) == len(current) == len(tree.nodes) - 1


def replay(growth: Growth) -> None:
    """Puts the edges in again, one after another, and asserts that each state is a tree that its settings allow."""
    tree, state = growth.tree, dict[str, str]()
    ends: dict[str, str | None] = {}
    growth.instants.append(tree.planted_at)
    growth.states.append({})
    for edge in sorted(growth.edges, key=lambda edge: str(edge["since"])):
        node, since = edge["node"], edge["since"]
        assert ends.get(node, since) == since, f"{node}: the edge before ends where this one begins"
        ends[node] = edge["until"]
        state[node] = edge["parent"]
        assert above(state, node)[-1] == tree.root
        require_locks(tree, state, node)
        if since <= tree.planted_at:
            growth.states[0] = dict(state)
        else:
            assert growth.instants[-1] < since, "each change of a tenant has an instant of its own"
            growth.instants.append(since)
            growth.states.append(dict(state))
    assert all(end is None for end in ends.values())


def require_locks(tree: Tree, state: Parents, moved: str) -> None:
    """Asserts that no account with the locked setting came below a group that locks it."""
    assert not clashes(tree, state, moved, state[moved])


def clashes(tree: Tree, state: Parents, node: str, parent: str) -> bool:
    """Whether a locked setting would keep a node from being below a parent."""
    locked = any(tree.nodes[each].configured for each in (parent, *above(state, parent)))
    return locked and any(tree.nodes[each].configured for each in subtree(state, node) if tree.nodes[each].account)


def require_acknowledged(growth: Growth) -> None:
    """Asserts that each move that was acknowledged is there once, that no other is, and that each refusal was right."""
    moved: dict[str, list[Row]] = {}
    for edge in sorted(growth.edges, key=lambda edge: str(edge["since"])):
        moved.setdefault(edge["node"], []).append(edge)
    left = {node: edges[1:] for node, edges in moved.items()}
    for asked in sorted(growth.tree.moves, key=lambda asked: asked.end):
        if asked.done:
            fitting = [e for e in left[asked.node] if e["parent"] == asked.parent and asked.start <= e["since"]]
            assert fitting, asked
            assert fitting[0]["since"] <= asked.end, asked
            left[asked.node].remove(fitting[0])
        else:
            assert any(forbids(growth.tree, state, asked) for state in growth.between(asked.start, asked.end)), asked
    assert [edge for edges in left.values() for edge in edges] == []


def forbids(tree: Tree, state: Parents, asked: Asked) -> bool:
    """Whether this state refuses the move: it would change nothing, make a cycle, or break a lock."""
    if state.get(asked.node) == asked.parent or asked.node in (asked.parent, *above(state, asked.parent)):
        return True
    return clashes(tree, state, asked.node, asked.parent)


def above(state: Parents, node: str) -> list[str]:
    """The groups above a node, from its parent up. Asserts that they make no cycle."""
    line, seen = list[str](), {node}
    while node in state:
        node = state[node]
        assert node not in seen, "a cycle"
        seen.add(node)
        line.append(node)
    return line


def subtree(state: Parents, top: str) -> set[str]:
    """The node and all that is below it."""
    children: dict[str, list[str]] = {}
    for node, parent in state.items():
        children.setdefault(parent, []).append(node)
    found, waiting = set[str](), [top]
    while waiting:
        node = waiting.pop()
        found.add(node)
        waiting += children.get(node, [])
    return found


@dataclass(frozen=True, slots=True)
class Total:
    """What a group's subtree adds up to: the real open accounts, and the cash of each currency that they have."""

    accounts: int
    cash: tuple[tuple[str, Decimal], ...]


def total(growth: Growth, group: str) -> Total:
    """The total of a group now, by adding up the raw nodes below it one by one."""
    rows = [growth.nodes[node] for node in subtree(growth.last, group) if growth.tree.nodes[node].account]
    counted = [row for row in rows if row["status"] != "CLOSED" and row["kind"] != "COMPOSITE" and not row["simulated"]]
    cash: dict[str, Decimal] = {}
    for row in counted:
        amount = from_minor(row["cash"], row["currency"])
        assert amount == growth.tree.nodes[row["id"]].cash.last, row
        cash[row["currency"]] = cash.get(row["currency"], Decimal(0)) + amount
    return Total(len(counted), tuple(sorted(cash.items())))
