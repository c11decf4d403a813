"""The command `migrate`: brings the data to this version, without serving."""

import asyncio

import click

from accountgraph.data_folder import StartFailed
from accountgraph.reaching import reached
from accountgraph.settings import Settings
from graph.migrate import Migration, MigrationError, migrate


def run(settings: Settings) -> int:
    """Applies what is pending and prints it; 0. Raises StartFailed, GraphError."""
    for migration in asyncio.run(_applied(settings)):
        click.echo(f"Applied {migration.number:04d}_{migration.name}")
    click.echo("The data is of this version.")
    return 0


async def _applied(settings: Settings) -> list[Migration]:
    async with reached(settings) as database:
        try:
            return await migrate(database)
        except MigrationError as error:
            raise StartFailed(str(error)) from error
