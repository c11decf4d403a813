"""The compiler of lists: pages by keyset and totals, of many parents in one statement.

A list is compiled from the parts that this package holds itself; every value is bound as a parameter. Equal lists
compile to equal text, so that the engines' plan caches hit.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

from graph import pieces, steady
from graph.database import Reader, Row
from graph.query import Query

Keys = tuple[str | int, ...]
Values = tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a list's nodes come from: Cypher that binds `n` for the one `parent`, and what `n` must fulfil."""

    name: LiteralString
    match: LiteralString
    where: LiteralString = ""
    tenants: LiteralString = ""
    """Where the match walks through the tree: Cypher that binds each `tenant` whose moves could cross it."""
    ends: LiteralString = ""
    """Where the list is in the order of numbers: Cypher that binds `low` and `high`, between which they are."""
    without: tuple[LiteralString, ...] = ()
    """Properties that may be long and are rarely asked for: a page has none of them, and its nodes are `partial`."""


@dataclass(frozen=True, slots=True)
class Ordering:
    """The order of a list: expressions over `n`, the last of which no two nodes share.

    `prelude` is Cypher that binds what the keys need beside `n`, and `binds` names it. `lead` is what all nodes of a
    list share, and an index has before the keys: sorted by both, an engine reads in the order of the index.
    """

    name: LiteralString
    keys: tuple[LiteralString, ...]
    types: tuple[type, ...]
    descending: bool = False
    prelude: "Prelude | None" = None
    lead: tuple[LiteralString, ...] = ()


@dataclass(frozen=True, slots=True)
class Prelude:
    """Cypher between the match and the tests: it binds the names in `binds` for each `n`."""

    text: str
    binds: str


@dataclass(frozen=True, slots=True)
class Condition:
    """A test of `n`, with the values that it binds; an empty text lets everything pass."""

    text: str = ""
    values: Values = ()
    prelude: Prelude | None = None

    def both(self, other: "Condition") -> "Condition":
        """That both hold. Their values have different names, and at most one of them has a prelude."""
        texts = [text for text in (self.text, other.text) if text]
        return Condition(" AND ".join(texts), self.values + other.values, self.prelude or other.prelude)


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of the order: so many nodes after and before some keys, from the start or from the end.

    `closed` takes the nodes at the keys themselves too.
    """

    size: int
    after: Keys | None = None
    before: Keys | None = None
    backward: bool = False
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """A list without its window: equal ones are read together."""

    source: Source
    ordering: Ordering
    condition: Condition = Condition()
    given: Values = ()
    """The values of the parameters that the source names."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One node of a page: its properties, and the keys that it is sorted by."""

    node: Row
    keys: Keys


@dataclass(frozen=True, slots=True)
class Page:
    """A page in the list's order, and whether there is more in the direction that it was read in."""

    rows: tuple[Listed, ...]
    more: bool


async def pages(reader: Reader, listing: Listing, window: Window, parents: Collection[str]) -> dict[str, Page]:
    """The page of each parent, by one statement."""
    query, values = page_query(listing, window)
    rows = await _run(reader, listing, query, parents=list(parents), **values)
    return {row["parent"]: _page(row["page"], window) for row in rows}


async def totals(reader: Reader, listing: Listing, parents: Collection[str]) -> dict[str, int]:
    """How many nodes each parent's list has, by one statement."""
    query, values = total_query(listing)
    rows = await _run(reader, listing, query, parents=list(parents), **values)
    return {row["parent"]: row["total"] for row in rows}


async def _run(reader: Reader, listing: Listing, query: Query, **values: Any) -> list[Row]:
    if listing.source.tenants:
        return await steady.read(reader, query, **values)
    return await reader.run(query, **values)


def page_query(listing: Listing, window: Window) -> tuple[Query, Mapping[str, Any]]:
    """The statement of a page and its values, but for the parents."""
    ordering = listing.ordering
    tests, values = _keyset(ordering, window)
    order = order_by(ordering, backward=window.backward)
    preludes = _preludes(ordering.prelude, listing.condition.prelude)
    bound = ", ".join(["n", *(prelude.binds for prelude in preludes)])

    def read(more: Sequence[str]) -> str:
        matched = _matched(listing, preludes, tests, more)
        returned = f"RETURN collect([n {{{_shown(listing.source)}}}, {', '.join(ordering.keys)}]) AS page"
        return f"{matched} WITH {bound} ORDER BY {order} LIMIT $limit {returned}"

    text, limit = read(()), window.size + 1
    values["limit"] = limit
    if listing.source.ends:
        text = _nearest_first(listing, window, read)
        values["reach"] = pieces.reach(limit)
    given = {**dict(listing.given), **dict(listing.condition.values), **values}
    return _query(listing, f"CALL (parent) {{ {text} }}", "page"), _lists(given)


