"""What a first start makes: the installation, and its first administrator."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from graph import clock, installation, journal, migrate, users
from graph.database import Database, Row, Transaction
from graph.ids import Kind, new_id
from services.passwords import hash_password, verify_password


@dataclass(frozen=True, slots=True)
class Installed:
    """The installation's id, and the first administrator's password where this start made both."""

    id: str
    new_password: str | None


def _keep_nowhere(_password: str) -> None:
    """For a caller who gives the password, or takes it from what is returned."""


async def ensure_installation(
    database: Database, username: str, password: str | None, keep: Callable[[str], None] = _keep_nowhere
) -> Installed:
    """Makes the installation and its first administrator where they are not there yet; two processes may ask at once.

    A password is made where none is given, and `keep` has it before it holds, so that it cannot be lost. Raises
    MigrationError where another process holds the lease and hangs.
    """
    found = await installation.find(database)
    if found is not None:
        return Installed(found, None)
    owner = secrets.token_hex(8)
    await migrate.acquire_lease(database, "first-start", owner)
    try:
        found = await installation.find(database)
        if found is not None:
            return Installed(found, None)
        if password is None:
            keep(chosen := secrets.token_urlsafe(18))
        else:
            chosen = password
        return Installed(await _install(database, username, await hash_password(chosen)), chosen)
    finally:
        await migrate.release_lease(database, "first-start", owner)


async def password_holds(database: Database, username: str, password: str) -> bool | None:
    """Whether it is the user's password; None where there is no such user."""
    user = await users.by_key(database, username)
    return None if user is None else await verify_password(user["password"], password)


async def _install(database: Database, username: str, password_hash: str) -> str:
    node_id, user_id = new_id(Kind.INSTALLATION), new_id(Kind.USER)

    async def work(transaction: Transaction) -> None:
        at = clock.to_text(clock.now())
        await installation.create(transaction, node_id, at)
        recorder = await journal.take_feed(transaction, node_id, journal.Author(username, "install", None))
        at = recorder.add("USER_CREATED", [user_id], None, {"username": username, "administrator": True})
        await users.create(transaction, new_user(user_id, username, password_hash, at))
        await installation.appoint(transaction, node_id, user_id, at)
        await recorder.write(transaction)

    await database.write(work, queue=node_id)
    return node_id


def new_user(user_id: str, username: str, password_hash: str, at: str) -> Row:
    """The properties of a new user, who is enabled and administers nothing."""
    return {
        "id": user_id,
        "username": username,
        "password": password_hash,
        "administrator": False,
        "disabled": False,
        "createdAt": at,
    }
