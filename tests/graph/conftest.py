"""What the tests of graph/ share."""

from collections.abc import AsyncGenerator

import pytest

from graph.database import Database
from graph.migrate import migrate
from tests.support.graphs import connected
from tests.support.house import Address


@pytest.fixture
async def database(engine: Address) -> AsyncGenerator[Database]:
    """The run's engine with every migration applied."""
    async with connected(engine) as opened:
        await migrate(opened)
        yield opened
