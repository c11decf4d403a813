"""A whole house of services on a real engine, with a tenant of its own for each test."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from graph import users
from graph.database import Database
from graph.errors import EngineUnavailable
from graph.migrate import migrate
from services.access import viewer_of_user
from services.commands import Command
from services.desk import Desk
from services.groups import CreateGroup
from services.installation import ensure_installation
from services.market.paper import PaperBroker
from services.market.prices import shipped_prices
from services.market.store import MemoryStore
from services.permissions import Viewer
from services.pipeline import Outcome, Pipeline
from services.prices import PriceBook
from services.protocol.embedded import EmbeddedProtocol

ADMIN = "admin"
ADMIN_PASSWORD = "a password for the tests alone"


@dataclass(frozen=True, slots=True)
class Address:
    """Where an engine answers."""

    uri: str
    username: str
    password: str
    database: str


@dataclass(slots=True)
class House:
    """The services, the administrator, and a fresh tenant's root group."""

    desk: Desk
    pipeline: Pipeline
    admin: Viewer
    market: PaperBroker
    root: str

    async def do(self, command: Command[Any], viewer: Viewer | None = None) -> Outcome:
        """Performs a command as the administrator, or as another viewer."""
        return await self.pipeline.perform(viewer or self.admin, command)

    async def group(self, name: str, parent: str | None = None) -> str:
        """Creates a group below another one, or below the root; its id."""
        made = await self.do(CreateGroup(operation_id=op(), name=name, parent_id=parent or self.root))
        return made.payload["group"]


def op() -> str:
    """A new operation id."""
    return str(uuid4())


def address_from_environment() -> Address | None:
    """The engine that ACCOUNTGRAPH_TEST_URI (with _USERNAME, _PASSWORD, _DATABASE) names, or None."""
    uri = os.environ.get("ACCOUNTGRAPH_TEST_URI")
    if uri is None:
        return None
    names = ("USERNAME", "PASSWORD", "DATABASE")
    return Address(uri, *(os.environ[f"ACCOUNTGRAPH_TEST_{name}"] for name in names))


@asynccontextmanager
async def open_house(address: Address) -> AsyncGenerator[House]:
    """The services over the engine at this address. It makes the installation where there is none yet."""
    database = Database.connect(address.uri, address.username, address.password, address.database)
    try:
        await migrate(database)
        installed = await ensure_installation(database, ADMIN, ADMIN_PASSWORD)
        market = await PaperBroker.open(MemoryStore(), shipped_prices())
        prices = PriceBook(market, database)
        desk = Desk(database, EmbeddedProtocol(), market, prices, installed.id)
        pipeline = Pipeline(desk)
        row = await users.by_key(database, ADMIN)
        assert row is not None
        admin = await viewer_of_user(database, row["id"])
        assert admin is not None
        root = (await pipeline.perform(admin, CreateGroup(operation_id=op(), name="Tenant"))).payload["group"]
        yield House(desk, pipeline, admin, market, root)
        await prices.aclose()
    except EngineUnavailable as error:
        raise AssertionError(f"no engine at {address.uri}") from error
    finally:
        await database.close()
