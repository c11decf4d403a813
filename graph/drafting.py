"""One transaction for many commands that make nodes: what each one writes is kept until it is sure, and sent together.

Commands read what earlier ones made as if it stood in the graph already. Without a transaction behind it a draft is a
trial: everything is judged, and nothing is written.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

from graph import accounts, groups, ledger, positions, settings, structure, templates
from graph.database import Row, Transaction
from graph.ids import Kind, kind_of
from graph.memory import Memory
from graph.query import Query
from graph.sketch import Sketch, of_group
from graph.unit import single

CREATE_GROUPS = Query("drafting.create_groups", "UNWIND $rows AS row CREATE (g:Group) SET g = row.properties")
# The parent may have been made by the same draft, which a statement that makes both does not see.
PLACE_GROUPS = Query(
    "drafting.place_groups",
    "UNWIND $rows AS row MATCH (p:Group {id: row.parent}) MATCH (g:Group {id: row.id}) "
    "CREATE (p)-[:CONTAINS {since: row.at}]->(g)",
)
CREATE_ACCOUNTS = Query(
    "drafting.create_accounts",
    "UNWIND $rows AS row MATCH (p:Group {id: row.parent}) CREATE (a:Account) SET a = row.properties "
    "CREATE (p)-[:CONTAINS {since: row.at}]->(a)",
)
USE = Query(
    "drafting.use",
    "UNWIND $rows AS row MATCH (a:Account {id: row.id}) MATCH (t:Template {id: row.template}) "
    "CREATE (a)-[:USES {since: row.at}]->(t)",
)
AGGREGATE = Query(
    "drafting.aggregate",
    "UNWIND $rows AS row MATCH (a:Account {id: row.id}) UNWIND row.components AS component "
    "MATCH (c:Account {id: component}) CREATE (a)-[:AGGREGATES {since: row.at}]->(c)",
)
CHANGE_GROUPS = Query(
    "drafting.change_groups", "UNWIND $rows AS row MATCH (g:Group {id: row.id}) SET g += row.properties"
)
CHANGE_ACCOUNTS = Query(
    "drafting.change_accounts", "UNWIND $rows AS row MATCH (a:Account {id: row.id}) SET a += row.properties"
)
_CHANGES = {
    groups.CHANGE.name: (CHANGE_GROUPS, groups.FIND),
    accounts.CHANGE.name: (CHANGE_ACCOUNTS, accounts.FIND),
}
_FIRST = (CREATE_GROUPS, PLACE_GROUPS, CREATE_ACCOUNTS, USE, AGGREGATE)
_OF_MADE = (structure.LOCATE_ACCOUNTS, settings.OF_ACCOUNTS, positions.OF_ACCOUNTS)
# Reads of what stands below a node: what is kept has to be in the graph before.
_DEEP = (settings.BELOW, settings.METADATA_BELOW)
_Kept = dict[str, tuple[Query, list[Row]]]


class Draft(Transaction):
    """What commands of an import read and write: `begin` one, and `keep` it, or `forget` what it did."""

    def __init__(self, sketch: Sketch, transaction: Transaction | None = None) -> None:
        self._sketch = sketch
        self._transaction = transaction
        self._memory = Memory(sketch)
        self._accounts: dict[str, dict[str, list[Row]]] = {query.name: {} for query in _OF_MADE}
        self._nodes: dict[str, Row] = {}
        self._kept: _Kept = {}
        self._new: _Kept = {}
        self._begun: list[str] = []
        self._undo: list[Callable[[], None]] = []
        self._mark = 0
        self._writes: Mapping[str, Callable[..., Awaitable[None]]] = {
            groups.CREATE_BELOW.name: self._create_group,
            accounts.CREATE_BELOW.name: self._create_account,
            accounts.END_USE.name: self._end_use,
            accounts.USE.name: self._use,
            accounts.AGGREGATE.name: self._aggregate,
        }

    @property
    def memory(self) -> Memory:
        """What has been read by id, for what is read for many commands at once."""
        return self._memory

    async def run(self, query: Query, **parameters: Any) -> list[Row]:
        """The rows of a read; a write has none, and is kept for the end."""
        if query.by is not None:
            return await self._read(query, parameters[query.by])
        if query in _DEEP:
            return await self._read_deep(query, parameters)
        if query.name in self._writes:
            await self._writes[query.name](**parameters)
        elif query.name in _CHANGES:
            await self._change(query, parameters["id"], parameters["properties"])
        else:
            assert list(parameters) == ["rows"], f"{query.name} is not for commands of an import"
            await self._write_rows(query, parameters["rows"])
        return []

    async def run_alone(self, tenants: Sequence[str], query: Query, **parameters: Any) -> list[Row]:
        """The rows of a read; the transaction has the structure lock, and a trial reads as the graph stands."""
        if self._transaction is None:
            return await self._sketch.run_alone(tenants, query, **parameters)
        return await self.run(query, **parameters)

    def holds(self, tenants: Collection[str]) -> bool:
        """Whether it has the structure locks of all these tenants."""
        return self._transaction is not None and self._transaction.holds(tenants)

    def begin(self) -> None:
        """Begins a line's commands."""
        self._new, self._begun, self._undo = {}, [], []
        self._mark = self._sketch.mark()

    def keep(self) -> None:
        """Ends a line whose commands took effect."""
        for name, (query, rows) in self._new.items():
            self._kept.setdefault(name, (query, []))[1].extend(rows)
        self.begin()

    def forget(self) -> None:
        """Ends a line that is refused: nothing that it made is there, and what it changed is as it was."""
        for undo in reversed(self._undo):
            undo()
        self._sketch.back_to(self._mark)
        for node in self._begun:
            self._nodes.pop(node, None)
            self._sketch.drop(node)
            for rows in self._accounts.values():
                rows.pop(node, None)
        self.begin()

    async def write(self) -> bool:
        """Sends what is kept, one statement for each kind of row; whether there was anything."""
        assert self._transaction is not None, "a trial writes nothing"
        kept, self._kept = self._kept, {}
        first = [query.name for query in _FIRST if query.name in kept]
        for name in dict.fromkeys([*first, *kept]):
            query, rows = kept[name]
            await self._transaction.run(query, rows=single(query, rows))
        return bool(kept)

    async def _read(self, query: Query, ids: Sequence[str]) -> list[Row]:
        by = query.by or ""
        made = [one for one in ids if one in self._nodes]
        if not made:
            return await self._memory.run(query, **{by: ids})
        rows = [row for one in made for row in self._made(query, one)]
        rest = [one for one in ids if one not in self._nodes]
        return [*rows, *await self._memory.run(query, **{by: rest})] if rest else rows

    def _made(self, query: Query, node: str) -> list[Row]:
        if query is groups.FIND or query is accounts.FIND:
            return [{"id": node, "node": self._nodes[node]}]
        return self._sketch.rows(query, node) if kind_of(node) is Kind.GROUP else self._accounts[query.name][node]

    async def _read_deep(self, query: Query, parameters: Mapping[str, Any]) -> list[Row]:
        if query is settings.BELOW and parameters["ids"][0] in self._nodes:
            return [self._alone(parameters["ids"][0])]
        if query is settings.METADATA_BELOW and parameters["id"] in self._nodes:
            return []
        if self._transaction is None:
            return await self._sketch.run(query, **parameters)
        await self.write()
        return await self._transaction.run(query, **parameters)

    def _alone(self, node: str) -> Row:
        """What `settings.BELOW` tells of a new group, below which nothing is."""
        made = self._nodes[node]
        absent = dict.fromkeys(("parent", "tier", "set", "shared", "account"))
        found = {"group": node, "own": made["settings"], "locks": made["locks"], **absent}
        return {"found": [found], "steady": True, "tenants": [made["root"]]}

    def _add(self, query: Query, row: Row) -> None:
        self._new.setdefault(query.name, (query, []))[1].append(row)

    async def _write_rows(self, query: Query, rows: Sequence[Row]) -> None:
        for row in rows:
            if query is ledger.SET_CASH and row["id"] in self._nodes:
                assert row["id"] in self._begun, "a line changes no node that an earlier line made"
                self._nodes[row["id"]].update(row)
            else:
                self._add(query, row)
                if query is ledger.SET_CASH:
                    await self._change_known(accounts.FIND, row["id"], row)

    async def _create_group(self, properties: Row, parent: str, at: str) -> None:
        node = properties["id"]
        self._nodes[node] = properties
        self._begun.append(node)
        self._add(CREATE_GROUPS, {"properties": properties})
        self._add(PLACE_GROUPS, {"id": node, "parent": parent, "at": at})
        (above,) = await self.run(structure.LOCATE_GROUPS, ids=[parent])
        self._sketch.add(node, parent, properties, above["path"] or (parent,))

    async def _create_account(self, properties: Row, parent: str, at: str) -> None:
        node = properties["id"]
        self._nodes[node] = properties
        self._begun.append(node)
        self._add(CREATE_ACCOUNTS, {"properties": properties, "parent": parent, "at": at})
        (above,) = await self.run(structure.LOCATE_GROUPS, ids=[parent])
        place = {"id": node, "root": properties["root"], "path": [node, *(above["path"] or (parent,))]}
        own = {"id": node, "own": properties["settings"], "tier": properties["tier"], "template": None, "shared": None}
        self._accounts[structure.LOCATE_ACCOUNTS.name][node] = [place]
        self._accounts[settings.OF_ACCOUNTS.name][node] = [own]
        self._accounts[positions.OF_ACCOUNTS.name][node] = []

    async def _end_use(self, id: str, at: str) -> None:  # noqa: A002 - as the statement names it
        del at
        assert id in self._nodes, "only a new account gets a template in an import"

    async def _use(self, id: str, template: str, at: str) -> None:  # noqa: A002 - as the statement names it
        self._add(USE, {"id": id, "template": template, "at": at})
        (found,) = await self.run(templates.FIND, ids=[template])
        self._accounts[settings.OF_ACCOUNTS.name][id][0] |= {"template": template, "shared": found["node"]["settings"]}

    async def _aggregate(self, id: str, components: list[str], at: str) -> None:  # noqa: A002 - as the statement names it
        self._add(AGGREGATE, {"id": id, "components": components, "at": at})

    async def _change(self, query: Query, node: str, properties: Row) -> None:
        if node in self._nodes:
            assert node in self._begun, "a line changes no node that an earlier line made"
            made = self._nodes[node]
            made.update({name: value for name, value in properties.items() if value is not None})
            if kind_of(node) is Kind.GROUP:
                self._sketch.change(node, made)
            return
        write, find = _CHANGES[query.name]
        self._add(write, {"id": node, "properties": properties})
        after = await self._change_known(find, node, properties)
        if find is accounts.FIND:
            (known,) = await self._memory.run(settings.OF_ACCOUNTS, ids=[node])
            await self._learn(settings.OF_ACCOUNTS, node, [{**known, "own": after["settings"]}])
            return
        own = of_group(node, after)
        await self._learn(settings.OF_GROUPS, node, own)
        self._sketch.learn(settings.OF_GROUPS, node, own)
        self._sketch.learn(find, node, [{"id": node, "node": after}])

    async def _change_known(self, find: Query, node: str, properties: Row) -> Row:
        (known,) = await self._memory.run(find, ids=[node])
        after = {**known["node"], **properties}
        await self._learn(find, node, [{"id": node, "node": after}])
        return after

    async def _learn(self, query: Query, node: str, rows: Sequence[Row]) -> None:
        """Takes these rows for what the query tells of a node, until the line is forgotten."""
        known = await self._memory.run(query, ids=[node])
        self._undo.append(partial(self._memory.learn, query, [node], known))
        self._memory.learn(query, [node], rows)
