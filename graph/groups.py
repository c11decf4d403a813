"""Group nodes and the edges that contain them."""

from collections.abc import Collection

from graph.database import Reader, Row, Transaction
from graph.query import Query

CREATE_ROOT = Query(
    "groups.create_root",
    "MATCH (i:Installation {id: $installation}) CREATE (g:Group) SET g = $properties "
    "CREATE (i)-[:HOSTS {since: $at}]->(g)",
)
CREATE_BELOW = Query(
    "groups.create_below",
    "MATCH (p:Group {id: $parent}) CREATE (g:Group) SET g = $properties CREATE (p)-[:CONTAINS {since: $at}]->(g)",
)
FIND = Query("groups.find", "UNWIND $ids AS id MATCH (g:Group {id: id}) RETURN g {.*} AS node")


async def create(transaction: Transaction, properties: Row, parent: str | None, installation: str) -> None:
    """Creates a group under its parent, or as a tenant's root at the installation."""
    at = properties["createdAt"]
    if parent is None:
        await transaction.run(CREATE_ROOT, properties=properties, installation=installation, at=at)
    else:
        await transaction.run(CREATE_BELOW, properties=properties, parent=parent, at=at)


async def find(reader: Reader, ids: Collection[str]) -> dict[str, Row]:
    """The properties of the groups of these ids, by id."""
    rows = await reader.run(FIND, ids=list(ids))
    return {row["node"]["id"]: row["node"] for row in rows}
