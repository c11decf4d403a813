"""What `accountgraph doctor` looks at: whether this machine and these settings can run the server."""

import asyncio
import contextlib
import os
import platform
import shutil
import socket
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import neo4j
from neo4j.exceptions import AuthError, DriverError, Neo4jError

from accountgraph.data_folder import LEAST_FREE_BYTES, StartFailed, make_folder
from accountgraph.engine import require_platform
from accountgraph.settings import Settings, SettingsError

LEAST_PYTHON = (3, 11)
REACH_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look found."""

    subject: str
    well: bool
    detail: str

    def __str__(self) -> str:
        return f"{'ok  ' if self.well else 'FAIL'}  {self.subject}: {self.detail}"


async def look(load: Callable[[], Settings]) -> list[Finding]:
    """Everything there is to find, in a fixed order. Nothing is changed, save a probe file in the data folder."""
    findings = [_python()]
    try:
        settings = load()
    except SettingsError as error:
        return [*findings, Finding("settings", well=False, detail=str(error))]
    findings += [
        Finding("settings", well=True, detail="every value can be used"),
        _data_folder(settings.data_dir),
        _port(settings.host, settings.port),
    ]
    reached = [_engine(settings), _service("WS2", settings.protocol_url), _service("WS4", settings.market_url)]
    return findings + list(await asyncio.gather(*reached))


def _python() -> Finding:
    version = platform.python_version()
    if sys.version_info[:2] < LEAST_PYTHON:
        return Finding("Python", well=False, detail=f"{version}; 3.11 or newer is needed")
    return Finding("Python", well=True, detail=f"{version} on {platform.system()} {platform.machine()}")


def _data_folder(folder: Path) -> Finding:
    existing = folder if folder.exists() else next(each for each in folder.absolute().parents if each.exists())
    free = shutil.disk_usage(existing).free
    try:
        if folder.exists():
            make_folder(folder)
    except StartFailed as error:
        return Finding("data folder", well=False, detail=str(error))
    if not os.access(existing, os.W_OK | os.X_OK):
        return Finding("data folder", well=False, detail=f"{folder} cannot be made in {existing}")
    if free < LEAST_FREE_BYTES:
        return Finding("data folder", well=False, detail=f"the disk of {existing} is nearly full")
    return Finding("data folder", well=True, detail=f"{folder}, {free >> 30} GB free")


def _port(host: str, port: int) -> Finding:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with contextlib.closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen()
        except OSError as error:
            detail = f"{port} of {host} cannot be had ({(error.strerror or str(error)).lower()})"
            return Finding("port", well=False, detail=f"{detail}; is the server running?")
    return Finding("port", well=True, detail=f"{port} of {host} is free")


async def _engine(settings: Settings) -> Finding:
    if settings.neo4j_uri is None:
        try:
            require_platform()
        except StartFailed as error:
            return Finding("engine", well=False, detail=str(error))
        return Finding("engine", well=True, detail="the embedded one, which is installed")
    password = settings.neo4j_password.get_secret_value() if settings.neo4j_password else ""
    reach = _reach_neo4j(settings.neo4j_uri, settings.neo4j_username, password, settings.neo4j_database)
    return await _told("engine", settings.neo4j_uri, reach)


async def _reach_neo4j(uri: str, username: str, password: str, database: str) -> None:
    driver = neo4j.AsyncGraphDatabase.driver(uri, auth=(username, password), connection_timeout=REACH_SECONDS)
    async with driver, driver.session(database=database) as session:
        await (await session.run("RETURN 1 AS one")).consume()


async def _service(subject: str, url: str | None) -> Finding:
    if url is None:
        return Finding(subject, well=True, detail="the embedded one")
    return await _told(subject, url, _reach_service(url))


async def _reach_service(url: str) -> None:
    async with httpx.AsyncClient(timeout=REACH_SECONDS) as client:
        (await client.get(f"{url}/health")).raise_for_status()


async def _told(subject: str, address: str, reach: Awaitable[None]) -> Finding:
    try:
        async with asyncio.timeout(2 * REACH_SECONDS):
            await reach
    except AuthError:
        return Finding(subject, well=False, detail=f"{address} refuses the name or the password")
    except httpx.HTTPStatusError as error:
        status = error.response.status_code
        return Finding(subject, well=False, detail=f"{address}/health answers {status}, and should answer 200")
    except (TimeoutError, DriverError, Neo4jError, httpx.HTTPError, OSError) as error:
        return Finding(subject, well=False, detail=f"{address} does not answer ({type(error).__name__})")
    return Finding(subject, well=True, detail=f"{address} answers")
