"""The engines that the suite runs on: embedded ArcadeDB, or a real Neo4j where ACCOUNTGRAPH_TEST_ENGINE says so."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, LiteralString, cast

from anyio.from_thread import start_blocking_portal
from neo4j import AsyncDriver, AsyncGraphDatabase

from accountgraph.engine import EmbeddedEngine, EngineAddress
from scripts.run_neo4j import Neo4jServer

BATCH = 10_000
DELETE_SOME: LiteralString = "MATCH (n) WITH n LIMIT $batch DETACH DELETE n RETURN count(*) AS deleted"
CONSTRAINTS: LiteralString = "SHOW CONSTRAINTS YIELD name RETURN name"
INDEXES: LiteralString = "SHOW INDEXES YIELD name, type, owningConstraint RETURN name, type, owningConstraint"


def chosen_engine() -> str:
    """`arcadedb` or `neo4j`, as ACCOUNTGRAPH_TEST_ENGINE says; ArcadeDB where it says nothing."""
    kind = os.environ.get("ACCOUNTGRAPH_TEST_ENGINE") or "arcadedb"
    assert kind in ("arcadedb", "neo4j"), f"ACCOUNTGRAPH_TEST_ENGINE is arcadedb or neo4j, not {kind}"
    return kind


@contextmanager
def start_engine(folder: Path, kind: str | None = None) -> Generator[EngineAddress]:
    """A running engine with its data in the folder, of the kind that is asked for or chosen; stopped at the end."""
    engine = Neo4jServer(folder) if (kind or chosen_engine()) == "neo4j" else EmbeddedEngine(folder)
    # An event loop of its own, which outlives those of the tests.
    with start_blocking_portal() as portal:
        try:
            yield portal.call(engine.start)
        finally:
            portal.call(engine.stop)


async def wipe(address: EngineAddress, *, schema: bool = False) -> None:
    """Deletes every node of the database in bounded batches, and its constraints and indexes too where asked."""
    async with AsyncGraphDatabase.driver(address.uri, auth=(address.username, address.password)) as driver:
        # First, since ArcadeDB takes long to delete what shares one value of an index.
        if schema:
            await drop_schema(driver, address)
        while (await rows(driver, address, DELETE_SOME, batch=BATCH))[0]["deleted"]:
            pass


async def drop_schema(driver: AsyncDriver, address: EngineAddress) -> None:
    """Drops every constraint and index but Neo4j's own look-up indexes."""
    for row in await rows(driver, address, CONSTRAINTS):
        await rows(driver, address, dropping("CONSTRAINT", row["name"]))
    for row in await rows(driver, address, INDEXES):
        if row["type"] != "LOOKUP" and row["owningConstraint"] is None:
            await rows(driver, address, dropping("INDEX", row["name"]))


def dropping(what: LiteralString, name: str) -> LiteralString:
    """The statement that drops what the engine itself has named; a name cannot be a parameter."""
    return cast("LiteralString", f"DROP {what} `{name.replace('`', '``')}` IF EXISTS")


async def rows(driver: AsyncDriver, address: EngineAddress, query: LiteralString, **values: Any) -> list[Any]:
    """What one statement returns."""
    records, _, _ = await driver.execute_query(query, values, database_=address.database)
    return [record.data() for record in records]
