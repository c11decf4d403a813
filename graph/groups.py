"""Group nodes and the edges that contain them."""

from collections.abc import Collection
from typing import Any

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
FIND = Query("groups.find", "UNWIND $ids AS id MATCH (g:Group {id: id}) RETURN id, g {.*} AS node", by="ids")
CHANGE = Query("groups.change", "MATCH (g:Group {id: $id}) SET g += $properties")
OPEN_CHILD = Query(
    "groups.open_child",
    "MATCH (g:Group {id: $id})-[:CONTAINS]->(n) WHERE n.closedAt IS NULL AND coalesce(n.status, '') <> 'CLOSED' "
    "RETURN n.id AS id LIMIT 1",
)
# What a node may lack; a row always has it.
ABSENT: Row = dict.fromkeys(("closedAt", "metadataSchema"))


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
    return {row["node"]["id"]: {**ABSENT, **row["node"]} for row in rows}


async def change(transaction: Transaction, group_id: str, **properties: Any) -> None:
    """Sets properties of a group; None removes one."""
    await transaction.run(CHANGE, id=group_id, properties=properties)


async def has_open_child(reader: Reader, group_id: str) -> bool:
    """Whether a group that is not closed, or an account that is not CLOSED, is directly in the group."""
    return bool(await reader.run(OPEN_CHILD, id=group_id))
