"""A small GraphQL schema behind the real endpoint, on a real server at a free loopback port."""

import asyncio
import enum
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import strawberry
import uvicorn
from graphql import GraphQLError
from starlette.applications import Starlette
from starlette.routing import Route
from strawberry.scalars import JSON
from typing_extensions import override

from accountgraph.callers import Callers
from accountgraph.envelope import Envelope
from accountgraph.execution import Caller
from accountgraph.gate import Gate
from accountgraph.http import GraphQLEndpoint
from accountgraph.limits import Limits
from accountgraph.metrics import Metrics
from accountgraph.serve import configured
from accountgraph.tracing import Tracing
from graph.errors import EngineUnavailable
from services.problems import ProblemCode, Refused, invalid, refuse

TOKEN = "a-good-token"
SIGNED_IN = {"Authorization": f"Bearer {TOKEN}"}
Context = dict[str, Any]
Info = strawberry.Info[Context, None]


@dataclass
class House:
    """What the small schema's resolvers share with a test."""

    callers: list[Caller] = field(default_factory=list[Caller])
    entered: asyncio.Event = field(default_factory=asyncio.Event)
    leave: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    authenticate_fails: Exception | None = None

    async def authenticate(self, token: str) -> str | None:
        """The viewer of the one good token."""
        if self.authenticate_fails:
            raise self.authenticate_fails
        return "ada" if token == TOKEN else None

    def context(self, caller: Caller) -> Context:
        """The resolvers' context."""
        self.callers.append(caller)
        return {"house": self, "caller": caller}

    async def stay(self) -> str:
        """Blocks until the test lets it go."""
        self.entered.set()
        try:
            await self.leave.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        self.left.set()
        return "done"


@strawberry.enum
class Colour(enum.Enum):
    RED = "red"
    GREEN = "green"


@strawberry.type
class Account:
    id: strawberry.ID
    name: str

    @strawberry.field
    def ancestors(self) -> list["Account"]:
        return []

    @strawberry.field
    def children(self, first: int = 50) -> "AccountConnection":
        return AccountConnection(nodes=[Account(id=strawberry.ID(str(n)), name="n") for n in range(first)])


@strawberry.type
class AccountConnection:
    nodes: list[Account]


@strawberry.input
class DepositInput:
    operation_id: strawberry.ID
    amount: int
    colour: Colour | None = None


@strawberry.type
class Query:
    @strawberry.field
    def hello(self, name: str = "world") -> str:
        return f"hello {name}"

    @strawberry.field
    async def accounts(self, first: int = 100, last: int | None = None) -> AccountConnection:
        return AccountConnection(nodes=[Account(id=strawberry.ID(str(n)), name="n") for n in range(first)])

    @strawberry.field
    def nodes(self, ids: list[strawberry.ID]) -> list[Account]:
        return [Account(id=each, name="n") for each in ids]

    @strawberry.field
    def paint(self, colour: Colour) -> str:
        return colour.value

    @strawberry.field
    def echo(self, value: JSON) -> JSON:
        return value

    @strawberry.field
    def who(self, info: Info) -> str | None:
        return info.context["caller"].viewer

    @strawberry.field
    async def stay(self, info: Info) -> str:
        return await info.context["house"].stay()

    @strawberry.field
    def fault(self) -> str | None:
        raise ZeroDivisionError("the secret inner word")

    @strawberry.field
    def nothing(self) -> str:
        return None  # pyright: ignore[reportReturnType]

    @strawberry.field
    def refused(self) -> str | None:
        raise Refused(invalid("first should be 1 or more.", "first"), invalid("after is no cursor.", "after"))

    @strawberry.field
    def missing(self) -> str | None:
        raise GraphQLError("There is no such account.", extensions={"code": "NOT_FOUND"})

    @strawberry.field
    def gone(self) -> str | None:
        raise EngineUnavailable("bolt://127.0.0.1:7687 does not answer")

    @strawberry.field
    def ended(self) -> str | None:
        raise refuse(ProblemCode.UNAUTHENTICATED, "The session has ended.")


@strawberry.type
class Mutation:
    @strawberry.mutation
    def sign_in(self, username: str) -> str:
        return f"token of {username}"

    @strawberry.mutation
    async def stay(self, info: Info) -> str:
        return await info.context["house"].stay()

    @strawberry.mutation
    def deposit(self, what: DepositInput, info: Info) -> str:
        refusal = info.context["caller"].refusal
        return refusal.problems[0].code if refusal else f"{what.amount}"


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def changes(self) -> AsyncGenerator[int]:
        yield 1


SCHEMA = strawberry.Schema(Query, Mutation, Subscription)


class Server(uvicorn.Server):
    """uvicorn, with an event that says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@dataclass
class SmallServer:
    """The running server, and a client of it that is signed in."""

    url: str
    house: House
    gate: Gate
    metrics: Metrics
    endpoint: GraphQLEndpoint
    client: httpx.AsyncClient

    async def ask(self, query: str, **more: Any) -> httpx.Response:
        """The answer to a POST of this document."""
        return await self.client.post("/graphql", json={"query": query, **more})


@asynccontextmanager
async def serving(
    *,
    limits: Limits | None = None,
    gate: Gate | None = None,
    callers: Callers | None = None,
    tracing: Tracing | None = None,
    read_seconds: float = 30.0,
) -> AsyncGenerator[SmallServer]:
    """The small schema, served until the block ends."""
    house, metrics = House(), Metrics()
    gate = gate or Gate()
    gate.open()
    endpoint = GraphQLEndpoint(
        SCHEMA,
        house.context,
        house.authenticate,
        gate=gate,
        callers=callers,
        limits=limits,
        metrics=metrics,
        tracing=tracing,
        read_seconds=read_seconds,
    )
    app = Envelope(Starlette(routes=[Route("/graphql", endpoint)]))
    async with listening(app) as url, httpx.AsyncClient(base_url=url, headers=SIGNED_IN, timeout=30) as client:
        yield SmallServer(url, house, gate, metrics, endpoint, client)


@asynccontextmanager
async def listening(app: Any) -> AsyncGenerator[str]:
    """The address of an ASGI application that is served until the block ends."""
    # Only a socket that says TCP gets TCP_NODELAY from asyncio; without it each answer waits 40 ms for an ACK.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        server = Server(configured(app))
        running = asyncio.create_task(server.serve(sockets=[listener]))
        await asyncio.wait_for(server.ready.wait(), 10)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await running
