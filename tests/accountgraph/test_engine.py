"""The embedded engine as a process: what it keeps, how it ends, and who can reach it."""

import asyncio
import json
import os
import signal
import socket
import stat
import sys
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, LiteralString

import pytest
from neo4j import AsyncGraphDatabase
from neo4j.exceptions import AuthError

from accountgraph import engine as engine_module
from accountgraph.engine import EmbeddedEngine, EngineAddress, EngineFailed, running_engine, write_private
from tests.support.processes import command_line, listening_at, loopback_at, wait_gone

pytestmark = pytest.mark.anyio

PARENT = """
import asyncio, sys
from pathlib import Path
from accountgraph.engine import EmbeddedEngine

async def main() -> None:
    engine = EmbeddedEngine(Path(sys.argv[1]))
    address = await engine.start()
    print(engine.pid, address.uri, address.password, flush=True)
    await engine.wait_ended()

asyncio.run(main())
"""


async def ask(address: EngineAddress, query: LiteralString) -> list[dict[str, Any]]:
    """The rows of one query, over a driver of its own."""
    async with AsyncGraphDatabase.driver(address.uri, auth=(address.username, address.password)) as driver:
        records, _, _ = await driver.execute_query(query, database_=address.database)
        return [record.data() for record in records]


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[EmbeddedEngine]:
    """An engine on a folder of its own, not yet started, and stopped at the end."""
    engine = EmbeddedEngine(tmp_path)
    yield engine
    await engine.stop()


async def test_it_answers_where_it_says(engine: EmbeddedEngine) -> None:
    address = await engine.start()

    assert address.name == "ArcadeDB"
    assert address.version[0].isdigit()
    assert await ask(address, "RETURN 1 AS one") == [{"one": 1}]


async def test_what_was_committed_outlives_a_stop(engine: EmbeddedEngine) -> None:
    address = await engine.start()
    await ask(address, "CREATE (:Kept {n: 1})")
    await engine.stop()

    again = await engine.start()

    assert await ask(again, "MATCH (k:Kept) RETURN k.n AS n") == [{"n": 1}]


async def test_what_was_acknowledged_outlives_a_killed_child(engine: EmbeddedEngine) -> None:
    address = await engine.start()
    await ask(address, "CREATE CONSTRAINT kept_n IF NOT EXISTS FOR (k:Kept) REQUIRE k.n IS UNIQUE")
    await ask(address, "UNWIND range(1, 500) AS n CREATE (:Kept {n: n})")
    assert engine.pid is not None
    os.kill(engine.pid, signal.SIGKILL)
    assert await engine.wait_ended() == -signal.SIGKILL

    again = await engine.restart()

    assert again == address, "drivers reconnect to where they were"
    assert await ask(again, "MATCH (k:Kept) RETURN count(k) AS kept, sum(k.n) AS sum") == [{"kept": 500, "sum": 125250}]
    assert await ask(again, "MATCH (k:Kept {n: 250}) RETURN k.n AS n") == [{"n": 250}]


async def test_a_stop_is_clean_and_leaves_nothing_running(engine: EmbeddedEngine, tmp_path: Path) -> None:
    await engine.start()
    process = engine.pid
    assert process is not None

    await engine.stop()

    assert wait_gone(process, 0)
    assert engine.pid is None
    assert "ArcadeDB Server is down" in (tmp_path / "engine.log").read_text()
    await engine.stop()


async def test_sigterm_ends_the_child_cleanly(engine: EmbeddedEngine) -> None:
    await engine.start()
    assert engine.pid is not None

    os.kill(engine.pid, signal.SIGTERM)

    assert await asyncio.wait_for(engine.wait_ended(), 10) == 0


async def test_ctrl_c_is_left_to_the_parent(engine: EmbeddedEngine) -> None:
    address = await engine.start()
    assert engine.pid is not None

    os.kill(engine.pid, signal.SIGINT)

    assert await ask(address, "RETURN 1 AS one") == [{"one": 1}]
    assert os.getsid(engine.pid) != os.getsid(0), "a terminal's signals do not reach it"


