"""Measures imports against single mutations: accounts in a second by each, on a server of its own.

python -m bench.imports [--engine neo4j|arcadedb] [--accounts N] [--singles N]
"""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import click
import orjson

from accountgraph.data_folder import StartFailed
from accountgraph.loops import new_event_loop
from bench.filling import bring_in
from bench.organisation import mutation, signed_in
from bench.running import engine_at, served
from bench.wire import BenchFailed, Connection

EACH = 100
"""Accounts of a group."""
CLIENTS = 16


@dataclass(frozen=True, slots=True)
class Figures:
    """Accounts in a second: one by one, by several clients at once, and by an import."""

    single: float
    crowd: float
    imported: float


async def measure(url: str, accounts: int, singles: int) -> Figures:
    """How fast the server there makes accounts, without money: so many by an import, and so many by mutations."""
    token = await signed_in(url, "admin")
    async with AsyncExitStack() as stack:
        connections = [Connection(url, token) for _ in range(CLIENTS)]
        for connection in connections:
            stack.push_async_callback(connection.close)
        # What is warmed up by the first ones is warm for both.
        await _singles(connections[:1], singles // 10 or 1)
        await _import(url, token, connections[0], accounts // 10 or 1)
        single = singles / await _singles(connections[:1], singles)
        crowd = singles / await _singles(connections, singles)
        imported = accounts / await _import(url, token, connections[0], accounts)
    return Figures(single, crowd, imported)


async def run(folder: Path, engine: str, accounts: int, singles: int) -> Figures:
    """One run, with its data in the folder. Raises BenchFailed, and StartFailed where the engine does not run."""
    async with engine_at(folder / "engine", engine) as address, served(folder / "data", address) as server:
        return await measure(server.url, accounts, singles)


async def _group(connection: Connection) -> str:
    made = await connection.do(mutation("createGroup"), {"operationId": str(uuid4()), "name": "Imported"})
    return made["group"]["id"]


async def _singles(connections: Sequence[Connection], accounts: int) -> float:
    """The seconds that so many mutations take, as many at once as there are connections."""
    root = await _group(connections[0])
    left = iter(range(accounts))

    async def client(connection: Connection) -> None:
        for number in left:
            given = {"operationId": str(uuid4()), "name": f"Account {number}", "parentId": root}
            await connection.do(mutation("createAccount"), given)

    return await _timed(asyncio.gather(*(client(connection) for connection in connections)))


async def _import(url: str, token: str, connection: Connection, accounts: int) -> float:
    """The seconds from the first byte of a file of so many accounts until all of them are there."""
    root = await _group(connection)
    content = b"".join(orjson.dumps(line) + b"\n" for line in _lines(accounts))
    return await _timed(bring_in(url, token, connection, root, content, lambda _: None))


def _lines(accounts: int) -> Iterator[dict[str, Any]]:
    for number in range(accounts):
        if number % EACH == 0:
            yield {"id": f"g{number // EACH}", "type": "group", "name": f"Group {number // EACH}"}
        yield {"id": f"a{number}", "name": f"Account {number}", "parentId": f"g{number // EACH}"}


async def _timed(work: Awaitable[Any]) -> float:
    began = time.perf_counter()
    await work
    return time.perf_counter() - began


@click.command()
@click.option("--engine", type=click.Choice(["neo4j", "arcadedb"]), default="neo4j", show_default=True)
@click.option("--accounts", type=click.IntRange(1, 1_000_000), default=10_000, show_default=True)
@click.option("--singles", type=click.IntRange(1, 100_000), default=10_000, show_default=True)
def main(engine: str, accounts: int, singles: int) -> None:
    """Measures, and prints accounts in a second and how many times faster the import is."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        try:
            with asyncio.Runner(loop_factory=new_event_loop) as runner:
                found = runner.run(run(Path(folder), engine, accounts, singles))
        except* (BenchFailed, StartFailed) as failures:
            raise click.ClickException("; ".join(str(failure) for failure in failures.exceptions)) from None
    click.echo(
        f"accounts in a second: {found.single:,.0f} one by one, {found.crowd:,.0f} by {CLIENTS} clients at once,"
    )
    click.echo(f"{found.imported:,.0f} by an import: {found.imported / found.single:.1f} and")
    click.echo(f"{found.imported / found.crowd:.1f} times as many")


if __name__ == "__main__":
    main()
