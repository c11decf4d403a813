"""What the soak runs share."""

from collections.abc import AsyncGenerator, Iterator

import pytest

from accountgraph.engine import EngineAddress
from tests.support.engines import chosen_engine, start_engine, wipe
from tests.support.house import Address


@pytest.fixture(scope="session")
def engine_apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineAddress]:
    """An engine of the chosen kind that no other test uses."""
    with start_engine(tmp_path_factory.mktemp("apart")) as started:
        yield started


@pytest.fixture
async def apart(engine_apart: EngineAddress) -> AsyncGenerator[Address]:
    """That engine, empty: the books on it are the test's alone, so that all of them can be proved."""
    yield Address(engine_apart.uri, engine_apart.username, engine_apart.password, engine_apart.database)
    await wipe(engine_apart, schema=True)


@pytest.fixture
def own(request: pytest.FixtureRequest) -> Address | None:
    """The engine of a server whose books are the test's alone: None on ArcadeDB, where the server starts its own."""
    return request.getfixturevalue("apart") if chosen_engine() == "neo4j" else None
