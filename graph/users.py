"""Users, their sessions, and the roles granted to them."""

from collections.abc import Sequence
from typing import Any

from graph.database import Reader, Row, Transaction
from graph.query import Query

BY_SESSION = Query(
    "users.by_session",
    "MATCH (s:Session {hash: $hash}) WHERE s.until > $now MATCH (u:User {id: s.user}) WHERE NOT u.disabled "
    "OPTIONAL MATCH (u)-[g:GRANTED]->(n) "
    "RETURN u.id AS id, u.username AS username, u.administrator AS administrator, s.id AS session, "
    "collect([n.id, g.role]) AS grants",
)
BY_ID = Query(
    "users.by_id",
    "MATCH (u:User {id: $id}) WHERE NOT u.disabled OPTIONAL MATCH (u)-[g:GRANTED]->(n) "
    "RETURN u.id AS id, u.username AS username, u.administrator AS administrator, null AS session, "
    "collect([n.id, g.role]) AS grants",
)
BY_KEY = Query("users.by_key", "MATCH (u:User {key: $key}) RETURN u {.*} AS user")
CREATE = Query("users.create", "CREATE (u:User) SET u = $properties")
CHANGE = Query("users.change", "MATCH (u:User {id: $id}) SET u += $properties")
CREATE_SESSION = Query("users.create_session", "CREATE (s:Session) SET s = $properties")
END_SESSION = Query("users.end_session", "MATCH (s:Session {hash: $hash}) DELETE s")
END_SESSIONS = Query("users.end_sessions", "MATCH (s:Session {user: $user}) WHERE s.hash <> $but DELETE s")
DROP_EXPIRED = Query("users.drop_expired_sessions", "MATCH (s:Session {user: $user}) WHERE s.until <= $now DELETE s")


async def by_session(reader: Reader, token_hash: str, now: str) -> Row | None:
    """Who a session belongs to, with grants as (node id, role) pairs; None where it ended or the user is disabled."""
    rows = await reader.run(BY_SESSION, hash=token_hash, now=now)
    return _viewer(rows)


async def by_id(reader: Reader, user_id: str) -> Row | None:
    """The enabled user of this id, with grants as (node id, role) pairs, or None."""
    return _viewer(await reader.run(BY_ID, id=user_id))


async def by_key(reader: Reader, username: str) -> Row | None:
    """Every property of the user of this name, or None. Names are the same where only their case differs."""
    rows = await reader.run(BY_KEY, key=username.casefold())
    return rows[0]["user"] if rows else None


async def create(transaction: Transaction, properties: Row) -> None:
    """Creates a user; Duplicate at the commit where the name is taken."""
    await transaction.run(CREATE, properties={**properties, "key": properties["username"].casefold()})


async def create_session(transaction: Transaction, properties: Row) -> None:
    """Creates a session and drops the user's ended ones."""
    await transaction.run(DROP_EXPIRED, user=properties["user"], now=properties["at"])
    await transaction.run(CREATE_SESSION, properties=properties)


def _viewer(rows: Sequence[Row]) -> Row | None:
    if not rows:
        return None
    pairs: list[list[Any]] = rows[0]["grants"]
    return {**rows[0], "grants": [(node, role) for node, role in pairs if node is not None]}
