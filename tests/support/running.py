"""`python -m accountgraph serve` as a process of its own, on a free loopback port: ended by SIGTERM, or killed."""

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from tests.support.engines import chosen_engine
from tests.support.house import ADMIN_PASSWORD, Address

START_SECONDS = 90
STOP_SECONDS = 20
COMMAND_SECONDS = 120


class Server:
    """A server with its data in the folder, always at one address; `settings` are further variables, without prefix.

    A setting that is None is left out.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str | None] | None = None) -> None:
        self.folder = folder
        self.lines: list[str] = []
        """What it has printed, as far as it was read."""
        port = free_port()
        given = {
            "DATA_DIR": str(folder),
            "PORT": str(port),
            "ADMIN_PASSWORD": ADMIN_PASSWORD,
            "LOG_LEVEL": "error",
            **(settings or {}),
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ACCOUNTGRAPH_")}
        named = {f"ACCOUNTGRAPH_{name}": value for name, value in given.items() if value is not None}
        self._environment = kept | named
        self._process: Process | None = None
        self.url = f"http://127.0.0.1:{port}"

    async def start(self) -> None:
        """Starts the server and waits until it says that it is ready."""
        await self.spawn()
        await self.told("Ready")

    async def spawn(self) -> None:
        """Starts the process and waits for nothing."""
        assert self._process is None, "it runs already"
        self.lines.clear()
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "accountgraph", "serve", stdout=PIPE, env=self._environment
        )

    async def told(self, word: str) -> None:
        """Waits until the server prints a line with the word."""
        output = self.process.stdout
        assert output is not None
        async with asyncio.timeout(START_SECONDS):
            while line := (await output.readline()).decode():
                self.lines.append(line.strip())
                if word in line:
                    return
        raise AssertionError(f"the server ended before it said {word!r}")

    @property
    def process(self) -> Process:
        """The running process."""
        assert self._process is not None, "it was started"
        return self._process

    def engine(self) -> int:
        """The process id of the server's embedded engine, its one child."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0])

    async def kill(self) -> None:
        """Ends the server at once with SIGKILL."""
        self.process.kill()
        await self._ended()

    async def stop(self) -> None:
        """Ends the server by SIGTERM, where it runs, and expects it to end well."""
        if self._process is None:
            return
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
        assert await self._ended() == 0

    async def command(self, *arguments: str) -> tuple[int, str]:
        """The exit status and the output of an `accountgraph` command with the server's settings."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "accountgraph", *arguments, stdout=PIPE, stderr=STDOUT, env=self._environment
        )
        async with asyncio.timeout(COMMAND_SECONDS):
            output, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, output.decode()

    async def _ended(self) -> int | None:
        process, self._process = self.process, None
        async with asyncio.timeout(STOP_SECONDS):
            await process.communicate()
        return process.returncode


@asynccontextmanager
async def serving(folder: Path, settings: Mapping[str, str] | None = None) -> AsyncGenerator[Server]:
    """A ready server that the test may kill and start again; where it runs at the end, it must end well."""
    server = Server(folder, settings)
    try:
        await server.start()
        yield server
    finally:
        await server.stop()


@asynccontextmanager
async def serving_together(servers: Sequence[Server]) -> AsyncGenerator[None]:
    """Starts the servers at the same time and waits until each is ready; those that run at the end must end well."""
    async with AsyncExitStack() as stack:
        for server in servers:
            stack.push_async_callback(server.stop)
        async with asyncio.TaskGroup() as group:
            for server in servers:
                group.create_task(server.start())
        yield


@asynccontextmanager
async def running(folder: Path, settings: Mapping[str, str] | None = None) -> AsyncGenerator[str]:
    """The address of a server with its data in the folder; `settings` are further variables, without the prefix."""
    async with serving(folder, settings) as server:
        yield server.url


def settings_of(engine: Address | None) -> dict[str, str]:
    """The settings that make a server use this Neo4j; none on ArcadeDB, where the server starts its own engine."""
    return settings_for(engine) if engine and chosen_engine() == "neo4j" else {}


def settings_for(engine: Address) -> dict[str, str]:
    """The settings that make a server use the engine at this address, whichever it is."""
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
