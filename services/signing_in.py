"""Sign-in by name and password, and sessions that live an hour."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from graph import clock, users
from graph.database import Row, Transaction
from graph.errors import EngineUnavailable
from graph.ids import Kind, new_id
from services.access import token_hash
from services.desk import Desk
from services.guard import Attempt, Guard
from services.passwords import LONGEST, verify_password
from services.permissions import Viewer
from services.problems import ProblemCode, refuse

SESSION = timedelta(hours=1)
_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class Session:
    """An access token, which is told once, and the instant it ends."""

    token: str
    expires_at: datetime


async def sign_in(desk: Desk, guard: Guard, username: str, password: str, address: str) -> Session:
    """Opens a session. Raises Refused: UNAUTHENTICATED, in the same time and words whoever is asked for."""
    name = username.casefold()[: _LONGEST_NAME + 1]
    try:
        async with guard.attempt(desk.database, name, address, desk.installation) as attempt:
            user = await users.by_key(desk.database, name) if len(username) <= _LONGEST_NAME else None
            stored = user["password"] if user and not user["disabled"] else None
            fits = await verify_password(stored, password[: LONGEST + 1])
            if user is None or not fits:
                await attempt.failed()
                raise refuse(ProblemCode.UNAUTHENTICATED, "the user name or the password is wrong")
            return await _open(desk, user, attempt)
    except EngineUnavailable as error:
        raise refuse(ProblemCode.UNAVAILABLE, "the database does not answer now; try again") from error


async def _open(desk: Desk, user: Row, attempt: Attempt) -> Session:
    token = secrets.token_urlsafe(32)
    now = clock.now()
    session: Row = {
        "id": new_id(Kind.SESSION),
        "hash": token_hash(token),
        "user": user["id"],
        "at": clock.to_text(now),
        "until": clock.to_text(now + SESSION),
    }

    async def work(transaction: Transaction) -> None:
        await attempt.succeeded(transaction)
        await users.create_session(transaction, session)

    await desk.database.write(work, queue=user["id"])
    return Session(token, now + SESSION)


async def sign_out(desk: Desk, viewer: Viewer) -> None:
    """Ends the viewer's own session alone. Raises EngineUnavailable."""
    session = viewer.session_id
    if session is None:
        return

    async def work(transaction: Transaction) -> None:
        await users.end_session(transaction, viewer.user_id, session)

    await desk.database.write(work, queue=viewer.user_id)
