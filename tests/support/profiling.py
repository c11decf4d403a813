"""What a statement touches on Neo4j, as its profile counts it."""

from collections.abc import Mapping
from typing import Any

import neo4j

from tests.support.engines import chosen_engine
from tests.support.house import Address


async def db_hits(engine: Address, text: str, values: Mapping[str, Any]) -> int:
    """How many accesses to its store and its indexes Neo4j makes for the statement; 0 where another engine runs."""
    if chosen_engine() != "neo4j":
        return 0
    driver = neo4j.AsyncGraphDatabase.driver(
        engine.uri, auth=(engine.username, engine.password), notifications_min_severity="OFF"
    )
    async with driver, driver.session(database=engine.database) as session:
        statement = neo4j.Query(f"PROFILE {text}")  # pyright: ignore[reportArgumentType]
        result = await session.run(statement, dict(values))
        profile = (await result.consume()).profile
    assert profile is not None
    return _hits(profile)


def _hits(step: Mapping[str, Any]) -> int:
    return step.get("dbHits", 0) + sum(_hits(child) for child in step.get("children", ()))
