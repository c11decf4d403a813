"""Groups that an import has judged and not made yet, as reads by id would tell of them, in little memory for each."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from graph import groups, settings, structure
from graph.database import Reader, Row
from graph.query import Query

_TOLD = frozenset({structure.LOCATE_GROUPS.name, groups.FIND.name, settings.OF_GROUPS.name})


@dataclass(slots=True)
class _Group:
    parent: str
    root: str
    settings: str
    locks: Sequence[str]
    schema: str | None


class Sketch:
    """A reader of what is behind it, and of groups that are not there yet."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._groups: dict[str, _Group] = {}
        self._above: dict[str, tuple[str, ...]] = {}
        self._learned: dict[str, dict[str, list[Row]]] = {}
        self._before: list[tuple[str, str, list[Row] | None]] = []

    async def run(self, query: Query, **parameters: Any) -> list[Row]:
        """The rows of the statement, of what is there and of what is not yet."""
        if query.by is None:
            return await self._reader.run(query, **parameters)
        learned = self._learned.get(query.name, {})
        told: list[Row] = []
        rest: list[Any] = []
        for one in parameters[query.by]:
            if one in learned:
                told += learned[one]
            elif one in self._groups and query.name in _TOLD:
                told += self.rows(query, one)
            else:
                rest.append(one)
        return [*told, *await self._reader.run(query, **{query.by: rest})] if rest else told

    async def run_alone(self, tenants: Sequence[str], query: Query, **parameters: Any) -> list[Row]:
        """The rows of a read, while the trees of these tenants stay as they are."""
        return await self._reader.run_alone(tenants, query, **parameters)

    def holds(self, tenants: Collection[str]) -> bool:
        """As the reader behind it says."""
        return self._reader.holds(tenants)

    def __len__(self) -> int:
        return len(self._groups) + sum(len(rows) for rows in self._learned.values())

    def add(self, node: str, parent: str, properties: Row, above: Sequence[str]) -> None:
        """Adds a group below a parent, whose own way up is `above`."""
        self.change(node, properties, parent)
        if parent not in self._groups:
            self._above.setdefault(parent, tuple(above))

    def change(self, node: str, properties: Row, parent: str | None = None) -> None:
        """Takes over the properties of a group that is not there yet."""
        above = parent or self._groups[node].parent
        locks, schema = tuple(properties["locks"]), properties.get("metadataSchema")
        self._groups[node] = _Group(above, properties["root"], properties["settings"], locks, schema)

    def drop(self, node: str) -> None:
        """Forgets a group."""
        self._groups.pop(node, None)

    def learn(self, query: Query, node: str, rows: Sequence[Row]) -> None:
        """Takes these rows for all that the query tells of a node that is there."""
        learned = self._learned.setdefault(query.name, {})
        self._before.append((query.name, node, learned.get(node)))
        learned[node] = list(rows)

    def begin(self) -> None:
        """Begins a part: what was learned before it stays."""
        self._before.clear()

    def mark(self) -> int:
        """Where `back_to` comes back to."""
        return len(self._before)

    def back_to(self, mark: int) -> None:
        """Unlearns what was learned since the mark was taken, in the same part."""
        while len(self._before) > mark:
            name, node, rows = self._before.pop()
            if rows is None:
                del self._learned[name][node]
            else:
                self._learned[name][node] = rows

    def rows(self, query: Query, node: str) -> list[Row]:
        """What the query would tell of a group that is not there yet."""
        group = self._groups[node]
        if query is structure.LOCATE_GROUPS:
            return [{"id": node, "root": group.root, "path": self._path(node)}]
        kept: Row = {"settings": group.settings, "locks": list(group.locks), "metadataSchema": group.schema}
        if query is groups.FIND:
            return [{"id": node, "node": {"id": node, "root": group.root, **kept}}]
        return of_group(node, kept)

    def _path(self, node: str) -> list[str]:
        path = [node]
        while path[-1] in self._groups:
            path.append(self._groups[path[-1]].parent)
        return [*path[:-1], *self._above[path[-1]]]


def of_group(node: str, properties: Row) -> list[Row]:
    """What `settings.OF_GROUPS` tells of a group with these properties."""
    own, locks, schema = properties["settings"], properties["locks"], properties.get("metadataSchema")
    if own == "{}" and not locks and schema is None:
        return []
    return [{"id": node, "own": own, "locks": locks, "schema": schema}]
