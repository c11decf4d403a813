"""The peers that a run compares the product with, as servers over the same engine."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from accountgraph.engine import EngineAddress
from bench.peers.asking import NEO4J_GRAPHQL, PLAIN_STRAWBERRY, Documents
from bench.peers.node import find_node, install, node_environment, node_version
from bench.wire import BenchFailed

FOLDER = Path(__file__).parent / "neo4j_graphql"
START_SECONDS = 60
STOP_SECONDS = 30
LIBRARY, PLAIN = "@neo4j/graphql", "plain Strawberry"


@dataclass(frozen=True, slots=True)
class Peer:
    """A server that is compared: its name, where it answers, what it is asked, and how it was set up."""

    name: str
    url: str
    documents: Documents
    setup: str


@asynccontextmanager
async def peers_over(engine: EngineAddress, tell: Callable[[str], None]) -> AsyncGenerator[Sequence[Peer]]:
    """The peers that run here; of one that does not, a line is told. @neo4j/graphql knows no engine but Neo4j."""
    async with AsyncExitStack() as stack:
        peers: list[Peer] = []
        if engine.name == "Neo4j":
            try:
                node = _node()
                await install(FOLDER)
                command = (node, str(FOLDER / "server.mjs"))
                url = await stack.enter_async_context(_running(command, node_environment(), engine))
                peers.append(Peer(LIBRARY, url, NEO4J_GRAPHQL, library_setup(await node_version(node))))
            except BenchFailed as why:
                tell(f"without {LIBRARY}: {why}")
        plain = (sys.executable, "-m", "bench.peers.plain_strawberry")
        url = await stack.enter_async_context(_running(plain, dict(os.environ), engine))
        peers.append(Peer(PLAIN, url, PLAIN_STRAWBERRY, plain_setup()))
        yield peers


def library_setup(node: str) -> str:
    """How the server of @neo4j/graphql is set up on this version of Node, in words for the report."""
    pinned: dict[str, str] = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))["dependencies"]
    packages = ", ".join(f"{name} {pinned[name]}" for name in (LIBRARY, "@apollo/server", "graphql", "neo4j-driver"))
    return (
        f"{LIBRARY}: {packages}, on one process of Node {node} with NODE_ENV=production; Apollo's standalone server, "
        "without introspection; deprecated fields and mutations left out of the schema, the database named, as the "
        "library's page on optimization advises; the product's indexes; no access check (`bench/peers/neo4j_graphql`)"
    )


def plain_setup() -> str:
    """How the server of plain Strawberry is set up, in words for the report."""
    return (
        f"{PLAIN}: strawberry-graphql {version('strawberry-graphql')} with a data loader for each level, one statement "
        "a level; parsed and validated documents are kept; the product's driver, event loop, settings of uvicorn and "
        "indexes; one process; no access check (`bench/peers/plain_strawberry.py`)"
    )


def _node() -> str:
    node = find_node()
    if node is None:
        raise BenchFailed("there is no Node here")
    return node


@asynccontextmanager
async def _running(command: Sequence[str], environment: dict[str, str], engine: EngineAddress) -> AsyncGenerator[str]:
    """The address that the program prints when it listens. Raises BenchFailed where it ends before or takes long."""
    given = {
        "NODE_ENV": "production",
        "NEO4J_URI": engine.uri,
        "NEO4J_USERNAME": engine.username,
        "NEO4J_PASSWORD": engine.password,
        "NEO4J_DATABASE": engine.database,
    }
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, env=environment | given)
    try:
        assert process.stdout is not None
        try:
            line = await asyncio.wait_for(process.stdout.readline(), START_SECONDS)
        except TimeoutError:
            line = b""
        if not line.startswith(b"Ready "):
            raise BenchFailed("its server did not start")
        yield line.split()[1].decode().rstrip("/")
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.communicate(), STOP_SECONDS)
