"""The embedded engine's own process: ArcadeDB in a JVM, on a loopback Bolt port, for as long as its parent lives.

It is run by its path, apart from the application. The first line of its standard input says what to run (JSON, see
Orders); the pipe then stays open, and its end is the sign to stop. It answers on standard output with one line of
JSON, {"ready": version, "port": port} or {"failed": reason}. Whatever the engine prints goes to standard error, the
log.
"""

import json
import os
import signal
import socket
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import jpype
from arcadedb_embedded.jvm import start_jvm
from filelock import FileLock, Timeout

LOOPBACK = "127.0.0.1"
LONGEST_STOP_SECONDS = 5.0
LONGEST_LOG_BYTES = 8 * 1024 * 1024
WATCH_SECONDS = 1.0

SETTINGS: dict[str, str | int | bool] = {
    "arcadedb.server.mode": "production",
    # A commit is acknowledged after its log is on the disk.
    "arcadedb.txWalFlush": 1,
    "arcadedb.server.plugins": "Bolt:com.arcadedb.bolt.BoltProtocolPlugin",
    "arcadedb.bolt.host": LOOPBACK,
    "arcadedb.server.httpIncomingHost": LOOPBACK,
    # The engine does not keep to the time limit that a Bolt client sends; this one, in milliseconds, holds for all.
    "arcadedb.command.timeout": 60_000,
    "arcadedb.support.autoRegister": False,
    "arcadedb.opencypher.loadCsv.allowRemoteUrls": False,
}
LOGGING = """handlers = java.util.logging.ConsoleHandler
.level = INFO
io.undertow.level = WARNING
org.xnio.level = WARNING
org.jboss.level = WARNING
java.util.logging.ConsoleHandler.formatter = com.arcadedb.log.LogFormatter
"""


@dataclass(frozen=True, slots=True)
class Orders:
    """What the parent asks for: `folder` holds the data, `port` is 0 for any that is free, and `lock_seconds` is how
    long to wait for a dying predecessor to leave the data."""

    folder: str
    port: int
    password: str
    database: str
    heap: str
    lock_seconds: float


class EngineProcess:
    """The engine from its parent's orders to its end."""

    def __init__(self) -> None:
        os.umask(0o077)
        self._parent = os.getppid()
        self._ending = threading.Event()
        self._answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)

    def run(self) -> None:
        """Serves until the parent is gone or asks for the end; then the process ends, whatever the JVM does."""
        orders = Orders(**json.loads(sys.stdin.buffer.readline()))
        port = orders.port or free_port()
        threading.Thread(target=self._watch_pipe, daemon=True).start()
        lock = FileLock(Path(orders.folder) / "lock", mode=0o600)
        try:
            lock.acquire(timeout=orders.lock_seconds)
            server = start_server(orders, port)
        except Timeout:
            self._fail("another engine is running on this data")
        except Exception as error:
            self._fail(root_reason(error))
        else:
            self._serve(server, port)

    def _serve(self, server: Any, port: int) -> None:
        # The JVM took the signals when it started.
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._answer(ready=str(jpype.JClass("com.arcadedb.Constants").getRawVersion()), port=port)
        while not self._ending.wait(WATCH_SECONDS):
            if os.getppid() != self._parent:
                self._end()
            shorten_log()
        server.stop()
        leave(0)

    def _watch_pipe(self) -> None:
        sys.stdin.buffer.read()
        self._end()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._end()

    def _end(self) -> None:
        deadline = threading.Timer(LONGEST_STOP_SECONDS, leave, (1,))
        deadline.daemon = True
        deadline.start()
        self._ending.set()

    def _fail(self, reason: str) -> None:
        self._answer(failed=reason)
        leave(1)

    def _answer(self, **answer: str | int) -> None:
        self._answers.write(json.dumps(answer) + "\n")
        self._answers.flush()


def start_server(orders: Orders, port: int) -> Any:
    """The running server with its database open and nothing but Bolt listening."""
    folder = Path(orders.folder)
    require_whole_schema(folder / "databases" / orders.database)
    start_java(folder, orders.heap)
    # The users' file holds root alone; made anew, it takes this start's password.
    (folder / "config" / "server-users.jsonl").unlink(missing_ok=True)
    settings = SETTINGS | {
        "arcadedb.server.rootPath": orders.folder,
        "arcadedb.server.rootPassword": orders.password,
        "arcadedb.server.httpIncomingPort": free_port(),
        "arcadedb.bolt.port": port,
        "arcadedb.bolt.defaultDatabase": orders.database,
    }
    # Set for the whole JVM: a database does not see what only the server's own configuration says.
    for key, value in settings.items():
        jpype.JClass("com.arcadedb.GlobalConfiguration").findByKey(key).setValue(value)
    server = jpype.JClass("com.arcadedb.server.ArcadeDBServer")()
    server.start()
    # The server always starts HTTP, and MCP inside it. Nothing here needs them.
    server.getHttpServer().stopService()
    server.getOrCreateDatabase(orders.database)
    return server


def require_whole_schema(database: Path) -> None:
    """Raises ValueError where the file that describes the data is damaged: the engine would start without the data.

    The engine replaces that file atomically, so that no crash leaves it so.
    """
    schema = database / "schema.json"
    try:
        whole = bool(json.loads(schema.read_bytes()))
    except FileNotFoundError:
        whole = not any(database.glob("*.bucket"))
    except (OSError, ValueError):
        whole = False
    if not whole:
        raise ValueError(f"its file {schema} is missing or damaged; put a backup in its place")


def start_java(folder: Path, heap: str) -> None:
    """Starts the JVM of the engine's package, its output and crash reports kept inside the folder."""
    logging = folder / "logging.properties"
    logging.write_text(LOGGING, encoding="ascii")
    os.environ["ARCADEDB_JVM_ERROR_FILE"] = str(folder / "java-crash-%p.log")
    # Out of memory leaves an engine in an unknown state: it ends, and the next start recovers.
    arguments = [f"-Djava.util.logging.config.file={logging}", "-Xms64m", "-XX:+ExitOnOutOfMemoryError"]
    start_jvm(heap_size=heap, jvm_args=arguments)


def root_reason(error: Any) -> str:
    """The words of the first cause of an error of Python's or Java's, in one line."""
    while isinstance(error, jpype.JException) and error.getCause() is not None:
        error = error.getCause()
    return " ".join(str(error).split())


def free_port() -> int:
    """A loopback TCP port that is free now."""
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        return int(listener.getsockname()[1])


def shorten_log() -> None:
    """Empties the log where it has outgrown its bound. It is opened to append, so that writing goes on from there."""
    if os.fstat(2).st_size > LONGEST_LOG_BYTES:
        os.ftruncate(2, 0)
        os.write(2, b"the log had outgrown its bound; what was before is gone\n")


def leave(status: int) -> None:
    """Ends the process at once. The JVM's own shutdown hooks are passed over: its server is closed, or hangs."""
    os._exit(status)


if __name__ == "__main__":
    try:
        EngineProcess().run()
    finally:
        leave(1)
