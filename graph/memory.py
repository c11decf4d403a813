"""Reads that several commands share: what is read by an id is read once, and answered from memory afterwards."""

from collections.abc import Collection, Hashable, Sequence
from typing import Any

from graph import structure
from graph.database import Reader, Row
from graph.ids import Kind
from graph.query import Query


class Memory:
    """A reader whose shared queries are remembered by id; all else goes to the reader behind it."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._rows: dict[str, dict[Hashable, list[Row]]] = {}

    async def run(self, query: Query, **parameters: Any) -> list[Row]:
        """The rows of the statement, in the order of the ids where it has any; nobody may change them."""
        if query.by is None:
            return await self._reader.run(query, **parameters)
        assert len(parameters) == 1, "a query that is remembered depends on its ids alone"
        ids: Sequence[Hashable] = parameters[query.by]
        await self.read(query, ids)
        known = self._rows[query.name]
        return [row for one in ids for row in known[one]]

    async def run_alone(self, tenants: Sequence[str], query: Query, **parameters: Any) -> list[Row]:
        """The rows of a read, while the trees of these tenants stay as they are."""
        return await self._reader.run_alone(tenants, query, **parameters)

    def holds(self, tenants: Collection[str]) -> bool:
        """As the reader behind it says."""
        return self._reader.holds(tenants)

    async def read(self, query: Query, ids: Collection[Hashable]) -> None:
        """Reads what is not known of these ids yet, by one statement."""
        assert query.by is not None
        known = self._rows.setdefault(query.name, {})
        missing = [one for one in dict.fromkeys(ids) if one not in known]
        if missing:
            self.learn(query, missing, await self._reader.run(query, **{query.by: missing}))

    async def learn_places(self, ids: Sequence[str], rows: Sequence[Row]) -> list[str]:
        """Remembers where these accounts stand, read again where a move crossed the rows; the ids of the groups above.

        Raises EngineUnavailable.
        """
        places = structure.placed(Kind.ACCOUNT, rows)
        if places is None:
            places = list((await structure.locate(self._reader, ids)).values())
        learnt: list[Row] = [{"id": one.id, "root": one.root, "path": one.path} for one in places]
        self.learn(structure.LOCATE_ACCOUNTS, ids, learnt)
        return [one for place in places for one in place.path if one.startswith(Kind.GROUP)]

    def learn(self, query: Query, ids: Collection[Hashable], rows: Sequence[Row]) -> None:
        """Remembers these rows as all that the query tells of the ids."""
        found: dict[Hashable, list[Row]] = {one: [] for one in ids}
        for row in rows:
            found[row[query.of]].append(row)
        self._rows.setdefault(query.name, {}).update(found)
