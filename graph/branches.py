"""The groups of a tenant as they stood at the fold's cursor, and what one turn adds to their totals.

The fold keeps a tree of its own, which it alone changes: the real one may be ahead of the cursor. What a turn adds is
pushed up level by level, so that each group is added to once, however many accounts are below it.
"""

from collections.abc import Iterable

from graph.database import Transaction
from graph.query import Query
from graph.stood import NotThereYet
from graph.totals import PARTED, Kept, Sums, add, whole_key

ABOVE = Query(
    "branches.above",
    "UNWIND $ids AS id MATCH (:Branch {id: id})-[:WITHIN*0..]->(b:Branch) WITH DISTINCT b "
    "OPTIONAL MATCH (b)-[:WITHIN]->(p:Branch) RETURN b.id AS id, p.id AS parent",
)
TOTALS = Query(
    "branches.totals",
    "UNWIND $ids AS id MATCH (:Branch {id: id})-[:SUMS_CASH|SUMS_HELD]->(t:Total) "
    "RETURN id, t.key AS key, t.state AS state",
)
GROW = Query("branches.grow", "UNWIND $ids AS id CREATE (b:Branch {id: id})")
BREAK = Query("branches.break", "UNWIND $ids AS id MATCH (:Branch {id: id})-[e:WITHIN]->(:Branch) DELETE e")
JOIN = Query(
    "branches.join",
    "UNWIND $rows AS row MATCH (b:Branch {id: row.id}) MATCH (p:Branch {id: row.parent}) CREATE (b)-[:WITHIN]->(p)",
)


class Branches:
    """One turn's groups: read once, changed in memory, and written at the end."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._parents: dict[str, str | None] = {}
        self._new: list[str] = []
        self._moved: list[str] = []
        self._added: dict[str, Sums] = {}
        self._reached: set[str] = set()
        self.totals: dict[str, Sums] = {}
        """What the turn adds to each group, by its id and key: complete after `push`."""
        self.weight = 0
        """About how many sums the turn changes."""

    async def read(self, ids: Iterable[str]) -> None:
        """Reads where these groups stand; one that is not there yet is left out."""
        rows = await self._transaction.run(ABOVE, ids=sorted(set(ids)))
        self._parents |= {row["id"]: row["parent"] for row in rows}

    def create(self, group: str, parent: str | None) -> None:
        """A new group."""
        self._parents[group] = parent
        self._new.append(group)

    async def move(self, group: str, parent: str) -> None:
        """A group comes to stand in another one, with all that its totals are then."""
        self.push()
        rows = await self._transaction.run(TOTALS, ids=[group])
        whole: Sums = {}
        for row in rows:
            add(whole, {whole_key(row["key"]): Kept.read(row["state"]).now})
        for counted in whole.values():
            counted.pop(PARTED, None)
        add(whole, self.totals.get(group, {}))
        left, reached = self._above(group)[1:], self._above(parent)
        self._parents[group] = parent
        self._moved.append(group)
        for changed, others, sign in ((left, set(reached), -1), (reached, set(left), 1)):
            for above in changed:
                if above not in others:
                    add(self.totals.setdefault(above, {}), whole, sign)
                    self.weight += sum(map(len, whole.values()))

    def add(self, group: str, sums: Sums, sign: int = 1) -> None:
        """Adds to a group, and with it to all above."""
        add(self._added.setdefault(group, {}), sums, sign)
        above: str | None = group
        while above is not None and above not in self._reached:
            self._reached.add(above)
            self.weight += 1
            above = self._parent(above)

    def push(self) -> None:
        """Pushes up what was added, from the deepest groups to the root."""
        depths: dict[str, int] = {}
        for group in self._added:
            self._measure(group, depths)
        for group in sorted(depths, key=lambda one: -depths[one]):
            sums, parent = self._added.get(group, {}), self._parent(group)
            add(self.totals.setdefault(group, {}), sums)
            if parent is not None:
                add(self._added.setdefault(parent, {}), sums)
        self._added = {}

    async def write(self) -> None:
        """Writes the tree as it now stands."""
        moved = [group for group in dict.fromkeys(self._moved) if group not in set(self._new)]
        joined = [*self._new, *moved]
        rows = [{"id": group, "parent": self._parents[group]} for group in joined if self._parents[group] is not None]
        if self._new:
            await self._transaction.run(GROW, ids=self._new)
        if moved:
            await self._transaction.run(BREAK, ids=moved)
        if rows:
            await self._transaction.run(JOIN, rows=rows)

    def _parent(self, group: str) -> str | None:
        """Raises NotThereYet for a group that is not known."""
        if group not in self._parents:
            raise NotThereYet
        return self._parents[group]

    def _above(self, group: str) -> list[str]:
        """The group and those that it is in, up to the root."""
        path, parent = [group], self._parent(group)
        while parent is not None:
            path.append(parent)
            parent = self._parent(parent)
        return path

    def _measure(self, group: str, depths: dict[str, int]) -> None:
        """Adds the depths of the group and of those that it is in."""
        path: list[str] = []
        above: str | None = group
        while above is not None and above not in depths:
            path.append(above)
            above = self._parent(above)
        depth = -1 if above is None else depths[above]
        for one in reversed(path):
            depth += 1
            depths[one] = depth
