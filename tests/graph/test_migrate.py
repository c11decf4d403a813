"""Migrations: applied once, in order, by one process at a time; history that is not ours stops the start."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from datetime import timedelta

import pytest
from neo4j.exceptions import CypherSyntaxError

from accountgraph.engine import EngineAddress
from graph import clock, migrate
from graph.database import Database, Row, Transaction
from graph.migrate import MigrationError
from graph.query import Query
from tests.support.engines import start_engine, wipe
from tests.support.graphs import connected, statement

pytestmark = pytest.mark.anyio

RECORDED = statement("MATCH (m:Migration) WHERE m.number > 0 RETURN m.number AS number, m.name AS name ORDER BY number")
PAINT = "CREATE INDEX thing_colour IF NOT EXISTS FOR (n:Thing) ON (n.colour);\nMATCH (n:Thing) SET n.colour = 'red';\n"
PAINTED = statement("MATCH (n:Thing) RETURN n.name AS name, n.colour AS colour ORDER BY name")
ADD = statement("CREATE (n:Thing {name: $name})")
ACCOUNT = statement("CREATE (n:Account) SET n = $row")
ENTRY = statement("CREATE (n:Entry) SET n = $row")
TOTALS = statement("MATCH (t:PeriodTotal) RETURN t {.*} AS total ORDER BY t.ledger, t.period")
HOLD = statement("MERGE (l:Lease {id: $id}) SET l.owner = $owner, l.until = $until")


@pytest.fixture(scope="module")
def own_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineAddress]:
    """An engine that no other test uses: migrations are of a whole database."""
    with start_engine(tmp_path_factory.mktemp("migrations")) as started:
        yield started


@pytest.fixture
async def empty(own_engine: EngineAddress) -> AsyncGenerator[Database]:
    """A database that nothing was ever applied to."""
    async with connected(own_engine) as database:
        yield database
    await wipe(own_engine, schema=True)


async def write(database: Database, query: Query, **values: str) -> None:
    """Runs one writing statement."""

    async def work(transaction: Transaction) -> None:
        await transaction.run(query, **values)

    await database.write(work, queue="test")


async def write_rows(database: Database, query: Query, *rows: Row) -> None:
    """Runs a writing statement for each row."""

    async def work(transaction: Transaction) -> None:
        for row in rows:
            await transaction.run(query, row=row)

    await database.write(work, queue="test")


async def numbers(database: Database) -> list[int]:
    """The numbers of the migrations that the data has."""
    return [row["number"] for row in await database.run(RECORDED)]


async def test_an_empty_database_gets_every_migration_once(empty: Database) -> None:
    shipped = migrate.shipped()
    assert [migration.number for migration in shipped] == list(range(1, len(shipped) + 1))
    assert await migrate.migrate(empty) == shipped
    assert await migrate.migrate(empty) == []
    assert await numbers(empty) == [migration.number for migration in shipped]


async def test_several_who_start_at_once_apply_each_once(own_engine: EngineAddress, empty: Database) -> None:
    async with connected(own_engine) as second, connected(own_engine) as third, connected(own_engine) as fourth:
        everyone = [empty, second, third, fourth]
        applied = await asyncio.gather(*(migrate.migrate(database) for database in everyone))
    assert sorted(len(one) for one in applied) == [0, 0, 0, len(migrate.shipped())]
    assert await numbers(empty) == [migration.number for migration in migrate.shipped()]


async def test_entries_of_a_version_without_totals_are_added_up(empty: Database) -> None:
    older = [migration for migration in migrate.shipped() if migration.name != "period_totals"]
    await migrate.migrate(empty, older)
    account, day = {"id": "acc_1", "place": 3}, {"ledger": "acc_1", "valueDate": "2026-03-01"}
    await write_rows(empty, ACCOUNT, account)
    entries = [
        {**day, "id": f"ent_{place}", "place": place, "amount": amount, "state": state}
        for place, amount, state in ((1, 500, "POSTED"), (2, -200, "POSTED"), (3, -90, "PENDING"))
    ]
    await write_rows(empty, ENTRY, *entries, {"id": "ent_0", "ledger": "grp_1:USD:world", "valueDate": "2026-03-01"})
    await migrate.migrate(empty)
    common = {"ledger": "acc_1", "amount": 300, "first": 1, "last": 3}
    assert [row["total"] for row in await empty.run(TOTALS)] == [
        {**common, "period": period} for period in ("D2026-03-01", "M2026-03", "Y2026")
    ]


async def test_data_of_an_older_version_is_brought_to_this_one(empty: Database) -> None:
    older = migrate.shipped()
    await migrate.migrate(empty, older)
    await write(empty, ADD, name="chair")
    newer = [*older, migrate.read("0901_paint.cypher", PAINT)]
    assert [migration.name for migration in await migrate.migrate(empty, newer)] == ["paint"]
    await write(empty, ADD, name="table")
    assert await migrate.migrate(empty, newer) == []
    assert await empty.run(PAINTED) == [{"name": "chair", "colour": "red"}, {"name": "table", "colour": None}]


async def test_data_of_a_newer_version_stops_the_start(empty: Database) -> None:
    await migrate.migrate(empty, [*migrate.shipped(), migrate.read("0901_paint.cypher", PAINT)])
    with pytest.raises(MigrationError, match=r"written by a newer version \(migration 0901\)"):
        await migrate.migrate(empty)
    assert 901 in await numbers(empty)


async def test_an_edited_migration_stops_the_start(empty: Database) -> None:
    known = migrate.shipped()
    await migrate.migrate(empty, [*known, migrate.read("0901_paint.cypher", PAINT)])
    await write(empty, ADD, name="chair")
    edited = migrate.read("0901_paint.cypher", PAINT.replace("red", "blue"))
    with pytest.raises(MigrationError, match="0901_paint was edited after it was applied"):
        await migrate.migrate(empty, [*known, edited])
    assert await empty.run(PAINTED) == [{"name": "chair", "colour": None}]


async def test_one_that_fails_is_not_recorded_and_goes_on_where_it_is_mended(empty: Database) -> None:
    broken = migrate.read("0901_paint.cypher", f"{PAINT}MATCH (n:Thing SET n.x = 1;")
    with pytest.raises(CypherSyntaxError):
        await migrate.migrate(empty, [*migrate.shipped(), broken])
    assert 901 not in await numbers(empty)
    mended = migrate.read("0901_paint.cypher", PAINT)
    assert await migrate.migrate(empty, [*migrate.shipped(), mended]) == [mended]


async def test_a_lease_is_waited_for(own_engine: EngineAddress, empty: Database) -> None:
    await migrate.migrate(empty)
    await migrate.acquire_lease(empty, "migrations", "one")
    async with connected(own_engine) as other:
        waiting = asyncio.create_task(migrate.acquire_lease(other, "migrations", "two"))
        done, _ = await asyncio.wait({waiting}, timeout=0.5)
        assert done == set()
        await migrate.release_lease(empty, "migrations", "two")  # of whom it is not
        await migrate.release_lease(empty, "migrations", "one")
        await waiting


async def test_the_lease_of_one_who_died_is_taken_over_when_it_ends(empty: Database) -> None:
    await migrate.migrate(empty)
    ended = clock.to_text(clock.now() - timedelta(seconds=1))
    await write(empty, HOLD, id="migrations", owner="the dead", until=ended)
    await migrate.acquire_lease(empty, "migrations", "the living")


def test_a_file_is_read_as_statements_without_its_comments() -> None:
    text = "// Says why; at length.\nCREATE (n:A);\n  // and more\nMATCH (n)\nRETURN n;\n\n"
    migration = migrate.read("0012_two_things.cypher", text)
    assert (migration.number, migration.name) == (12, "two_things")
    assert migration.statements == ("CREATE (n:A)", "MATCH (n)\nRETURN n")
    assert migration.hash != migrate.read("0012_two_things.cypher", f"{text}\n").hash