def _shown(source: Source) -> str:
    return ", ".join(
        [".*", *(f"{name}: null" for name in source.without), *(["partial: true"] if source.without else [])]
    )


def _nearest_first(listing: Listing, window: Window, read: pieces.Read) -> str:
    (number,) = listing.ordering.keys
    begin = (window.before, "$b0") if window.backward else (window.after, "$a0")
    start = None if begin[0] is None else begin[1]
    ascending = listing.ordering.descending == window.backward
    return pieces.nearest_first(listing.source.ends, number, start, read, ascending=ascending)


def order_by(ordering: Ordering, *, backward: bool = False) -> str:
    """The sort keys with their directions."""
    direction = "DESC" if ordering.descending != backward else "ASC"
    return ", ".join(f"{key} {direction}" for key in (*ordering.lead, *ordering.keys))


def total_query(listing: Listing) -> tuple[Query, Mapping[str, Any]]:
    """The statement of a total and its values, but for the parents."""
    preludes = _preludes(listing.condition.prelude)
    number = listing.ordering.keys[-1]
    ends, tests = listing.source.ends, [f"{number} >= low", f"{number} <= high"]
    matched = f"{ends} {_matched(listing, preludes, [], tests)}" if ends else _matched(listing, preludes, [])
    text = f"CALL (parent) {{ {matched} RETURN count(n) AS total }}"
    given = {**dict(listing.given), **dict(listing.condition.values)}
    return _query(listing, text, "total"), _lists(given)


def _query(listing: Listing, walk: str, column: str) -> Query:
    """The statement of a walk for each parent. One that goes through the tree may be long: it is not shared."""
    shared_by = None if listing.source.tenants else "parents"
    return Query.compiled(
        f"{listing.source.name}.{column}", _for_parents(listing, walk, column), by=shared_by, of="parent"
    )


def _for_parents(listing: Listing, walk: str, column: str) -> str:
    tenants = listing.source.tenants
    if not tenants:
        return f"UNWIND $parents AS parent {walk} RETURN parent, {column}"
    before, after = steady.before("parent", tenants), steady.after("parent", tenants)
    return f"UNWIND $parents AS parent {before} {walk} {after} RETURN parent, {column}, {steady.STEADY}"


def _matched(
    listing: Listing, preludes: Sequence[Prelude], tests: Sequence[str], before_preludes: Sequence[str] = ()
) -> str:
    source, condition = listing.source, listing.condition
    first = [*([source.where] if source.where else []), *before_preludes]
    rest = [*([condition.text] if condition.text else []), *tests]
    if not preludes:
        return f"{source.match}{_where([*first, *rest])}"
    bound = "".join(f" {prelude.text}" for prelude in preludes)
    names = ", ".join(["n", *(prelude.binds for prelude in preludes)])
    return f"{source.match}{_where(first)}{bound} WITH {names}{_where(rest)}"


def _where(tests: Sequence[str]) -> str:
    return f" WHERE {' AND '.join(tests)}" if tests else ""


def _preludes(*preludes: Prelude | None) -> list[Prelude]:
    return list(dict.fromkeys(prelude for prelude in preludes if prelude is not None))


def _keyset(ordering: Ordering, window: Window) -> tuple[list[str], dict[str, Any]]:
    """The tests that keep the window: after `after` and before `before`, in the list's own order."""
    tests: list[str] = []
    values: dict[str, Any] = {}
    for name, keys, forward in (("a", window.after, True), ("b", window.before, False)):
        if keys is None:
            continue
        sign = ">" if forward != ordering.descending else "<"
        tests.append(beyond(ordering.keys, name, sign, closed=window.closed))
        values |= {f"{name}{index}": key for index, key in enumerate(keys)}
    return tests, values


def beyond(keys: Sequence[str], name: str, sign: str, *, closed: bool) -> str:
    """That the keys come after the values of the parameters of this name, compared from the first on."""
    last = len(keys) - 1
    test = f"{keys[last]} {sign}{'=' if closed else ''} ${name}{last}"
    for index in range(last - 1, -1, -1):
        value = f"${name}{index}"
        test = f"({keys[index]} {sign} {value} OR ({keys[index]} = {value} AND {test}))"
    return test


def _page(found: Sequence[Sequence[Any]], window: Window) -> Page:
    rows = [Listed(row[0], tuple(row[1:])) for row in found[: window.size]]
    if window.backward:
        rows.reverse()
    return Page(tuple(rows), len(found) > window.size)


def _lists(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
