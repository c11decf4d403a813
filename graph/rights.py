"""The rights that signed-in users have now, for several of them at once."""

from collections.abc import Collection

from graph.database import Reader, Row
from graph.query import Query

NOW = Query(
    "rights.now",
    "UNWIND $rows AS row MATCH (u:User {id: row.user}) WHERE NOT u.disabled AND (row.session IS NULL OR "
    "EXISTS { MATCH (s:Session {user: u.id}) WHERE s.id = row.session AND s.until > $now }) "
    "OPTIONAL MATCH (u)-[g:GRANTED]->(n) RETURN u.id AS id, u.username AS username, "
    "u.administrator AS administrator, row.session AS session, collect([n.id, g.role]) AS grants",
)
Session = tuple[str, str | None]
"""A user's id with that of a session of theirs; None where they act without one."""


async def now_of(reader: Reader, sessions: Collection[Session], now: str) -> dict[Session, Row]:
    """Who each is, as users.of_session has it, by user and session; one that may not go on is left out."""
    rows = [{"user": user, "session": session} for user, session in dict.fromkeys(sessions)]
    found = await reader.run(NOW, rows=rows, now=now)
    return {(row["id"], row["session"]): {**row, "grants": _grants(row)} for row in found}


def _grants(row: Row) -> list[tuple[str, str]]:
    return [(node, role) for node, role in row["grants"] if node is not None]
