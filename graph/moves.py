"""Moves in the tree: one CONTAINS edge ends as CONTAINED, and another begins."""

from graph.database import Transaction
from graph.ids import Kind
from graph.query import Query

MOVE_GROUP = Query(
    "moves.move_group",
    "MATCH (n:Group {id: $id})<-[e:CONTAINS]-(p:Group) MATCH (q:Group {id: $parent}) "
    "CREATE (p)-[:CONTAINED {since: e.since, until: $at}]->(n) CREATE (q)-[:CONTAINS {since: $at}]->(n) "
    "DELETE e SET n.version = n.version + 1, n.updatedAt = $at",
)
MOVE_ACCOUNT = Query(
    "moves.move_account",
    "MATCH (n:Account {id: $id})<-[e:CONTAINS]-(p:Group) MATCH (q:Group {id: $parent}) "
    "CREATE (p)-[:CONTAINED {since: e.since, until: $at}]->(n) CREATE (q)-[:CONTAINS {since: $at}]->(n) "
    "DELETE e SET n.version = n.version + 1, n.updatedAt = $at",
)


async def move(transaction: Transaction, node_id: str, kind: Kind, parent: str, at: str) -> None:
    """Moves a group or an account that has a parent under another one; its version grows by one."""
    query = MOVE_GROUP if kind is Kind.GROUP else MOVE_ACCOUNT
    await transaction.run(query, id=node_id, parent=parent, at=at)