async def test_a_hung_child_is_killed(engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    await engine.start()
    process = engine.pid
    assert process is not None
    monkeypatch.setattr(engine_module, "STOP_SECONDS", 0.2)
    os.kill(process, signal.SIGSTOP)

    await engine.stop()

    assert wait_gone(process, 0)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
async def test_the_child_ends_with_a_killed_parent_and_the_next_start_recovers(
    engine: EmbeddedEngine, tmp_path: Path
) -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    child, uri, password = (await asyncio.wait_for(parent.stdout.readline(), 60)).decode().split()
    address = EngineAddress(uri, "root", password, engine_module.DATABASE, "", "")
    await ask(address, "CREATE (:Kept {n: 7})")
    parent.kill()
    await parent.wait()

    again = await engine.start()

    assert wait_gone(int(child), 10)
    assert await ask(again, "MATCH (k:Kept) RETURN k.n AS n") == [{"n": 7}]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
async def test_only_bolt_listens_and_only_on_loopback(engine: EmbeddedEngine) -> None:
    address = await engine.start()
    assert engine.pid is not None

    listening = listening_at(engine.pid)

    assert len(listening) == 1
    assert listening <= loopback_at(address.uri)


async def test_the_password_is_random_and_private(engine: EmbeddedEngine, tmp_path: Path) -> None:
    address = await engine.start()
    wrong = EngineAddress(address.uri, "root", "playwithdata", address.database, "", "")

    with pytest.raises(AuthError):
        await ask(wrong, "RETURN 1 AS one")
    assert address.password not in command_line(engine.pid)
    assert stat.S_IMODE((tmp_path / "engine.json").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "engine").stat().st_mode) == 0o700
    assert address.password not in (tmp_path / "engine.log").read_text()


async def test_another_process_finds_the_running_engine(engine: EmbeddedEngine, tmp_path: Path) -> None:
    assert running_engine(tmp_path) is None
    address = await engine.start()

    assert running_engine(tmp_path) == address
    await engine.stop()
    assert running_engine(tmp_path) is None


async def test_a_second_engine_on_the_same_data_is_refused(engine: EmbeddedEngine, tmp_path: Path) -> None:
    address = await engine.start()
    second = EmbeddedEngine(tmp_path, lock_seconds=0)

    with pytest.raises(EngineFailed, match=r"^the embedded engine did not start: another engine [^\n]+$"):
        await second.start()
    await second.stop()

    assert running_engine(tmp_path) == address
    assert await ask(address, "RETURN 1 AS one") == [{"one": 1}]


async def test_a_port_that_was_taken_meanwhile_is_named(engine: EmbeddedEngine) -> None:
    address = await engine.start()
    await engine.stop()
    port = address.uri.rpartition(":")[2]
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", int(port)))
        other.listen()

        with pytest.raises(EngineFailed, match=rf"^[^\n]*{port}[^\n]*$"):
            await engine.restart()


async def test_damaged_data_is_refused_not_shown_as_empty(engine: EmbeddedEngine, tmp_path: Path) -> None:
    address = await engine.start()
    await ask(address, "CREATE (:Kept {n: 1})")
    await engine.stop()
    schema = tmp_path / "engine" / "databases" / engine_module.DATABASE / "schema.json"
    whole = schema.read_bytes()
    schema.write_bytes(whole[: len(whole) // 2])

    with pytest.raises(EngineFailed, match="damaged"):
        await engine.start()
    schema.write_bytes(whole)

    assert await ask(await engine.start(), "MATCH (k:Kept) RETURN k.n AS n") == [{"n": 1}]


@pytest.mark.parametrize("heap", ["lots", "99999999g"])
async def test_a_java_that_cannot_start_is_one_plain_line(tmp_path: Path, heap: str) -> None:
    with pytest.raises(EngineFailed, match=r"^the embedded engine did not start: [^\n]+engine\.log\)$"):
        await EmbeddedEngine(tmp_path, heap=heap).start()


async def test_a_child_that_never_answers_is_given_up(
    engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    silent = tmp_path / "silent.py"
    silent.write_text("import sys\nsys.stdin.buffer.readlines()\n")
    monkeypatch.setattr(engine_module, "PROGRAM", silent)
    monkeypatch.setattr(engine_module, "START_SECONDS", 0.5)

    with pytest.raises(EngineFailed, match="not ready within"):
        await engine.start()
    assert engine.pid is None


async def test_a_platform_without_a_build_is_named(engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "arcadedb_embedded", None)
    monkeypatch.setattr(engine_module.platform, "machine", lambda: "riscv64")

    with pytest.raises(EngineFailed, match=r"Python 3\.\d+ on \w+ riscv64; set ACCOUNTGRAPH_NEO4J_URI"):
        await engine.start()


async def test_a_stale_address_of_a_killed_engine_is_not_believed(tmp_path: Path) -> None:
    (tmp_path / "engine").mkdir()
    stale = EngineAddress("bolt://127.0.0.1:1", "root", "old", "accountgraph", "ArcadeDB", "1")
    (tmp_path / "engine.json").write_text(json.dumps(asdict(stale)))

    assert running_engine(tmp_path) is None


def test_who_reads_a_private_file_while_it_is_written_sees_all_of_the_old_one(tmp_path: Path) -> None:
    file, being_read = tmp_path / "private", tmp_path / "being-read"
    write_private(file, "old")
    being_read.hardlink_to(file)
    write_private(file, "new")
    assert (file.read_text(), being_read.read_text()) == ("new", "old")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert {each.name for each in tmp_path.iterdir()} == {"private", "being-read"}
