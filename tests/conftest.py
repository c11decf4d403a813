"""What every test shares."""

from collections.abc import AsyncGenerator, Iterator

import pytest

from tests.support.house import Address, House, address_from_environment, open_house


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Tests run on asyncio, as the server does."""
    return "asyncio"


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    """The engine of this run: the one that the environment names, or one that is started for it."""
    named = address_from_environment()
    if named is not None:
        yield named
        return
    from tests.support.engines import start_engine

    with start_engine(tmp_path_factory.mktemp("engine")) as started:
        yield Address(started.uri, started.username, started.password, started.database)


@pytest.fixture
async def house(engine: Address) -> AsyncGenerator[House]:
    """The services on the run's engine, with a tenant of the test's own."""
    async with open_house(engine) as opened:
        yield opened
