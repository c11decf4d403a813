"""Users, their sessions, and the roles granted to them."""

from collections.abc import Collection, Sequence
from typing import Any, LiteralString

from graph.database import Reader, Row, Transaction
from graph.ids import Kind, kind_of
from graph.query import Query

OF_SESSION: LiteralString = "MATCH (s:Session {hash: hash}) MATCH (u:User {id: s.user}) WHERE NOT u.disabled "
"""From the `hash` of a token to its session `s`, which may have ended, and its enabled user `u`."""
GRANTS: LiteralString = "OPTIONAL MATCH (u)-[g:GRANTED]->(n) "
"""From a user `u` to each node `n` that has a role of theirs, by `g`; to none where there is none."""
_RIGHTS: LiteralString = (
    f"{GRANTS}"
    "RETURN u.id AS id, u.username AS username, u.administrator AS administrator, collect([n.id, g.role]) AS grants"
)
BY_SESSION = Query(
    "users.by_session",
    f"UNWIND $hashes AS hash {OF_SESSION}{_RIGHTS}, s.id AS session, s.until AS until, min(n.root) AS tenant, hash",
    by="hashes",
    of="hash",
)
BY_ID = Query(
    "users.by_id",
    f"UNWIND $ids AS id MATCH (u:User {{id: id}}) WHERE NOT u.disabled {_RIGHTS}, null AS session",
    by="ids",
)
NOW = Query(
    "users.now",
    "UNWIND $rows AS row MATCH (u:User {id: row.user}) WHERE NOT u.disabled AND (row.session IS NULL OR "
    "EXISTS { MATCH (s:Session {user: u.id}) WHERE s.id = row.session AND s.until > $now }) "
    f"{_RIGHTS}, row.session AS session",
)
Session = tuple[str, str | None]
"""A user's id with that of a session of theirs; None where they act without one."""
BY_KEY = Query("users.by_key", "MATCH (u:User {key: $key}) RETURN u {.*} AS user")
CREATE = Query("users.create", "CREATE (u:User) SET u = $properties")
CHANGE = Query("users.change", "MATCH (u:User {id: $id}) SET u += $properties")
CREATE_SESSION = Query("users.create_session", "CREATE (s:Session) SET s = $properties")
END_SESSION = Query("users.end_session", "MATCH (s:Session {user: $user}) WHERE s.id = $session DELETE s")
END_SESSIONS = Query("users.end_sessions", "MATCH (s:Session {user: $user}) WHERE s.id <> $but DELETE s")
DROP_EXPIRED = Query("users.drop_expired_sessions", "MATCH (s:Session {user: $user}) WHERE s.until <= $now DELETE s")
GRANT = Query(
    "users.grant",
    "MATCH (u:User {id: $user}) MATCH (n:Group {id: $node}) "
    "CREATE (u)-[:GRANTED {id: $id, role: $role, since: $at}]->(n)",
)
GRANT_ACCOUNT = Query(
    "users.grant_account",
    "MATCH (u:User {id: $user}) MATCH (n:Account {id: $node}) "
    "CREATE (u)-[:GRANTED {id: $id, role: $role, since: $at}]->(n)",
)
ROLES_ON = Query(
    "users.roles_on", "MATCH (u:User {id: $user})-[g:GRANTED]->(n) WHERE n.id = $node RETURN g.role AS role"
)
REVOKE = Query(
    "users.revoke",
    "MATCH (u:User {id: $user})-[g:GRANTED]->(n) WHERE n.id = $node AND g.role = $role "
    "CREATE (u)-[:WAS_GRANTED {id: g.id, role: g.role, since: g.since, until: $at}]->(n) DELETE g",
)
LIST = Query(
    "users.list",
    "MATCH (u:User) WHERE u.key > $after RETURN u {.*} AS user ORDER BY u.key LIMIT $limit",
)
ON_NODES = Query(
    "users.granted_on",
    "UNWIND $ids AS id MATCH (n:Group {id: id})<-[g:GRANTED]-(u:User) "
    "RETURN id AS node, u.username AS username, g.role AS role, g.since AS since "
    "UNION ALL UNWIND $ids AS id MATCH (n:Account {id: id})<-[g:GRANTED]-(u:User) "
    "RETURN id AS node, u.username AS username, g.role AS role, g.since AS since",
)


async def by_session(reader: Reader, token_hash: str, now: str) -> Row | None:
    """Who a session belongs to; None where it ended or the user is disabled.

    With grants as (node id, role) pairs, and a tenant in which one of the nodes is.
    """
    rows = await reader.run(BY_SESSION, hashes=[token_hash])
    return _viewer([row for row in rows if row["until"] > now])


async def by_id(reader: Reader, user_id: str) -> Row | None:
    """The enabled user of this id, with grants as (node id, role) pairs, or None."""
    return _viewer(await reader.run(BY_ID, ids=[user_id]))


async def now_of(reader: Reader, sessions: Collection[Session], now: str) -> dict[Session, Row]:
    """Who each is, as by_session has it; whose session has ended, and who is disabled, is left out."""
    return by_sessions(await reader.run(NOW, rows=asked(sessions), now=now))


def asked(sessions: Collection[Session]) -> list[Row]:
    """The `rows` that NOW takes for these sessions."""
    return [{"user": user, "session": session} for user, session in dict.fromkeys(sessions)]


def by_sessions(rows: Sequence[Row]) -> dict[Session, Row]:
    """The rows of NOW by their sessions, with grants as pairs."""
    return {(row["id"], row["session"]): _with_grants(row) for row in rows}


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


async def change(transaction: Transaction, user_id: str, properties: Row) -> None:
    """Changes a user."""
    await transaction.run(CHANGE, id=user_id, properties=properties)


async def end_session(transaction: Transaction, user_id: str, session_id: str) -> None:
    """Ends one session of a user."""
    await transaction.run(END_SESSION, user=user_id, session=session_id)


async def end_sessions(transaction: Transaction, user_id: str, but: str = "") -> None:
    """Ends every session of a user but the one whose id is `but`."""
    await transaction.run(END_SESSIONS, user=user_id, but=but)


async def grant(transaction: Transaction, edge: Row) -> None:
    """Adds a role: id, user, node, role and at."""
    await transaction.run(GRANT if kind_of(edge["node"]) is Kind.GROUP else GRANT_ACCOUNT, **edge)


async def roles_on(reader: Reader, user_id: str, node: str) -> frozenset[str]:
    """The roles that a user, enabled or not, holds on this node itself."""
    return frozenset(row["role"] for row in await reader.run(ROLES_ON, user=user_id, node=node))


async def revoke(transaction: Transaction, user_id: str, node: str, role: str, at: str) -> None:
    """Ends a role, which stays as an edge of the past."""
    await transaction.run(REVOKE, user=user_id, node=node, role=role, at=at)


async def page(reader: Reader, after: str, limit: int) -> list[Row]:
    """Users in order of their keys (names in lower case), after that key."""
    return [row["user"] for row in await reader.run(LIST, after=after, limit=limit)]


async def granted_on(reader: Reader, nodes: Sequence[str]) -> list[Row]:
    """Every role granted on these nodes themselves: node, username, role, since."""
    return await reader.run(ON_NODES, ids=list(nodes))


def _viewer(rows: Sequence[Row]) -> Row | None:
    return _with_grants(rows[0]) if rows else None


def _with_grants(row: Row) -> Row:
    pairs: list[list[Any]] = row["grants"]
    return {**row, "grants": [(node, role) for node, role in pairs if node is not None]}
