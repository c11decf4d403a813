"""`accountgraph admin reset-password`: a new password for a user who lost theirs."""

import asyncio
import secrets

import click

from accountgraph.data_folder import StartFailed
from accountgraph.reaching import reached
from accountgraph.settings import Settings
from graph import installation, journal, users
from graph.database import Database, Transaction
from services.passwords import hash_password


def reset_password(settings: Settings, username: str) -> int:
    """Gives the user a new password, prints it once, and ends their sessions; 0. Raises StartFailed."""
    password = secrets.token_urlsafe(18)
    asyncio.run(_reset(settings, username, password))
    click.echo(f"{username} has the new password {password}")
    return 0


async def _reset(settings: Settings, username: str, password: str) -> None:
    async with reached(settings) as database:
        home = await installation.find(database)
        user = await users.by_key(database, username) if home is not None else None
        if home is None or user is None:
            raise StartFailed(f"there is no user {username}")
        await _change(database, home, user["id"], await hash_password(password))


async def _change(database: Database, home: str, user_id: str, password_hash: str) -> None:
    async def work(transaction: Transaction) -> None:
        author = journal.Author("accountgraph", "resetPassword", None)
        recorder = await journal.take_feed(transaction, home, author)
        recorder.add("USER_UPDATED", [user_id], None, {"password": "changed"})
        await users.change(transaction, user_id, {"password": password_hash})
        await users.end_sessions(transaction, user_id)
        await recorder.write(transaction)

    await database.write(work, queue=home)
