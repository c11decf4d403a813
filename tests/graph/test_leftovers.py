"""A constraint is created where the index of one that was never finished stands in its way."""

import pytest

from graph.database import Database
from tests.support.engines import chosen_engine
from tests.support.graphs import connected, statement
from tests.support.house import Address

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(chosen_engine() != "neo4j", reason="Neo4j alone leaves indexes behind"),
]
LEFT = "CREATE INDEX left_behind FOR (n:LeftBehind) ON (n.number)"
CONSTRAINT = "CREATE CONSTRAINT left_behind IF NOT EXISTS FOR (n:LeftBehind) REQUIRE n.number IS UNIQUE"
GONE = ["DROP CONSTRAINT left_behind IF EXISTS"]
OWNERS = statement(
    "SHOW INDEXES YIELD name, owningConstraint WHERE name = 'left_behind' RETURN owningConstraint AS owner"
)


async def owners(database: Database) -> list[str | None]:
    """The constraints of the indexes of that name."""
    return [row["owner"] for row in await database.run(OWNERS)]


async def test_an_index_of_nobody_gives_way_to_its_constraint(engine: Address) -> None:
    async with connected(engine) as database:
        await database.execute([LEFT])
        assert await owners(database) == [None]
        try:
            await database.execute([CONSTRAINT, CONSTRAINT])
            assert await owners(database) == ["left_behind"]
        finally:
            await database.execute(GONE)
