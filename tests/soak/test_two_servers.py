"""Two server processes on one Neo4j: started at once on an empty database, and one house to whoever signs in."""

import asyncio
import stat
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from accountgraph.application import PASSWORD_FILE
from tests.support.api import PASSWORD
from tests.support.callers import ANSWER_SECONDS, beside
from tests.support.engines import chosen_engine
from tests.support.graphs import statement
from tests.support.house import ADMIN, Address
from tests.support.running import Server, serving_together, settings_for
from tests.support.size import pick
from tests.support.windows import LIMITS, Window

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(chosen_engine() != "neo4j", reason="one process alone has the embedded ArcadeDB"),
]
PROCESSES, STARTS = pick((2, 0), (6, 3))
INSTALLED = statement("MATCH (n) WHERE n:Installation OR n:User RETURN labels(n)[0] AS label, count(n) AS total")
VIEWER = "{ viewer { username } }"


def servers_on(engine: Address, folder: Path, **settings: str | None) -> list[Server]:
    """Servers that share the engine, each with a data folder of its own."""
    given = {**settings_for(engine), **settings}
    return [Server(folder / f"server-{number}", given) for number in range(PROCESSES)]


async def windows(client: httpx.AsyncClient, servers: Sequence[Server], user: str, password: str) -> list[Window]:
    """A user's way to every server, with a session of each."""
    made = [Window(client, [server.url for server in servers], user, password) for _ in servers]
    await asyncio.gather(*(window.sign_in(number) for number, window in enumerate(made)))
    return made


async def test_servers_that_start_at_once_on_an_empty_database_are_one_installation(
    apart: Address, tmp_path: Path
) -> None:
    servers = servers_on(apart, tmp_path, ADMIN_PASSWORD=None)
    async with serving_together(servers), beside(servers[0], apart) as database:
        rows = await database.run(INSTALLED)
        assert sorted((row["label"], row["total"]) for row in rows) == [("Installation", 1), ("User", 1)]
        password = the_password(servers)
        async with httpx.AsyncClient(timeout=ANSWER_SECONDS, limits=LIMITS, trust_env=False) as client:
            await require_one_house(client, servers, password)
    for _ in range(STARTS):
        async with serving_together(servers):
            assert administrators(servers) == []
            assert all("Migrations: nothing to do" in server.lines for server in servers)


def administrators(servers: Sequence[Server]) -> list[str]:
    """The lines that tell of a new administrator."""
    return [line for server in servers for line in server.lines if line.startswith("Administrator:")]


def the_password(servers: Sequence[Server]) -> str:
    """The first administrator's password, which one of the servers told and keeps, for its owner alone."""
    (told,) = administrators(servers)
    (file,) = [found for server in servers if (found := server.folder / PASSWORD_FILE).exists()]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert told.split()[-1] == file.read_text().strip()
    return told.split()[-1]


async def require_one_house(client: httpx.AsyncClient, servers: Sequence[Server], password: str) -> None:
    """Asserts that a session holds on every server, wherever it was made, and ends on every one, wherever it ends."""
    admins = await windows(client, servers, ADMIN, password)
    for admin in admins:
        assert [await codes(admin, number) for number in range(len(servers))] == [[]] * len(servers)
    await admins[0].api(0).done("createUser", "username", username="ana", password=PASSWORD)
    one, other, *_ = await windows(client, servers, "ana", PASSWORD)
    assert (await one.api(1).ask("mutation { signOut }"))["signOut"] is True
    assert [await codes(one, number) for number in (0, 1)] == [["UNAUTHENTICATED"]] * 2
    assert await codes(other, 0) == []
    await admins[0].api(1).done("setUserDisabled", "username", username="ana", disabled=True)
    assert await codes(other, 0) == ["UNAUTHENTICATED"]


async def codes(window: Window, server: int) -> list[str]:
    """The codes of the errors that a server answers a read with."""
    return [error["extensions"]["code"] for error in (await window.api(server).run(VIEWER)).errors]
