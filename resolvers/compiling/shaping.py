"""From rows of the graph to the answer's objects: a function for each object that was asked for, made once for a plan.

Values are those that the executor would give. Where it would meet an error, as for null in a place that has none, the
functions raise Uncovered, and the executor tells of it.
"""

from collections.abc import Callable, Sequence
from operator import attrgetter, itemgetter
from typing import Any

from graphql import GraphQLEnumType, GraphQLLeafType, is_leaf_type, is_non_null_type
from graphql.pyutils import Undefined

from graph.compiled import NodeRead
from resolvers import cursors
from resolvers.compiling.fields import Uncovered
from resolvers.compiling.selection import Above, Constant, Edges, Field, Info, Made, Node, Page, Total

Row = list[Any]
Sizes = Sequence[int]
"""How many nodes each page of the operation has at most, by the page's number."""
Shape = Callable[[Row, Sizes], Any]
Part = Callable[[Any], Any]


class _Seen:
    """A page as it is shown."""

    __slots__ = ("cursors", "earlier", "more", "rows", "total")

    def __init__(self, rows: list[Row], marks: list[str], *, more: bool, total: int | None, earlier: bool) -> None:
        self.rows = rows
        self.cursors = marks
        self.more = more
        self.total = total
        self.earlier = earlier


def node_shape(node: Node) -> Shape:
    """Makes the object of a node's row."""
    fields = [(key, _entry(entry, node.read)) for key, entry in node.entries]

    def shape(row: Row, sizes: Sizes) -> Any:
        return {key: make(row, sizes) for key, make in fields}

    return shape


def _entry(entry: Constant | Made | Above | Page, read: NodeRead) -> Shape:
    if isinstance(entry, str):
        return _constant(entry)
    if isinstance(entry, Made):
        return _made(entry, read)
    return _above(entry, read) if isinstance(entry, Above) else _page(entry, read)


def _constant(value: str) -> Shape:
    return lambda _row, _sizes: value


def _made(made: Made, read: NodeRead) -> Shape:
    pick = itemgetter(*(read.column(name) for name in made.value.properties))
    finish = _finish(made)
    make = made.value.make
    if make is None:
        return lambda row, _sizes: finish(pick(row))
    if len(made.value.properties) == 1:
        return lambda row, _sizes: finish(make(pick(row)))
    return lambda row, _sizes: finish(make(*pick(row)))


def _finish(made: Made) -> Part:
    kind = made.definition.type
    required = is_non_null_type(kind)
    part = _object(made.parts) if made.parts is not None else _leaf(kind.of_type if is_non_null_type(kind) else kind)

    def finish(value: Any) -> Any:
        if value is None:
            if required:
                raise Uncovered
            return None
        return part(value)

    return finish


def _object(parts: Sequence[tuple[str, Constant | Field]]) -> Part:
    """Makes an object of a value's own attributes, all of which it has."""
    fields = [(key, _attribute(entry)) for key, entry in parts]
    return lambda value: {key: read(value) for key, read in fields}


def _attribute(entry: Constant | Field) -> Part:
    if isinstance(entry, str):
        return lambda _: entry
    return attrgetter(entry.name)


def _leaf(kind: Any) -> Part:
    if isinstance(kind, GraphQLEnumType):
        return _enum(kind)
    return _coerced(kind) if is_leaf_type(kind) else _same


def _enum(kind: GraphQLEnumType) -> Part:
    names = {member.value: name for name, member in kind.values.items()}

    def name_of(value: str) -> str:
        name = names.get(value)
        if name is None:
            raise Uncovered
        return name

    return name_of


def _coerced(kind: GraphQLLeafType) -> Part:
    if kind.name not in {"Int", "Boolean"}:  # All others are given as they are kept: as text, or as JSON.
        return _same

    def coerce(value: Any) -> Any:
        found = kind.coerce_output_value(value)
        if found is None or found is Undefined:
            raise Uncovered
        return found

    return coerce


def _same(value: Any) -> Any:
    return value


def _above(above: Above, read: NodeRead) -> Shape:
    column = read.column_above
    shape = node_shape(above.node)

    def find(row: Row, sizes: Sizes) -> Any:
        found = row[column]
        if not found:
            return None
        seen, group = found[0]
        if not seen:  # While something moves, a walk up may end too early: the executor makes sure.
            raise Uncovered
        return shape(group, sizes)

    return find


def _page(page: Page, above: NodeRead) -> Shape:
    column, own_id = above.column_below(page.read), above.column("id")
    ordering, name, number = page.children.ordering, page.children.name, page.number
    marked, wide = _asks_cursors(page), page.read.wide
    keys = [page.read.node.column(key.removeprefix("n.")) for key in ordering.keys]
    fields = [(key, _of_page(entry)) for key, entry in page.entries]

    def shape(row: Row, sizes: Sizes) -> Any:
        size = sizes[number]
        rows, total, earlier = row[column] if wide else (row[column], None, False)
        shown = rows[:size]
        marks: list[str] = []
        if marked:
            mark = cursors.mark_of(name, row[own_id], ordering.name)
            marks = [cursors.write(mark, tuple(each[key] for key in keys)) for each in shown]
        seen = _Seen(shown, marks, more=len(rows) > size, total=total, earlier=bool(earlier))
        return {key: make(seen, sizes) for key, make in fields}

    return shape


def _asks_cursors(page: Page) -> bool:
    return any(isinstance(entry, Edges | Info) for _, entry in page.entries)


def _of_page(entry: Constant | Total | Node | Edges | Info) -> Callable[[_Seen, Sizes], Any]:
    if isinstance(entry, str):
        return lambda _seen, _sizes: entry
    if isinstance(entry, Total):
        return lambda seen, _sizes: seen.total
    if isinstance(entry, Node):
        shape = node_shape(entry)
        return lambda seen, sizes: [shape(row, sizes) for row in seen.rows]
    return _edges(entry) if isinstance(entry, Edges) else _info(entry)


def _edges(edges: Edges) -> Callable[[_Seen, Sizes], Any]:
    fields = [(key, _of_edge(entry)) for key, entry in edges.entries]

    def shape(seen: _Seen, sizes: Sizes) -> Any:
        pairs = zip(seen.rows, seen.cursors, strict=True)
        return [{key: make(row, cursor, sizes) for key, make in fields} for row, cursor in pairs]

    return shape


def _of_edge(entry: Constant | Field | Node) -> Callable[[Row, str, Sizes], Any]:
    if isinstance(entry, Node):
        shape = node_shape(entry)
        return lambda row, _cursor, sizes: shape(row, sizes)
    if isinstance(entry, str):
        return lambda _row, _cursor, _sizes: entry
    return lambda _row, cursor, _sizes: cursor


_INFO: dict[str, Callable[[_Seen], Any]] = {
    "hasNextPage": lambda seen: seen.more,
    "hasPreviousPage": lambda seen: seen.earlier,
    "startCursor": lambda seen: seen.cursors[0] if seen.cursors else None,
    "endCursor": lambda seen: seen.cursors[-1] if seen.cursors else None,
}


def _info(info: Info) -> Callable[[_Seen, Sizes], Any]:
    fields = [(key, _of_info(entry)) for key, entry in info.entries]
    return lambda seen, _sizes: {key: read(seen) for key, read in fields}


def _of_info(entry: Constant | Field) -> Part:
    if isinstance(entry, str):
        return lambda _: entry
    return _INFO[entry.name]
