"""The doctor finds what keeps the server from running, and names it."""

import os
import socket
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from accountgraph.doctor import Finding, look
from accountgraph.settings import Settings
from tests.support.small_server import listening

pytestmark = pytest.mark.anyio


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def entries(folder: Path) -> list[Path]:
    """What lies in the folder."""
    return list(folder.iterdir())


def close(folder: Path) -> None:
    """Lets nobody write into the folder."""
    folder.chmod(0o500)


async def findings(folder: Path, **more: object) -> dict[str, Finding]:
    """What the doctor finds with these settings, by subject."""
    settings = Settings.model_validate({"data_dir": folder, "port": free_port(), **more})
    return {finding.subject: finding for finding in await look(lambda: settings)}


async def test_a_machine_that_can_run_it_is_well_and_nothing_is_made(tmp_path: Path) -> None:
    found = await findings(tmp_path / "new" / "data")
    assert [finding.subject for finding in found.values() if not finding.well] == []
    assert list(found) == ["Python", "settings", "data folder", "port", "engine", "WS2", "WS4"]
    assert entries(tmp_path) == []


async def test_a_taken_port_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        found = await findings(tmp_path, port=listener.getsockname()[1])
    assert not found["port"].well
    assert "is the server running?" in found["port"].detail


async def test_a_data_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    assert not (await findings(file))["data folder"].well


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to the superuser")
async def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    close(tmp_path)
    assert not (await findings(tmp_path / "data"))["data folder"].well


async def test_services_are_asked_for_their_health(tmp_path: Path) -> None:
    async def well(_request: Request) -> PlainTextResponse:
        return PlainTextResponse("up")

    async def unwell(_request: Request) -> PlainTextResponse:
        return PlainTextResponse("down", 500)

    app = Starlette(routes=[Route("/a/health", well), Route("/b/health", unwell)])
    async with listening(app) as url:
        found = await findings(tmp_path, protocol_url=f"{url}/a", market_url=f"{url}/b")
    assert str(found["WS2"]) == f"ok    WS2: {url}/a answers"
    assert str(found["WS4"]) == f"FAIL  WS4: {url}/b/health answers 500, and should answer 200"


async def test_what_does_not_answer_is_told_without_a_secret(tmp_path: Path) -> None:
    port = free_port()
    found = await findings(
        tmp_path,
        market_url=f"http://127.0.0.1:{port}",
        neo4j_uri=f"bolt://127.0.0.1:{port}",
        neo4j_password="hunter2-hunter2",
    )
    assert found["WS4"].detail == f"http://127.0.0.1:{port} does not answer (ConnectError)"
    assert not found["engine"].well
    assert f"bolt://127.0.0.1:{port} does not answer" in found["engine"].detail
    assert "hunter2" not in "".join(map(str, found.values()))
