"""The engine that the suite runs on is started, filled and emptied like any other of its kind."""

from pathlib import Path

import pytest
from neo4j import AsyncGraphDatabase

from tests.support.engines import CONSTRAINTS, INDEXES, chosen_engine, rows, start_engine, wipe

pytestmark = pytest.mark.anyio


async def test_wiping_leaves_neither_data_nor_schema(tmp_path: Path) -> None:
    with start_engine(tmp_path) as address:
        async with AsyncGraphDatabase.driver(address.uri, auth=(address.username, address.password)) as driver:
            await rows(driver, address, "CREATE CONSTRAINT one IF NOT EXISTS FOR (n:One) REQUIRE (n.a, n.b) IS UNIQUE")
            await rows(driver, address, "CREATE INDEX since IF NOT EXISTS FOR ()-[r:TO]-() ON (r.since)")
            fill = "UNWIND range(1, 12000) AS i CREATE (:One {a: i, b: 1})-[:TO {since: 'x'}]->(:Two {i: i})"
            await rows(driver, address, fill)

            await wipe(address, schema=True)

            assert await rows(driver, address, "MATCH (n) RETURN count(n) AS n") == [{"n": 0}]
            assert await rows(driver, address, CONSTRAINTS) == []
            assert [row for row in await rows(driver, address, INDEXES) if row["type"] != "LOOKUP"] == []


async def test_wiping_keeps_the_schema_unless_asked(tmp_path: Path) -> None:
    with start_engine(tmp_path) as address:
        async with AsyncGraphDatabase.driver(address.uri, auth=(address.username, address.password)) as driver:
            await rows(driver, address, "CREATE CONSTRAINT one IF NOT EXISTS FOR (n:One) REQUIRE n.a IS UNIQUE")
            await rows(driver, address, "CREATE (:One {a: 1})")

            await wipe(address)

            assert await rows(driver, address, "MATCH (n) RETURN count(n) AS n") == [{"n": 0}]
            assert [row["name"] for row in await rows(driver, address, CONSTRAINTS)] == ["one"]


def test_an_unknown_engine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCOUNTGRAPH_TEST_ENGINE", "postgres")

    with pytest.raises(AssertionError, match="arcadedb or neo4j"):
        chosen_engine()
