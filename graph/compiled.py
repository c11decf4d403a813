"""The compiler of whole reads: who asks, what they may see, and every node that they ask for, in one statement.

A read is described by trees of nodes: of each node some properties, the group above it, and pages of what is in it.
The text is made of names that this package holds itself, in an order of its own, so that reads of the same shape have
the same text; every value is bound as a parameter.

One statement answers several reads of one shape, each inside its own viewer's scope: what is asked is a list of tuples,
each of the hash of a token and the ids of the roots.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, LiteralString, NamedTuple

from graph.listing import Ordering, beyond, order_by
from graph.query import Query
from graph.users import GRANTS, OF_SESSION

Label = Literal["Account", "Group"]
NAME: LiteralString = "reads.compiled"
ASKED, PLACE, UNTIL, RIGHTS = "asked", "place", "until", "rights"
MOST_RIGHTS = 100
"""Of how many nodes a viewer's rights are told; where there are more, of one more."""
# As reads_lists.in_scope: an administrator's scope is null, and is everything.
VIEWER: LiteralString = (
    f"UNWIND range(0, size(${ASKED}) - 1) AS place WITH place, ${ASKED}[place] AS asked "
    f"WITH place, asked, asked[0] AS hash {OF_SESSION}{GRANTS}"
    "WITH place, asked, s.until AS until, u, collect(CASE WHEN g.role IN $readers THEN n.id END) AS granted "
    "WITH place, asked, until, [u.administrator, granted[..101]] AS rights, "
    "CASE WHEN u.administrator THEN null ELSE granted END AS scope"
)


@dataclass(slots=True, eq=False)
class NodeRead:
    """A node, as a list: its properties in order of name, the group above it where that is asked for, and its pages.

    The group above comes as a list of at most one pair: whether the viewer sees it, and its own list.
    """

    label: Label
    properties: list[str] = field(default_factory=list[str])
    above: "NodeRead | None" = None
    below: "list[ListRead]" = field(default_factory=list["ListRead"])

    def needs(self, *names: str) -> None:
        """Adds properties."""
        self.properties += [name for name in names if name not in self.properties]

    def column(self, name: str) -> int:
        """Where a property stands in the list, once the read is settled."""
        return self.properties.index(name)

    @property
    def column_above(self) -> int:
        """Where the group above stands."""
        return len(self.properties)

    def column_below(self, page: "ListRead") -> int:
        """Where a page stands."""
        return len(self.properties) + (self.above is not None) + self.below.index(page)

    def settle(self) -> str:
        """Puts everything into the one order of its shape; the shape, as text."""
        self.properties.sort()
        above = self.above.settle() if self.above else ""
        shapes = {id(page): page.settle() for page in self.below}
        self.below.sort(key=lambda page: shapes[id(page)])
        pages = [shapes[id(page)] for page in self.below]
        return f"{self.label}({','.join(self.properties)})^[{above}]{pages}"


@dataclass(slots=True, eq=False)
class ListRead:
    """A page of the nodes that are directly in a group: a list of them.

    Where it `follows` a cursor or is `counted` it is a list itself: of that list, of how many nodes the whole list has,
    and of whether there are nodes before the page; null for what is not asked.
    """

    node: NodeRead
    ordering: Ordering
    follows: bool = False
    counted: bool = False
    name: str = ""
    """What its parameters begin with, once the statement is made."""

    @property
    def wide(self) -> bool:
        """Whether it has more than its nodes."""
        return self.follows or self.counted

    def settle(self) -> str:
        """As that of a node."""
        return f"{self.node.settle()}{'f' if self.follows else ''}{'c' if self.counted else ''}"


@dataclass(slots=True, eq=False)
class RootRead:
    """A node by its id, in the viewer's scope: a list of at most one node."""

    node: NodeRead
    name: str = ""
    """The column of its list, once the statement is made."""
    place: int = 0
    """Where its id stands in what is asked, once the statement is made."""


class Statements(NamedTuple):
    """The statement of a read: to be run alone, to be shared with other reads by what they ask, and to be kept.

    What is kept is told with RIGHTS: whether the viewer is an administrator, and the nodes that they may read.
    """

    alone: Query
    shared: Query
    kept: Query


