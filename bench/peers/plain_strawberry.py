"""The same reads as a Python team would write them: plain Strawberry resolvers and data loaders over the driver.

python -m bench.peers.plain_strawberry, with the engine's address in the environment. It prints its own address when it
listens. It has no access check. A loader takes all keys of a level in one statement; parsed and validated documents are
kept, as Strawberry's documents advise; the server runs with the product's event loop, socket and settings of uvicorn.
"""

import asyncio
import os
from contextlib import closing
from functools import partial
from typing import Any, LiteralString

import strawberry
import uvicorn
from neo4j import READ_ACCESS, AsyncDriver, AsyncGraphDatabase
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader
from strawberry.extensions import ParserCache, ValidationCache

from accountgraph.loops import new_event_loop
from accountgraph.serve import bind

ACCOUNTS: LiteralString = "UNWIND $ids AS id MATCH (n:Account {id: id}) RETURN id AS key, n {.*} AS found"
GROUPS: LiteralString = "UNWIND $ids AS id MATCH (n:Group {id: id}) RETURN id AS key, n {.*} AS found"
ACCOUNTS_BELOW: LiteralString = (
    "UNWIND $ids AS id MATCH (g:Group {id: id}) CALL (g) { MATCH (g)-[:CONTAINS]->(n:Account) "
    "WITH n ORDER BY n.createdAt, n.id LIMIT $first RETURN collect(n {.*}) AS found } RETURN id AS key, found"
)
GROUPS_BELOW: LiteralString = (
    "UNWIND $ids AS id MATCH (g:Group {id: id}) CALL (g) { MATCH (g)-[:CONTAINS]->(n:Group) "
    "WITH n ORDER BY n.createdAt, n.id LIMIT $first RETURN collect(n {.*}) AS found } RETURN id AS key, found"
)
Row = dict[str, Any]
CACHED = 256


class Loaders:
    """The data loaders of one request, one for each statement and size of page."""

    def __init__(self, driver: AsyncDriver, database: str) -> None:
        self._driver = driver
        self._database = database
        self._made: dict[tuple[str, int], DataLoader[str, Any]] = {}

    def of(self, text: LiteralString, first: int = 0) -> DataLoader[str, Any]:
        """The loader that asks this statement; what it finds is None for a key that is not there."""
        key = (text, first)
        if key not in self._made:
            self._made[key] = DataLoader(load_fn=partial(self._load, text, first))
        return self._made[key]

    async def _load(self, text: LiteralString, first: int, keys: list[str]) -> list[Any]:
        async with self._driver.session(database=self._database, default_access_mode=READ_ACCESS) as session:
            result = await session.run(text, ids=keys, first=first)
            found = {row["key"]: row["found"] for row in await result.data()}
        return [found.get(key) for key in keys]


Info = strawberry.Info[Loaders, None]


@strawberry.type
class Account:
    """An account; cash is in minor units, as text because it may be longer than 32 bits."""

    id: strawberry.ID
    name: str
    kind: str
    tier: str | None
    status: str
    currency: str
    version: int
    cash: str

    @classmethod
    def of(cls, row: Row) -> "Account":
        """The account of a row."""
        return cls(
            id=strawberry.ID(row["id"]),
            name=row["name"],
            kind=row["kind"],
            tier=row.get("tier"),
            status=row["status"],
            currency=row["currency"],
            version=row["version"],
            cash=str(row["cash"]),
        )


@strawberry.type
class Group:
    """A group, with what is directly in it."""

    id: strawberry.ID
    name: str

    @classmethod
    def of(cls, row: Row) -> "Group":
        """The group of a row."""
        return cls(id=strawberry.ID(row["id"]), name=row["name"])

    @strawberry.field
    async def groups(self, info: Info, first: int = 50) -> list["Group"]:
        """Its first groups, oldest first."""
        return [Group.of(row) for row in await info.context.of(GROUPS_BELOW, first).load(self.id) or ()]

    @strawberry.field
    async def accounts(self, info: Info, first: int = 50) -> list[Account]:
        """Its first accounts, oldest first."""
        return [Account.of(row) for row in await info.context.of(ACCOUNTS_BELOW, first).load(self.id) or ()]


@strawberry.type
class Query:
    """What can be read."""

    @strawberry.field
    async def account(self, info: Info, id: strawberry.ID) -> Account | None:  # noqa: A002 - the argument's name
        """An account by its id."""
        row = await info.context.of(ACCOUNTS).load(id)
        return Account.of(row) if row else None

    @strawberry.field
    async def group(self, info: Info, id: strawberry.ID) -> Group | None:  # noqa: A002 - the argument's name
        """A group by its id."""
        row = await info.context.of(GROUPS).load(id)
        return Group.of(row) if row else None


class Api(GraphQL[Loaders, None]):
    """The API over one driver; each request has loaders of its own."""

    def __init__(self, driver: AsyncDriver, database: str) -> None:
        kept = [lambda: ParserCache(maxsize=CACHED), lambda: ValidationCache(maxsize=CACHED)]
        super().__init__(strawberry.Schema(Query, extensions=kept), graphql_ide=None)
        self._driver = driver
        self._database = database

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Loaders:
        """New loaders."""
        return Loaders(self._driver, self._database)


async def serve() -> None:
    """Serves until SIGTERM, on a free port of loopback."""
    signs_in = (os.environ["NEO4J_USERNAME"], os.environ["NEO4J_PASSWORD"])
    async with AsyncGraphDatabase.driver(
        os.environ["NEO4J_URI"], auth=signs_in, notifications_min_severity="OFF", telemetry_disabled=True
    ) as driver:
        app = Api(driver, os.environ["NEO4J_DATABASE"])
        config = uvicorn.Config(
            app,  # pyright: ignore[reportArgumentType]
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
        )
        with closing(bind("127.0.0.1", 0)) as listener:
            print(f"Ready http://127.0.0.1:{listener.getsockname()[1]}/", flush=True)
            await uvicorn.Server(config).serve(sockets=[listener])


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(serve())
