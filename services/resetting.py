"""A new password for a user who lost theirs, set by whoever runs the installation's machine."""

from graph import journal, users
from graph.database import Database, Transaction
from services.passwords import hash_password

ACTOR = "command line"


async def set_password(database: Database, installation: str, username: str, password: str) -> str | None:
    """Sets the user's password, ends every session of theirs and records it; their name, or None for no such user.

    A disabled user stays disabled. Raises EngineUnavailable and CommitUnknown.
    """
    hashed = await hash_password(password)

    async def work(transaction: Transaction) -> str | None:
        user = await users.by_key(transaction, username)
        if user is None:
            return None
        author = journal.Author(ACTOR, "resetPassword", None)
        recorder = await journal.take_feed(transaction, installation, author)
        recorder.add("USER_UPDATED", [user["id"]], None, {"password": "changed"})
        await users.change(transaction, user["id"], {"password": hashed})
        await users.end_sessions(transaction, user["id"])
        await recorder.write(transaction)
        return user["username"]

    return await database.write(work, queue=installation)
