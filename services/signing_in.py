"""Sign-in by name and password, sessions that live an hour, and what slows guessing down."""

import asyncio
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from graph import clock, users
from graph.database import Row, Transaction
from graph.errors import EngineUnavailable
from graph.ids import Kind, new_id
from services.access import token_hash
from services.desk import Desk
from services.passwords import LONGEST, verify_password
from services.permissions import Viewer
from services.problems import ProblemCode, refuse

SESSION = timedelta(hours=1)
FREE_FAILURES = 5
FREE_FAILURES_OF_ADDRESS = 50
WINDOW_SECONDS = 900.0
DELAY_SECONDS = 1.0
MOST_WAITING = 20
MOST_REMEMBERED = 20_000
_LONGEST_NAME = 64


@dataclass(slots=True)
class _Tally:
    """Recent failures of one name or address; those who have too many wait for each other."""

    failures: int = 0
    last: float = 0.0
    waiting: int = 0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Guard:
    """Counts failed sign-ins by name and by address, in this process, and makes further answers slow."""

    def __init__(self) -> None:
        self._tallies: OrderedDict[str, _Tally] = OrderedDict()

    async def wait(self, name: str, address: str) -> None:
        """Waits where the name or the address failed too often. Raises Refused where too many wait already."""
        for key, free in ((f"name:{name}", FREE_FAILURES), (f"address:{address}", FREE_FAILURES_OF_ADDRESS)):
            tally = self._tally(key)
            if tally.failures >= free:
                await self._slow(tally)

    async def _slow(self, tally: _Tally) -> None:
        if tally.waiting >= MOST_WAITING:
            raise refuse(ProblemCode.LIMIT_EXCEEDED, "too many failed sign-ins; wait a while and try again")
        tally.waiting += 1
        try:
            async with tally.turn:
                await asyncio.sleep(DELAY_SECONDS)
        finally:
            tally.waiting -= 1

    def failed(self, name: str, address: str) -> None:
        """Counts a failure."""
        for key in (f"name:{name}", f"address:{address}"):
            tally = self._tally(key)
            tally.failures += 1
            tally.last = time.monotonic()

    def succeeded(self, name: str) -> None:
        """Forgets the failures of a name."""
        self._tallies.pop(f"name:{name}", None)

    def _tally(self, key: str) -> _Tally:
        tally = self._tallies.setdefault(key, _Tally(last=time.monotonic()))
        if time.monotonic() - tally.last > WINDOW_SECONDS:
            tally.failures = 0
        self._tallies.move_to_end(key)
        while len(self._tallies) > MOST_REMEMBERED:
            self._tallies.popitem(last=False)
        return tally


@dataclass(frozen=True, slots=True)
class Session:
    """An access token, which is told once, and the instant it ends."""

    token: str
    expires_at: datetime


async def sign_in(desk: Desk, guard: Guard, username: str, password: str, address: str) -> Session:
    """Opens a session. Raises Refused: UNAUTHENTICATED, in the same time and words whoever is asked for."""
    name = username.casefold()[: _LONGEST_NAME + 1]
    try:
        await guard.wait(name, address)
        user = await users.by_key(desk.database, name) if len(username) <= _LONGEST_NAME else None
        stored = user["password"] if user and not user["disabled"] else None
        fits = await verify_password(stored, password[: LONGEST + 1])
        if user is None or not fits:
            guard.failed(name, address)
            raise refuse(ProblemCode.UNAUTHENTICATED, "the user name or the password is wrong")
        guard.succeeded(name)
        return await _open(desk, user)
    except EngineUnavailable as error:
        raise refuse(ProblemCode.UNAVAILABLE, "the database does not answer now; try again") from error


async def _open(desk: Desk, user: Row) -> Session:
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
