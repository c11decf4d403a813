"""The server's process: connections that it keeps, and its end while they are open."""

import asyncio
from pathlib import Path

import pytest

from accountgraph import serve
from tests.support.running import Server, serving

pytestmark = pytest.mark.anyio

ASK = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
END_SECONDS = 10
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def idle(server: Server) -> Connection:
    """A connection that was answered, and is kept."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(server.url.rpartition(":")[2]))
    await answered((reader, writer))
    return reader, writer


async def answered(connection: Connection) -> None:
    """Asks once on a connection, and reads the answer."""
    reader, writer = connection
    writer.write(ASK)
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert b"connection: close" not in head.lower()
    lengths = [line.partition(b":")[2] for line in head.lower().splitlines() if line.startswith(b"content-length:")]
    await reader.readexactly(int(lengths[0]))


async def test_idle_connections_are_kept_and_do_not_keep_the_server(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        connections = [await idle(server) for _ in range(20)]
        for connection in connections:
            await answered(connection)
        async with asyncio.timeout(END_SECONDS):
            await server.stop()
        for reader, writer in connections:
            assert await reader.read() == b""
            writer.close()


def test_a_connection_is_kept_longer_than_clients_and_proxies_do() -> None:
    assert serve.configured(object()).timeout_keep_alive > 60
