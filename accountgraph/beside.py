"""The graph for a command that works beside a running server, or without one."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

from accountgraph.data_folder import StartFailed, hold_data_folder
from accountgraph.engine import EmbeddedEngine, EngineAddress, running_engine
from accountgraph.settings import Settings
from graph import installation, migrate
from graph.database import Database


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncGenerator[Database]:
    """The graph of the settings: the Neo4j, the engine that a server runs on the data folder, or one of our own.

    Raises StartFailed where it cannot be had.
    """
    async with AsyncExitStack() as stack:
        address = await _address(settings, stack)
        database = Database.connect(address.uri, address.username, address.password, address.database)
        stack.push_async_callback(database.close)
        if not await database.ready():
            raise StartFailed(f"no graph engine answers at {address.uri}, or it refuses the name and password")
        yield database


async def _address(settings: Settings, stack: AsyncExitStack) -> EngineAddress:
    if settings.neo4j_uri is not None:
        assert settings.neo4j_password is not None, "the settings check it"
        password = settings.neo4j_password.get_secret_value()
        return EngineAddress(
            settings.neo4j_uri, settings.neo4j_username, password, settings.neo4j_database, "Neo4j", ""
        )
    running = running_engine(settings.data_dir)
    if running is not None:
        return running
    stack.enter_context(hold_data_folder(settings.data_dir))
    engine = EmbeddedEngine(settings.data_dir)
    stack.push_async_callback(engine.stop)
    return await engine.start()


@asynccontextmanager
async def open_installation(settings: Settings) -> AsyncGenerator[tuple[Database, str]]:
    """The graph of an installation that is there already, at this version, and the installation's id.

    Raises StartFailed where there is none, where migrations are to be done, or where it cannot be had.
    """
    missing = StartFailed("there is no installation yet; `accountgraph serve` makes one")
    if settings.neo4j_uri is None and not (settings.data_dir / "engine").is_dir():
        raise missing
    async with open_database(settings) as database:
        found = await installation.find(database)
        if found is None:
            raise missing
        try:
            waiting = await migrate.pending(database, migrate.shipped())
        except migrate.MigrationError as error:
            raise StartFailed(str(error)) from error
        if waiting:
            raise StartFailed("the data is of an older version; `accountgraph migrate` brings it to this one")
        yield database, found
