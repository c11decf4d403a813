"""The ASGI application: GraphQL, files for imports, the start page, the schema, and the probes."""

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from accountgraph import metrics, startpage
from accountgraph.application import Application
from accountgraph.callers import Callers
from accountgraph.documents import graphql_schema
from accountgraph.envelope import Envelope
from accountgraph.execution import Caller
from accountgraph.gate import Gate, Phase
from accountgraph.http import GraphQLEndpoint
from accountgraph.importing import Uploads
from accountgraph.limits import Limits
from accountgraph.version import VERSION
from graph.unmoved import Quiet
from resolvers.compiling.reads import CompiledReads
from resolvers.context import Context
from schema.compiled import COMPILED
from schema.schema import build_schema
from services.access import viewer_of_token
from services.permissions import Viewer

_GRAPHQL = "/graphql"


def make_app(application: Application, gate: Gate) -> ASGIApp:
    """The application's routes, in their envelope."""
    schema = build_schema()
    settings = application.settings
    callers = Callers()

    async def authenticate(token: str) -> Viewer | None:
        viewer = await viewer_of_token(application.desk.database, token)
        if viewer is not None:
            callers.learn(token, viewer)
        return viewer

    def context_of(caller: Caller) -> Context:
        return Context(
            desk=application.desk,
            pipeline=application.pipeline,
            guard=application.guard,
            viewer=caller.viewer,
            refusal=caller.refusal,
            request_id=caller.request_id,
            address=caller.address or "",
        )

    database = application.desk.database
    quiet = Quiet(database) if settings.kept_answer_bytes else None
    graphql = GraphQLEndpoint(
        schema,
        context_of,
        authenticate,
        gate=gate,
        callers=callers,
        limits=Limits(
            body_bytes=settings.max_body_bytes,
            depth=settings.max_depth,
            aliases=settings.max_aliases,
            nodes=settings.max_nodes,
            answer_bytes=settings.max_answer_bytes,
        ),
        metrics=application.metrics,
        tracing=application.tracing,
        read_seconds=settings.read_seconds,
        compiled=CompiledReads(graphql_schema(schema), COMPILED, database, quiet, settings.kept_answer_bytes),
    )
    uploads = Uploads(database, authenticate, gate, callers)
    probes = Probes(application, gate)
    pages = startpage.routes(schema.as_str(), lambda: _facts(application))
    routes = [Route(_GRAPHQL, graphql), *uploads.routes(), *pages, *probes.routes()]
    return Envelope(_Shortcut(graphql, Starlette(routes=routes)))


def _facts(application: Application) -> startpage.Facts:
    settings = application.settings
    return startpage.Facts(
        version=VERSION,
        engine=f"{application.engine.name} {application.engine.version}".strip(),
        base_url=settings.base_url,
        market_date=application.market_day,
        admin_username=settings.admin_username,
    )


class _Shortcut:
    """Gives GraphQL its requests without the layers of the other routes, which are a good part of what a read costs."""

    def __init__(self, graphql: ASGIApp, routes: ASGIApp) -> None:
        self._graphql = graphql
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        shortcut = scope["type"] == "http" and scope["path"] == _GRAPHQL
        await (self._graphql if shortcut else self._routes)(scope, receive, send)


class Probes:
    """Whether the process lives, whether it can serve, and its figures."""

    def __init__(self, application: Application, gate: Gate) -> None:
        self._application = application
        self._gate = gate

    def routes(self) -> Sequence[BaseRoute]:
        """The probes' routes."""
        return (
            Route("/healthz", self.healthz),
            Route("/readyz", self.readyz),
            Route("/metrics", self.metrics),
        )

    async def healthz(self, _: Request) -> Response:
        """200 as long as the process answers."""
        return PlainTextResponse("ok\n")

    async def readyz(self, _: Request) -> Response:
        """200 while requests are taken and the engine answers; WS2 and WS4 are told, and do not decide."""
        desk = self._application.desk
        serving = self._gate.phase is Phase.SERVING
        engine = await desk.database.ready()
        state = {
            "serving": serving,
            "engine": engine,
            "protocol": await desk.protocol.healthy(),
            "market": await desk.market.healthy(),
        }
        ready = serving and engine
        return JSONResponse(state, 200 if ready else 503, headers=None if ready else {"Retry-After": "5"})

    async def metrics(self, _: Request) -> Response:
        """Prometheus's text form."""
        return Response(self._application.metrics.render(), media_type=metrics.CONTENT_TYPE)
