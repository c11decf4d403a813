"""What the check of totals reads: what is directly in each group, and how the fold's tree has it."""

from collections.abc import AsyncGenerator, Collection, Sequence
from dataclasses import dataclass

from graph.checks import packed
from graph.database import Reader, Row
from graph.query import Query
from graph.reads_holdings import SPLIT
from graph.reads_rollups import COUNTED
from graph.reads_totals import Below
from graph.totals import ACCOUNTS, CASH, Sums, cash_key, held_key

PAGE = 200
MOST_INSIDE = 2_000
"""About how many nodes one statement finds in groups."""
INSIDE = Query(
    "checks_totals.inside",
    "UNWIND $ids AS id MATCH (g:Group {id: id}) RETURN id, COUNT { (g)-[:CONTAINS]->() } AS inside ORDER BY id",
)
GROUPS = Query(
    "checks_totals.groups",
    "UNWIND $ids AS id MATCH (:Group {id: id})-[:CONTAINS]->(g:Group) RETURN g.id AS id ORDER BY id",
)
_REAL = f"MATCH (:Group {{id: id}})-[:CONTAINS]->(a:Account) WHERE {COUNTED}"
OWN = Query(
    "checks_totals.own",
    f"UNWIND $ids AS id CALL (id) {{ {_REAL} WITH a.currency AS currency, count(a) AS accounts, "
    "sum(a.cash / 1000000) AS high, sum(a.cash % 1000000) AS low "
    "RETURN collect([currency, accounts, high, low]) AS cash } "
    f"CALL (id) {{ {_REAL} MATCH (a)-[:HOLDS]->(p:Position) "
    "WITH a.currency AS currency, p.symbol AS symbol, p.quantity AS quantity, count(p) AS times "
    "RETURN collect([currency, symbol, quantity, times]) AS held } "
    "CALL (id) { MATCH (:Group {id: id})-[:CONTAINS]->(g:Group) RETURN collect(g.id) AS groups } "
    "CALL (id) { MATCH (:Group {id: id})<-[:CONTAINS]-(g:Group) RETURN collect(g.id) AS parents } "
    "CALL (id) { MATCH (:Branch {id: id})-[:WITHIN]->(b:Branch) RETURN collect(b.id) AS folded } "
    "RETURN id, cash, held, groups, parents, folded",
)


@dataclass(frozen=True, slots=True)
class Own:
    """What is directly in a group: sums of its accounts, and its groups; and whether the fold's tree has it there."""

    id: str
    sums: Sums
    groups: Sequence[str]
    in_place: bool


async def groups_of(reader: Reader, root: str) -> AsyncGenerator[list[str]]:
    """The ids of a tenant's groups, from its root down, in pages that hold about MOST_INSIDE nodes at most."""
    level = [root]
    while level:
        below: list[str] = []
        for start in range(0, len(level), PAGE):
            rows = await reader.run(INSIDE, ids=level[start : start + PAGE])
            for page in packed({row["id"]: 1 + row["inside"] for row in rows}, MOST_INSIDE):
                yield page
                below += [row["id"] for row in await reader.run(GROUPS, ids=page)]
        level = below


async def own(reader: Reader, ids: Collection[str]) -> list[Own]:
    """What is directly in each of the groups."""
    return [_own(row) for row in await reader.run(OWN, ids=list(ids))]


def _own(row: Row) -> Own:
    sums: Sums = {}
    for currency, accounts, high, low in row["cash"]:
        sums[cash_key(currency)] = {ACCOUNTS: accounts, CASH: high * SPLIT + low}
    for currency, symbol, quantity, times in row["held"]:
        sums.setdefault(held_key(currency, symbol), {})[str(quantity)] = times
    return Own(row["id"], sums, row["groups"], row["parents"] == row["folded"])


def sums_of(below: Below) -> Sums:
    """The same totals by their keys."""
    sums: Sums = {cash_key(one.currency): {ACCOUNTS: one.accounts, CASH: one.cash} for one in below.cash}
    for one in below.held:
        sums.setdefault(held_key(one.currency, one.symbol), {})[str(one.quantity)] = one.times
    return sums
