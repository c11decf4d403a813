"""The demo, twice, against a real server: the second time it changes nothing."""

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import pytest

from accountgraph.demo import run
from accountgraph.settings import load

pytestmark = pytest.mark.anyio

PASSWORD = "a password for the demo alone"
START_SECONDS = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def serve(folder: Path, port: int) -> Process:
    environment = {
        **os.environ,
        "ACCOUNTGRAPH_DATA_DIR": str(folder),
        "ACCOUNTGRAPH_PORT": str(port),
        "ACCOUNTGRAPH_ADMIN_PASSWORD": PASSWORD,
        "ACCOUNTGRAPH_MARKET_DATE": "2022-12-14",
        "ACCOUNTGRAPH_LOG_LEVEL": "error",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "accountgraph", "serve", stdout=PIPE, env=environment
    )
    assert process.stdout is not None
    async with asyncio.timeout(START_SECONDS):
        while b"Ready" not in (line := await process.stdout.readline()):
            assert line, "the server ended before it was ready"
    return process


async def checked(folder: Path) -> tuple[int, str]:
    environment = {**os.environ, "ACCOUNTGRAPH_DATA_DIR": str(folder)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "accountgraph", "check", stdout=PIPE, env=environment
    )
    told, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, told.decode()


async def test_the_demo_fills_a_server_once_and_its_books_add_up(tmp_path: Path) -> None:
    port = free_port()
    process = await serve(tmp_path, port)
    try:
        settings = load(admin_password=PASSWORD, data_dir=tmp_path)
        url = f"http://127.0.0.1:{port}"
        assert await asyncio.to_thread(run, settings, url, 4) == 0
        first = await checked(tmp_path)
        assert first[0] == 0, first[1]
        assert "16 accounts" in first[1]
        assert await asyncio.to_thread(run, settings, url, 4) == 0
        assert await checked(tmp_path) == first
    finally:
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), 15)
    assert process.returncode == 0
