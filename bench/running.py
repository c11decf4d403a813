"""What a run is made on: an engine that it starts itself, and the product's servers as processes of their own."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from accountgraph.engine import EmbeddedEngine, EngineAddress
from bench.wire import BenchFailed
from scripts.run_neo4j import Neo4jServer, free_port

PASSWORD = "a password for the benchmark alone"
HEAP = "512m"
START_SECONDS = 120
STOP_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Server:
    """A server of the product: where it answers, and its process."""

    url: str
    pid: int


@asynccontextmanager
async def engine_at(folder: Path, kind: str, heap: str = HEAP) -> AsyncGenerator[EngineAddress]:
    """The address of a new engine, `neo4j` or `arcadedb`, with its data in the folder; the heap is Neo4j's."""
    engine = Neo4jServer(folder, heap=heap) if kind == "neo4j" else EmbeddedEngine(folder)
    try:
        yield await engine.start()
    finally:
        await engine.stop()


@asynccontextmanager
async def served(folder: Path, engine: EngineAddress, **further: str) -> AsyncGenerator[Server]:
    """A server of the product over this engine, with further settings by their names without the prefix.

    Raises BenchFailed where it does not start.
    """
    port = free_port()
    environment = environment_for(folder, engine) | {f"ACCOUNTGRAPH_{name}": value for name, value in further.items()}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "accountgraph", "serve"),
        stdout=PIPE,
        env=environment | {"ACCOUNTGRAPH_PORT": str(port)},
    )
    try:
        assert process.stdout is not None
        await asyncio.wait_for(_ready(process.stdout), START_SECONDS)
        yield Server(f"http://127.0.0.1:{port}", process.pid)
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.communicate(), STOP_SECONDS)


def environment_for(folder: Path, engine: EngineAddress) -> dict[str, str]:
    """The environment of a command of the product over this engine; of ours, nothing else is set."""
    settings = {
        "DATA_DIR": str(folder),
        "ADMIN_PASSWORD": PASSWORD,
        "LOG_LEVEL": "error",
        "NEO4J_URI": engine.uri,
        "NEO4J_USERNAME": engine.username,
        "NEO4J_PASSWORD": engine.password,
        "NEO4J_DATABASE": engine.database,
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ACCOUNTGRAPH_")}
    return kept | {f"ACCOUNTGRAPH_{name}": value for name, value in settings.items()}


def peak_memory(server: Server) -> int | None:
    """The most bytes that the process had in memory at once, or None where the system does not tell."""
    status = Path(f"/proc/{server.pid}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), None)


def forget_peak_memory(server: Server) -> None:
    """The peak counts anew from what is in memory now, where the system can do that."""
    with suppress(OSError):
        Path(f"/proc/{server.pid}/clear_refs").write_text("5")


async def _ready(output: asyncio.StreamReader) -> None:
    while b"Ready" not in (line := await output.readline()):
        if not line:
            raise BenchFailed("the server ended before it was ready")