def statement(roots: Sequence[RootRead]) -> Statements:
    """The statement that reads these nodes.

    It has a row for each tuple of `asked`: the hash of a token, and an id for each root at its place. There is no row
    where the hash is of no session or its user is disabled. PLACE tells which it is, and UNTIL when its session ends or
    has ended. Its other parameters: `readers` (the roles that may read), and for each list `<name>_limit`, how many
    nodes it has at most; where it follows a cursor also that one's keys, `<name>_a0` and so on, null for none.
    """
    settled = {id(root): root.node.settle() for root in roots}
    ordered = sorted(roots, key=lambda root: settled[id(root)])
    for number, root in enumerate(ordered):
        root.name, root.place = f"r{number}", number + 1
    ids = "".join(f", asked[{root.place}] AS {root.name}i" for root in ordered)
    found = "".join(_root(root) for root in ordered)
    columns = ", ".join([PLACE, UNTIL, *(root.name for root in ordered)])
    text = f"{VIEWER}{ids} {found}RETURN {columns}"
    return Statements(
        alone=Query.compiled(NAME, text),
        shared=Query.compiled(NAME, text, by=ASKED, of=PLACE, placed=True),
        kept=Query.compiled(NAME, f"{text}, {RIGHTS}"),
    )


def _root(root: RootRead) -> str:
    node, node_id = f"{root.name}n", f"{root.name}i"
    return (
        f"CALL (scope, {node_id}) {{ MATCH ({node}:{root.node.label} {{id: {node_id}}}) "
        f"WHERE scope IS NULL OR {_seen(node)} "
        f"{_around(root.node, node)}RETURN collect({_row(root.node, node)}) AS {root.name} }} "
    )


def _seen(node: str) -> str:
    return f"EXISTS {{ MATCH ({node})<-[:CONTAINS*0..]-(x) WHERE x.id IN scope }}"


def _row(read: NodeRead, node: str) -> str:
    above = [f"{node}u"] if read.above else []
    return f"[{', '.join([*(f'{node}.{name}' for name in read.properties), *above, *(p.name for p in read.below)])}]"


def _around(read: NodeRead, node: str) -> str:
    above = _above(read.above, node) if read.above else ""
    return above + "".join(_page(page, node, number) for number, page in enumerate(read.below))


def _above(read: NodeRead, node: str) -> str:
    """The group above. A viewer sees it but where the node itself was granted to them, and nothing above it."""
    group = f"{node}g"
    seen = f"scope IS NULL OR NOT {node}.id IN scope OR {_seen(group)}"
    return (
        f"CALL ({node}, scope) {{ MATCH ({node})<-[:CONTAINS]-({group}:Group) "
        f"{_around(read, group)}RETURN collect([{seen}, {_row(read, group)}]) AS {node}u }} "
    )


def _page(page: ListRead, node: str, number: int) -> str:
    page.name = name = f"{node}{number}"
    child, found = f"{name}n", f"{name}r" if page.wide else name
    match = f"MATCH ({node})-[:CONTAINS]->(n:{page.node.label})"
    after = f"WHERE ${name}_a0 IS NULL OR {_beyond(page, '>')} " if page.follows else ""
    rows = (
        f"CALL ({node}, scope) {{ {match} {after}"
        f"WITH n, scope ORDER BY {order_by(page.ordering)} LIMIT ${name}_limit WITH n AS {child}, scope "
        f"{_around(page.node, child)}RETURN collect({_row(page.node, child)}) AS {found} }} "
    )
    return rows + (_whole(page, node, match) if page.wide else "")


def _whole(page: ListRead, node: str, match: str) -> str:
    """The page with what is asked of the whole list."""
    name = page.name
    total = f"COUNT {{ {match} }}" if page.counted else "null"
    earlier = f"EXISTS {{ {match} WHERE {_beyond(page, '<', closed=True)} }}" if page.follows else "null"
    return f"CALL ({node}, {name}r) {{ RETURN [{name}r, {total}, {earlier}] AS {name} }} "


def _beyond(page: ListRead, sign: Literal["<", ">"], *, closed: bool = False) -> str:
    """That `n` comes before or after the cursor in the list's order."""
    forward = {"<": ">", ">": "<"}[sign] if page.ordering.descending else sign
    return beyond(page.ordering.keys, f"{page.name}_a", forward, closed=closed)
