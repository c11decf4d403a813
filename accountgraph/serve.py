"""The server's process: binds its port, opens the application, serves until it is told to stop, and closes all."""

import asyncio
import contextlib
import errno
import gc
import signal
import socket
from collections.abc import Generator

import uvicorn

from accountgraph import logs, tracing
from accountgraph.app import make_app
from accountgraph.application import Opening
from accountgraph.data_folder import StartFailed, hold_data_folder
from accountgraph.gate import Gate
from accountgraph.heads import BoundedHeads
from accountgraph.loops import new_event_loop
from accountgraph.settings import Settings
from accountgraph.version import VERSION
from services.worker import Worker

STOP_SECONDS = 4
# Proxies and clients keep idle connections for 60 s or more. Who sends on one that is just being closed here gets an
# error, and a mutation may not be sent again blindly; so they have to be the first who close.
KEEP_ALIVE_SECONDS = 75


def run(settings: Settings) -> int:
    """Serves until Ctrl-C or SIGTERM; the process's exit status. Raises StartFailed."""
    logs.configure(settings.log_format, settings.log_level)
    with (
        contextlib.closing(bind(settings.host, settings.port)) as listener,
        hold_data_folder(settings.data_dir),
        asyncio.Runner(loop_factory=new_event_loop) as runner,
    ):
        runner.run(_serve(settings, listener))
    return 0


def bind(host: str, port: int) -> socket.socket:
    """A socket that will listen there. Raises StartFailed where the port is taken or the address is not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio switches Nagle's delay off only where the protocol is told.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise StartFailed(f"port {port} of {host} is taken; set ACCOUNTGRAPH_PORT to another one") from None
        raise StartFailed(f"cannot listen on {host}:{port}: {error.strerror or error}") from None
    return listener


def tell(line: str) -> None:
    """One line for the person who started this."""
    print(line, flush=True)


async def _serve(settings: Settings, listener: socket.socket) -> None:
    tell(f"AccountGraph {VERSION}")
    tell(f"Data: {settings.data_dir.resolve()}")
    traces = tracing.start(settings.otlp_endpoint, VERSION)
    try:
        async with Opening(settings, tell, tracing=traces) as application:
            gate = Gate(settings.max_running, settings.max_waiting, observe=application.metrics.set_requests_now)
            worker = Worker(application.pipeline)
            server = _Server(configured(make_app(application, gate)), gate, settings)
            # What is here now stays, and needs no walk of the collector every time.
            gc.collect()
            gc.freeze()
            async with asyncio.TaskGroup() as tasks:
                working = tasks.create_task(worker.run())
                watching = tasks.create_task(application.watch())
                await server.serve(sockets=[listener])
                worker.stop()
                watching.cancel()
                await asyncio.wait({working}, timeout=STOP_SECONDS)
                working.cancel()
    finally:
        traces.stop()
    tell("Stopped.")


def configured(app: object) -> uvicorn.Config:
    """How uvicorn serves the application."""
    return uvicorn.Config(
        app,  # pyright: ignore[reportArgumentType]
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        lifespan="off",
        http=BoundedHeads,
        ws="none",
    )


class _Server(uvicorn.Server):
    """Opens the gate when it listens, and closes it when it is told to stop, before connections are ended."""

    def __init__(self, config: uvicorn.Config, gate: Gate, settings: Settings) -> None:
        super().__init__(config)
        self._gate = gate
        self._settings = settings

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Ctrl-C and SIGTERM stop the server and nothing else, so that what was opened is closed after it."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts to listen, and says where everything is."""
        await super().startup(sockets)
        self._gate.open()
        url = self._settings.base_url
        tell(f"Start page: {url}/")
        tell(f"Schema: {url}/schema.graphql")
        tell(f"GraphQL: {url}/graphql")
        tell("Ready. Stop with Ctrl-C.")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Refuses new requests, lets those that run end, and closes."""
        self._gate.close()
        tell("Stopping.")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await self._gate.emptied()
        await super().shutdown(sockets)
