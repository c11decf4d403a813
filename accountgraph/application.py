"""One running application: the engine, the ports and the services, opened in order and closed in reverse."""

import asyncio
import contextlib
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import structlog

from accountgraph.data_folder import StartFailed
from accountgraph.engine import EmbeddedEngine, EngineAddress, EngineFailed, write_private
from accountgraph.metrics import Metrics
from accountgraph.ports import open_market, open_protocol
from accountgraph.reaching import neo4j_address, require_answer
from accountgraph.settings import Settings
from accountgraph.tracing import NoTracing, Tracing
from graph import operations
from graph.database import Database
from graph.errors import GraphError
from graph.migrate import MigrationError, migrate
from services.desk import Desk
from services.guard import Guard
from services.installation import ensure_installation, password_holds
from services.market.port import MarketError
from services.pipeline import Pipeline
from services.prices import PriceBook

Tell = Callable[[str], None]
PASSWORD_FILE = "admin-password"  # noqa: S105
UNPROVED_FILE = f"{PASSWORD_FILE}.new"
"""Where a first password lies until it is certain that it holds."""
WATCH_SECONDS = 2.0
_log = structlog.get_logger()


@dataclass(slots=True)
class Application:
    """What the routes and the command line work with."""

    settings: Settings
    metrics: Metrics
    tracing: Tracing
    engine: EngineAddress
    desk: Desk
    pipeline: Pipeline
    guard: Guard
    market_day: str | None = None
    """The market's date, as `watch` saw it last."""

    async def watch(self) -> None:
        """Keeps the figures of the engine and of open operations fresh, until it is cancelled."""
        while True:
            try:
                await self._look()
            except Exception:
                # A fault here must not end the server.
                _log.exception("watch_failed")
            await asyncio.sleep(WATCH_SECONDS)

    async def _look(self) -> None:
        up = await self.desk.database.ready()
        self.metrics.set_engine_up(up)
        if up:
            with contextlib.suppress(GraphError):
                self.metrics.set_operations(await operations.open_by_state(self.desk.database))
        with contextlib.suppress(MarketError):
            self.market_day = (await self.desk.market.market_date()).isoformat()


class Opening:
    """Opens an application step by step and tells each step in one line. Leaving it closes what was opened."""

    def __init__(self, settings: Settings, tell: Tell, *, tracing: Tracing | None = None) -> None:
        self._settings = settings
        self._tell = tell
        self._metrics = Metrics()
        self._tracing = tracing or NoTracing()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Application:
        try:
            return await self._open()
        except BaseException:
            await self._stack.aclose()
            raise

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _open(self) -> Application:
        address = await self._engine()
        database = self._database(address)
        self._stack.push_async_callback(database.close)
        await self._schema(database, address)
        market = await open_market(self._settings, database)
        self._stack.push_async_callback(market.aclose)
        protocol = open_protocol(self._settings, market)
        self._stack.push_async_callback(protocol.aclose)
        prices = PriceBook(market, database)
        self._stack.push_async_callback(prices.aclose)
        desk = Desk(database, protocol, market, prices, await self._installation(database))
        self._tell(f"Protocol engine (WS2): {self._settings.protocol_url or 'embedded'}")
        self._tell(f"Market (WS4): {self._settings.market_url or 'embedded paper broker'}")
        return Application(self._settings, self._metrics, self._tracing, address, desk, Pipeline(desk), Guard())

    async def _engine(self) -> EngineAddress:
        neo4j = neo4j_address(self._settings)
        if neo4j is not None:
            return neo4j
        engine = EmbeddedEngine(self._settings.data_dir)
        address = await engine.start()
        self._stack.push_async_callback(engine.stop)
        watch = asyncio.create_task(_keep(engine))
        self._stack.push_async_callback(_cancel, watch)
        self._tell(f"Engine: {address.name} {address.version}, embedded, at {address.uri}")
        return address

    def _database(self, address: EngineAddress) -> Database:
        def observe(name: str, seconds: float, outcome: str) -> None:
            self._metrics.observe_query(name, seconds, outcome)
            self._tracing.query(name, seconds, outcome)

        database = Database.connect(
            address.uri, address.username, address.password, address.database, observe, self._metrics.observe_calls
        )
        self._metrics.count_sessions(lambda: database.sessions)
        return database

    async def _schema(self, database: Database, address: EngineAddress) -> None:
        await require_answer(database, address)
        if self._settings.neo4j_uri is not None:
            self._tell(f"Engine: {address.name} at {address.uri}")
        try:
            applied = await migrate(database)
        except MigrationError as error:
            raise StartFailed(str(error)) from error
        except GraphError as error:
            raise StartFailed(f"the migrations could not be applied: {error}") from error
        names = ", ".join(f"{migration.number:04d}_{migration.name}" for migration in applied)
        self._tell(f"Migrations: {names or 'nothing to do'}")

    async def _installation(self, database: Database) -> str:
        settings = self._settings
        given = settings.admin_password.get_secret_value() if settings.admin_password else None
        unproved = settings.data_dir / UNPROVED_FILE

        def keep(password: str) -> None:
            write_private(unproved, f"{password}\n")

        try:
            installed = await ensure_installation(database, settings.admin_username, given, keep)
            await self._settle_password(database, unproved)
        except GraphError as error:
            raise StartFailed(f"the installation could not be made: {error}") from error
        return installed.id

    async def _settle_password(self, database: Database, unproved: Path) -> None:
        """Keeps and tells a first password that holds, also one of a start that died; another one is removed."""
        password = _read(unproved)
        if password is None:
            return
        settings = self._settings
        holds = await password_holds(database, settings.admin_username, password)
        if holds:
            file = settings.data_dir / PASSWORD_FILE
            _move(unproved, file)
            self._tell(f"Administrator: {settings.admin_username}, password {password}")
            self._tell(f"               told this once; kept in {file}, which its owner alone can read")
        elif holds is not None:
            _move(unproved, None)


def _move(file: Path, to: Path | None) -> None:
    if to is None:
        file.unlink()
    else:
        file.replace(to)


def _read(file: Path) -> str | None:
    return file.read_text(encoding="utf-8").strip() if file.exists() else None


async def _keep(engine: EmbeddedEngine) -> None:
    """Starts the embedded engine again, at the same address, where it ends by itself."""
    while True:
        status = await engine.wait_ended()
        _log.error("engine_ended", status=status)
        while not await _restarted(engine):  # noqa: ASYNC110 - it waits between tries, for no event
            await asyncio.sleep(WATCH_SECONDS)


async def _restarted(engine: EmbeddedEngine) -> bool:
    try:
        await engine.restart()
    except EngineFailed as error:
        _log.error("engine_does_not_restart", reason=str(error))
        return False
    return True


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
