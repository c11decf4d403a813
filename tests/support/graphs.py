"""Databases of the run's engine, and statements that tests alone use."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, LiteralString

from accountgraph.engine import EngineAddress
from graph.database import Database
from graph.query import Query
from tests.support.house import Address


def statement(text: LiteralString) -> Query:
    """A statement of a test: it is not one of the product's named ones."""
    return Query.compiled("test.statement", text)


@asynccontextmanager
async def connected(address: Address | EngineAddress, **observers: Any) -> AsyncGenerator[Database]:
    """A database with a driver of its own, as another process would have it, and who observes it."""
    database = Database.connect(address.uri, address.username, address.password, address.database, **observers)
    try:
        yield database
    finally:
        await database.close()
