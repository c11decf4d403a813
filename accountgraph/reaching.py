"""The graph for a command that runs beside a server, or without one."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

from accountgraph.data_folder import StartFailed, hold_data_folder
from accountgraph.engine import EmbeddedEngine, EngineAddress, running_engine
from accountgraph.settings import Settings
from graph.database import Database


@asynccontextmanager
async def reached(settings: Settings) -> AsyncGenerator[Database]:
    """The database of the settings: a Neo4j, the engine of a running server, or an engine of this command's own.

    Raises StartFailed.
    """
    async with AsyncExitStack() as stack:
        address = await _address(settings, stack)
        database = Database.connect(address.uri, address.username, address.password, address.database)
        stack.push_async_callback(database.close)
        await require_answer(database, address)
        yield database


async def require_answer(database: Database, address: EngineAddress) -> None:
    """Raises StartFailed where no engine answers at the address."""
    if not await database.ready():
        raise StartFailed(f"no graph engine answers at {address.uri}, or it refuses the name and password")


def neo4j_address(settings: Settings) -> EngineAddress | None:
    """The address of the Neo4j that the settings name; None where the engine is the embedded one."""
    if settings.neo4j_uri is None:
        return None
    assert settings.neo4j_password is not None, "the settings check it"
    password = settings.neo4j_password.get_secret_value()
    return EngineAddress(settings.neo4j_uri, settings.neo4j_username, password, settings.neo4j_database, "Neo4j", "")


async def _address(settings: Settings, stack: AsyncExitStack) -> EngineAddress:
    there = neo4j_address(settings) or running_engine(settings.data_dir)
    if there is not None:
        return there
    stack.enter_context(hold_data_folder(settings.data_dir))
    engine = EmbeddedEngine(settings.data_dir)
    address = await engine.start()
    stack.push_async_callback(engine.stop)
    return address
