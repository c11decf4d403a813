"""The real Neo4j that runs from packages: what it keeps, how it ends, who can reach it."""

import asyncio
import os
import signal
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from neo4j import AsyncGraphDatabase
from neo4j.exceptions import AuthError

from accountgraph.data_folder import StartFailed
from accountgraph.engine import EngineAddress
from scripts.run_neo4j import FIRST_PASSWORD, REPOSITORY, Neo4jServer
from tests.support.engines import chosen_engine, rows
from tests.support.processes import command_line, listening_at, loopback_at, wait_gone

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(chosen_engine() != "neo4j", reason="fetches Neo4j, which only its own run of the suite needs"),
]


async def names(address: EngineAddress) -> list[str]:
    """The names that were stored, in order."""
    async with AsyncGraphDatabase.driver(address.uri, auth=(address.username, address.password)) as driver:
        return [
            row["name"] for row in await rows(driver, address, "MATCH (k:Kept) RETURN k.name AS name ORDER BY name")
        ]


async def keep(address: EngineAddress, name: str) -> None:
    """Stores one name."""
    async with AsyncGraphDatabase.driver(address.uri, auth=(address.username, address.password)) as driver:
        await rows(driver, address, "CREATE (:Kept {name: $name})", name=name)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Neo4jServer]:
    """A server on a folder of its own, not yet started, and stopped at the end."""
    server = Neo4jServer(tmp_path)
    yield server
    await server.stop()


async def test_it_keeps_its_data_and_password_over_a_stop_and_a_kill(server: Neo4jServer, tmp_path: Path) -> None:
    first = await server.start()
    await keep(first, "before the stop")
    await server.stop()
    second = await server.start()
    await keep(second, "before the kill")
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    await server.wait_ended()

    third = await server.start()

    assert first.password == second.password == third.password
    assert await names(third) == ["before the kill", "before the stop"]
    assert stat.S_IMODE((tmp_path / "password").stat().st_mode) == 0o600


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
async def test_only_bolt_listens_only_on_loopback_and_the_first_password_is_gone(server: Neo4jServer) -> None:
    address = await server.start()
    assert server.pid is not None

    listening = listening_at(server.pid)

    assert len(listening) == 1
    assert listening <= loopback_at(address.uri)
    assert address.password not in command_line(server.pid)
    async with AsyncGraphDatabase.driver(address.uri, auth=(address.username, FIRST_PASSWORD)) as driver:
        with pytest.raises(AuthError):
            await driver.verify_connectivity()


async def test_a_server_that_cannot_start_is_one_plain_line(tmp_path: Path) -> None:
    with pytest.raises(StartFailed, match=r"^Neo4j did not start: status 1 \(see [^\n]+console\.log\)$"):
        await Neo4jServer(tmp_path, heap="lots").start()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux ends a child with its parent")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
async def test_the_command_prints_the_settings_and_takes_the_server_with_it(tmp_path: Path, number: int) -> None:
    command = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "scripts.run_neo4j", "--folder", str(tmp_path), "--port", "0"),
        cwd=REPOSITORY,
        stdout=asyncio.subprocess.PIPE,
    )
    assert command.stdout is not None
    printed = [(await command.stdout.readline()).decode().strip().partition("=") for _ in range(3)]
    settings = {name.removeprefix("export ACCOUNTGRAPH_NEO4J_"): value for name, _, value in printed}
    address = EngineAddress(settings["URI"], settings["USERNAME"], settings["PASSWORD"], "neo4j", "", "")
    assert await names(address) == []
    server = child_of(command.pid)

    command.send_signal(number)

    assert await command.wait() == (-number if number == signal.SIGKILL else 0)
    assert await asyncio.to_thread(wait_gone, server, 30)


def child_of(process: int) -> int:
    """The one child of a process."""
    return int(Path(f"/proc/{process}/task/{process}/children").read_text().split()[0])
