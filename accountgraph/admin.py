"""The command `admin reset-password`."""

import asyncio
import secrets

import click

from accountgraph.application import PASSWORD_FILE
from accountgraph.beside import open_installation
from accountgraph.data_folder import StartFailed
from accountgraph.settings import Settings
from services.resetting import set_password


def reset_password(settings: Settings, username: str) -> int:
    """Gives the user a new random password, ends their sessions and prints it once; 0.

    Raises StartFailed where there is no such user or no installation.
    """
    password = secrets.token_urlsafe(18)
    name = asyncio.run(_reset(settings, username, password))
    if name == settings.admin_username:
        # What the first start kept there is not the password any more.
        (settings.data_dir / PASSWORD_FILE).unlink(missing_ok=True)
    click.echo(f"The new password of {name}, told this once: {password}")
    return 0


async def _reset(settings: Settings, username: str, password: str) -> str:
    async with open_installation(settings) as (database, installation):
        name = await set_password(database, installation, username, password)
    if name is None:
        raise StartFailed(f"there is no user {username[:64]!r}")
    return name
