"""Account nodes, as rows of their own properties."""

from collections.abc import Collection

from graph.database import Reader, Row
from graph.query import Query

FIND = Query("accounts.find", "UNWIND $ids AS id MATCH (a:Account {id: id}) RETURN a {.*} AS node")
# What a node may lack; a row always has it.
ABSENT: Row = dict.fromkeys(("description", "tier", "lock"))


async def find(reader: Reader, ids: Collection[str]) -> dict[str, Row]:
    """The properties of the accounts of these ids, by id."""
    rows = await reader.run(FIND, ids=list(ids))
    return {row["node"]["id"]: {**ABSENT, **row["node"]} for row in rows}
