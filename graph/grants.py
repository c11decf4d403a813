"""Lists of users, and of the roles that are granted on nodes."""

from collections.abc import Sequence

from graph.database import Reader, Row
from graph.query import Query

_ON = (
    "UNWIND $ids AS id CALL (id) { "
    "MATCH (:Group {id: id})<-[g:GRANTED]-(u:User) RETURN g, u "
    "UNION ALL MATCH (:Account {id: id})<-[g:GRANTED]-(u:User) RETURN g, u } "
)
PAGE = Query(
    "grants.page",
    _ON + "WITH id, g, u WHERE g.id > $after "
    "RETURN g.id AS id, id AS node, u.username AS username, g.role AS role, g.since AS since "
    "ORDER BY g.id LIMIT $limit",
)
TOTAL = Query("grants.total", _ON + "RETURN count(g) AS total")
USERS_TOTAL = Query("grants.users_total", "MATCH (u:User) WHERE u.key > '' RETURN count(u) AS total")


async def page(reader: Reader, nodes: Sequence[str], after: str, limit: int) -> list[Row]:
    """The roles granted on these nodes themselves, the oldest first, after the grant of id `after`."""
    return await reader.run(PAGE, ids=list(nodes), after=after, limit=limit)


async def total(reader: Reader, nodes: Sequence[str]) -> int:
    """How many roles are granted on these nodes themselves."""
    return (await reader.run(TOTAL, ids=list(nodes)))[0]["total"]


async def users_total(reader: Reader) -> int:
    """How many users there are."""
    return (await reader.run(USERS_TOTAL))[0]["total"]
