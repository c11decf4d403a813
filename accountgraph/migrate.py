"""`accountgraph migrate`: brings the data to this version without serving."""

import asyncio

import click

from accountgraph.data_folder import StartFailed
from accountgraph.reaching import reached
from accountgraph.settings import Settings
from graph.migrate import MigrationError, migrate


def run(settings: Settings) -> int:
    """Applies what is pending and says which; 0. Raises StartFailed, or EngineUnavailable."""
    asyncio.run(_run(settings))
    return 0


async def _run(settings: Settings) -> None:
    async with reached(settings) as database:
        try:
            applied = await migrate(database)
        except MigrationError as error:
            raise StartFailed(str(error)) from error
    for migration in applied:
        click.echo(f"applied {migration.number:04d}_{migration.name}")
    if not applied:
        click.echo("nothing to do")
