"""The embedded engine, ArcadeDB, as a child process that speaks Bolt on loopback and ends with its parent."""

import asyncio
import importlib.util
import json
import os
import platform
import secrets
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from accountgraph.data_folder import StartFailed, make_folder

PROGRAM = Path(__file__).with_name("engine_process.py")
DATABASE = "accountgraph"
# A predecessor that lost its parent ends within 5 s.
LOCK_SECONDS = 8.0
START_SECONDS = 60.0
STOP_SECONDS = 6.0


class EngineFailed(StartFailed):
    """Why the embedded engine does not run, in one plain line."""


@dataclass(frozen=True, slots=True)
class EngineAddress:
    """Where a graph engine answers Bolt and how to sign in; `name` and `version` are for people to read."""

    uri: str
    username: str
    password: str
    database: str
    name: str
    version: str


class EmbeddedEngine:
    """One embedded engine on `<data_dir>/engine`, with its output in `<data_dir>/engine.log`.

    The password is new at each start and is never on a command line. It stands, with the address, in
    `<data_dir>/engine.json` for as long as the engine runs, readable by its owner alone.
    The caller holds the data folder (`hold_data_folder`).
    """

    def __init__(self, data_dir: Path, *, heap: str = "512m", lock_seconds: float = LOCK_SECONDS) -> None:
        self._data_dir = data_dir.resolve()
        self._heap = heap
        self._lock_seconds = lock_seconds
        self._password = secrets.token_urlsafe(24)
        self._port = 0
        self._process: Process | None = None

    @property
    def pid(self) -> int | None:
        """The child's process id, or None where none was started."""
        return self._process.pid if self._process else None

    async def start(self) -> EngineAddress:
        """The address of the engine, once it answers there. Raises EngineFailed or StartFailed."""
        require_platform()
        make_folder(self._data_dir)
        make_folder(self._data_dir / "engine")
        write_private(self._data_dir / "engine.log", "")
        return await self._launch()

    async def restart(self) -> EngineAddress:
        """The same address again, after the child has ended or has been stopped: drivers just reconnect.

        Raises EngineFailed.
        """
        await self.stop()
        return await self._launch()

    async def wait_ended(self) -> int:
        """The exit status of the child, once it has ended; negative is the number of the signal that ended it."""
        assert self._process is not None, "the engine was started"
        return await self._process.wait()

    async def stop(self) -> None:
        """Ends the child: it closes its database and leaves within 5 s, or is killed."""
        process = self._process
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            await kill(process)
        self._address_file.unlink(missing_ok=True)
        self._process = None

    @property
    def _address_file(self) -> Path:
        return self._data_dir / "engine.json"

    async def _launch(self) -> EngineAddress:
        process = await self._spawn()
        try:
            answer = await asyncio.wait_for(self._ask(process), START_SECONDS)
        except TimeoutError:
            await kill(process)
            raise self._failure(f"it was not ready within {START_SECONDS:.0f} s") from None
        except BaseException:
            await kill(process)
            raise
        self._process = process
        self._port = int(answer["port"])
        address = EngineAddress(
            uri=f"bolt://127.0.0.1:{self._port}",
            username="root",
            password=self._password,
            database=DATABASE,
            name="ArcadeDB",
            version=str(answer["ready"]),
        )
        write_private(self._address_file, json.dumps(asdict(address)))
        return address

    async def _spawn(self) -> Process:
        with (self._data_dir / "engine.log").open("ab") as log:
            # A session of its own, so that Ctrl-C ends it through its parent; -P, since it is run by path.
            return await asyncio.create_subprocess_exec(
                sys.executable, "-P", str(PROGRAM), stdin=PIPE, stdout=PIPE, stderr=log, start_new_session=True
            )

    async def _ask(self, process: Process) -> dict[str, str | int]:
        assert process.stdin is not None
        assert process.stdout is not None
        orders = {
            "folder": str(self._data_dir / "engine"),
            "port": self._port,
            "password": self._password,
            "database": DATABASE,
            "heap": self._heap,
            "lock_seconds": self._lock_seconds,
        }
        process.stdin.write(json.dumps(orders).encode() + b"\n")
        with suppress(ConnectionError):
            await process.stdin.drain()
        line = await process.stdout.readline()
        answer: dict[str, str | int] = json.loads(line or b"{}")
        if "ready" in answer:
            return answer
        status = await process.wait()
        raise self._failure(str(answer.get("failed") or f"its process ended with status {status}"))

    def _failure(self, reason: str) -> EngineFailed:
        return EngineFailed(f"the embedded engine did not start: {reason} (see {self._data_dir / 'engine.log'})")


def running_engine(data_dir: Path) -> EngineAddress | None:
    """The address of the engine that another process runs on this data folder, or None where none runs."""
    file = data_dir / "engine.json"
    lock = FileLock(data_dir / "engine" / "lock")
    try:
        with lock.acquire(timeout=0):
            return None
    except Timeout:
        with suppress(FileNotFoundError):
            return EngineAddress(**json.loads(file.read_text()))
        return None
    except OSError:
        return None


def require_platform() -> None:
    """Raises EngineFailed where the engine's package, which brings its own Java, is not installed."""
    if importlib.util.find_spec("arcadedb_embedded") is None:
        raise EngineFailed(
            f"there is no embedded engine for Python {sys.version_info.major}.{sys.version_info.minor}"
            f" on {platform.system()} {platform.machine()}; set ACCOUNTGRAPH_NEO4J_URI to use a Neo4j"
        )


def write_private(file: Path, text: str) -> None:
    """Writes a file that only its owner can read, through to the disk; who reads it sees the old text or the new."""
    new = file.with_name(f"{file.name}.new")
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(descriptor)
        new.replace(file)
    except OSError:
        new.unlink(missing_ok=True)
        raise


async def kill(process: Process) -> None:
    """Ends a process at once, by its own id, and collects it."""
    with suppress(ProcessLookupError):
        process.kill()
    await process.wait()
