"""The official driver by itself, in auto-commit, with Cypher that answers what the measured requests ask."""

from typing import Any, LiteralString

from neo4j import READ_ACCESS, AsyncDriver, AsyncGraphDatabase

from accountgraph.engine import EngineAddress

POINT: LiteralString = (
    "MATCH (a:Account {id: $id}) RETURN a {.id, .name, .kind, .tier, .status, .currency, .version, .cash} AS account"
)
NESTED: LiteralString = (
    "MATCH (r:Group {id: $id})-[:CONTAINS]->(g:Group) WITH r, g ORDER BY g.createdAt, g.id LIMIT $groups "
    "CALL (g) { MATCH (g)-[:CONTAINS]->(a:Account) WITH a ORDER BY a.createdAt, a.id LIMIT $each RETURN "
    "collect(a {.id, .name, .kind, .tier, .status, .currency, .version, .cash}) AS accounts } "
    "RETURN r.id AS id, r.name AS name, collect({id: g.id, name: g.name, accounts: accounts}) AS groups"
)

WIDE: LiteralString = (
    "MATCH (r:Group {id: $id}) CALL (r) { MATCH (r)-[:CONTAINS]->(h:Group) WITH h ORDER BY h.createdAt, h.id "
    "LIMIT $groups CALL (h) { MATCH (h)-[:CONTAINS]->(g:Group) WITH g ORDER BY g.createdAt, g.id LIMIT $groups "
    "CALL (g) { MATCH (g)-[:CONTAINS]->(a:Account) WITH a ORDER BY a.createdAt, a.id LIMIT $each RETURN "
    "collect(a {.id, .name, .kind, .tier, .status, .currency, .version, .cash}) AS accounts } "
    "RETURN collect({id: g.id, name: g.name, accounts: accounts}) AS inner } "
    "RETURN collect({id: h.id, name: h.name, groups: inner}) AS groups } RETURN r.id AS id, r.name AS name, groups"
)


class Driver:
    """One driver, set up as the product's own is: a session for each statement, no notifications, rows as dicts."""

    def __init__(self, address: EngineAddress, connections: int) -> None:
        self._database = address.database
        self._driver: AsyncDriver = AsyncGraphDatabase.driver(
            address.uri,
            auth=(address.username, address.password),
            max_connection_pool_size=connections,
            notifications_min_severity="OFF",
            telemetry_disabled=True,
        )

    async def point(self, account: str) -> dict[str, Any]:
        """An account's own properties."""
        return (await self._read(POINT, id=account))[0]["account"]

    async def nested(self, root: str, groups: int, each: int) -> dict[str, Any]:
        """A group with the first groups in it and the first accounts in each."""
        return (await self._read(NESTED, id=root, groups=groups, each=each))[0]

    async def wide(self, root: str, groups: int, each: int) -> dict[str, Any]:
        """A group with the first groups in it, the first in each of these, and the first accounts in each of those."""
        return (await self._read(WIDE, id=root, groups=groups, each=each))[0]

    async def close(self) -> None:
        """Ends its connections."""
        await self._driver.close()

    async def _read(self, text: LiteralString, **parameters: Any) -> list[dict[str, Any]]:
        async with self._driver.session(database=self._database, default_access_mode=READ_ACCESS) as session:
            result = await session.run(text, parameters)
            return await result.data()
