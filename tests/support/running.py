"""`python -m accountgraph serve` as a process of its own, on a free loopback port, ended by SIGTERM."""

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.engines import chosen_engine
from tests.support.house import ADMIN_PASSWORD, Address

START_SECONDS = 90
STOP_SECONDS = 20


@asynccontextmanager
async def running(folder: Path, settings: Mapping[str, str] | None = None) -> AsyncGenerator[str]:
    """The address of a server with its data in the folder; `settings` are further variables, without the prefix."""
    port = free_port()
    given = {
        "DATA_DIR": str(folder),
        "PORT": str(port),
        "ADMIN_PASSWORD": ADMIN_PASSWORD,
        "LOG_LEVEL": "error",
        **(settings or {}),
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ACCOUNTGRAPH_")}
    environment = kept | {f"ACCOUNTGRAPH_{name}": value for name, value in given.items()}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "accountgraph", "serve", stdout=PIPE, env=environment
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(START_SECONDS):
            while b"Ready" not in (line := await process.stdout.readline()):
                assert line, "the server ended before it was ready"
        yield f"http://127.0.0.1:{port}"
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(STOP_SECONDS):
            await process.communicate()
    assert process.returncode == 0


def settings_of(engine: Address) -> dict[str, str]:
    """The settings that make a server use the run's Neo4j; none on ArcadeDB, where the server starts its own."""
    if chosen_engine() != "neo4j":
        return {}
    return {
        "NEO4J_URI": engine.uri,
        "NEO4J_USERNAME": engine.username,
        "NEO4J_PASSWORD": engine.password,
        "NEO4J_DATABASE": engine.database,
    }


def free_port() -> int:
    """A port of the loopback address that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
