"""What accounts hold: positions of instruments, each with the lots that it consists of.

Quantities are integers of 1e-8. `held` is the quantity that open orders hold back. A lot keeps the price that it was
bought at as exact decimal text. A position that is sold out leaves HOLDS for HELD, and an emptied lot LOT for SPENT.
"""

from collections.abc import Collection

from graph.database import Reader, Row
from graph.query import Query

OF_ACCOUNTS = Query(
    "positions.of_accounts",
    "UNWIND $ids AS id MATCH (a:Account {id: id})-[:HOLDS]->(p:Position) "
    "RETURN id AS account, p {.*} AS position ORDER BY p.symbol",
)
LOTS = Query(
    "positions.lots",
    "UNWIND $ids AS id MATCH (p:Position {id: id})-[:LOT]->(l:Lot) RETURN id AS position, l {.*} AS lot "
    "ORDER BY l.place",
)


async def of_accounts(reader: Reader, ids: Collection[str]) -> dict[str, list[Row]]:
    """The present positions of each account by its id, in order of symbol; an empty list where it has none."""
    found: dict[str, list[Row]] = {account: [] for account in ids}
    for row in await reader.run(OF_ACCOUNTS, ids=list(found)):
        found[row["account"]].append(row["position"])
    return found


async def lots(reader: Reader, ids: Collection[str]) -> dict[str, list[Row]]:
    """The open lots of each position, oldest first, by position id."""
    found: dict[str, list[Row]] = {position: [] for position in ids}
    for row in await reader.run(LOTS, ids=list(found)):
        found[row["position"]].append(row["lot"])
    return found
