"""What a run is made on: an engine that it starts itself, and the product's server as a process of its own."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from accountgraph.engine import EmbeddedEngine, EngineAddress
from bench.wire import BenchFailed
from scripts.run_neo4j import Neo4jServer, free_port

PASSWORD = "a password for the benchmark alone"
START_SECONDS = 120
STOP_SECONDS = 30


@asynccontextmanager
async def engine_at(folder: Path, kind: str) -> AsyncGenerator[EngineAddress]:
    """The address of a new engine, `neo4j` or `arcadedb`, with its data in the folder."""
    engine = Neo4jServer(folder) if kind == "neo4j" else EmbeddedEngine(folder)
    try:
        yield await engine.start()
    finally:
        await engine.stop()


@asynccontextmanager
async def served(folder: Path, engine: EngineAddress) -> AsyncGenerator[str]:
    """The address of a server of the product over this engine. Raises BenchFailed where it does not start."""
    port = free_port()
    settings = {
        "PORT": str(port),
        "DATA_DIR": str(folder),
        "ADMIN_PASSWORD": PASSWORD,
        "LOG_LEVEL": "error",
        "NEO4J_URI": engine.uri,
        "NEO4J_USERNAME": engine.username,
        "NEO4J_PASSWORD": engine.password,
        "NEO4J_DATABASE": engine.database,
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ACCOUNTGRAPH_")}
    environment = kept | {f"ACCOUNTGRAPH_{name}": value for name, value in settings.items()}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "accountgraph", "serve", stdout=PIPE, env=environment
    )
    try:
        assert process.stdout is not None
        await asyncio.wait_for(_ready(process.stdout), START_SECONDS)
        yield f"http://127.0.0.1:{port}"
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.communicate(), STOP_SECONDS)


async def _ready(output: asyncio.StreamReader) -> None:
    while b"Ready" not in (line := await output.readline()):
        if not line:
            raise BenchFailed("the server ended before it was ready")
