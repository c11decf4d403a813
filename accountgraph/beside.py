"""The installation for a command that works beside a running server, or without one."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from accountgraph.data_folder import StartFailed
from accountgraph.reaching import reached
from accountgraph.settings import Settings
from graph import installation, migrate
from graph.database import Database


@asynccontextmanager
async def open_installation(settings: Settings) -> AsyncGenerator[tuple[Database, str]]:
    """The graph of an installation that is there already, at this version, and the installation's id.

    Raises StartFailed where there is none, where migrations are to be done, or where it cannot be had.
    """
    missing = StartFailed("there is no installation yet; `accountgraph serve` makes one")
    if settings.neo4j_uri is None and not (settings.data_dir / "engine").is_dir():
        raise missing
    async with reached(settings) as database:
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
