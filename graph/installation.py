"""The installation: one node, whose id is also the id of the feed for what belongs to no tenant."""

from graph import journal, structure
from graph.database import Reader, Row, Transaction
from graph.query import Query

FIND = Query("installation.find", "MATCH (k:Lease {id: 'installation'}) RETURN k.installation AS id")
CREATE = Query(
    "installation.create",
    "MERGE (k:Lease {id: 'installation'}) SET k.installation = $id CREATE (i:Installation {id: $id, createdAt: $at})",
)
ADMINISTRATORS = Query(
    "installation.administrators",
    "MATCH (i:Installation {id: $id})-[:ADMINISTERED_BY]->(u:User) WHERE NOT u.disabled RETURN count(u) AS total",
)
APPOINT = Query(
    "installation.appoint",
    "MATCH (i:Installation {id: $id}) MATCH (u:User {id: $user}) SET u.administrator = true "
    "MERGE (i)-[r:ADMINISTERED_BY]->(u) ON CREATE SET r.since = $at",
)
DISMISS = Query(
    "installation.dismiss",
    "MATCH (i:Installation {id: $id})-[r:ADMINISTERED_BY]->(u:User {id: $user}) SET u.administrator = false DELETE r",
)


async def find(reader: Reader) -> str | None:
    """The installation's id, or None before the first start has made it."""
    rows: list[Row] = await reader.run(FIND)
    return rows[0]["id"] if rows and rows[0]["id"] else None


async def create(transaction: Transaction, node_id: str, at: str) -> None:
    """Creates the installation and its feed."""
    await transaction.run(CREATE, id=node_id, at=at)
    await structure.found(transaction, node_id)
    await journal.create_feed(transaction, node_id)


async def dismiss(transaction: Transaction, node_id: str, user_id: str) -> None:
    """Takes the administration of the installation from a user."""
    await transaction.run(DISMISS, id=node_id, user=user_id)


async def administrators(reader: Reader, node_id: str) -> int:
    """How many enabled users administer the installation."""
    return (await reader.run(ADMINISTRATORS, id=node_id))[0]["total"]


async def appoint(transaction: Transaction, node_id: str, user_id: str, at: str) -> None:
    """Makes a user an administrator of the installation."""
    await transaction.run(APPOINT, id=node_id, user=user_id, at=at)
