"""Random ledger operations from many clients over two server processes: no cash is lost, made or overdrawn.

Both processes share one real Neo4j and one market. The embedded ArcadeDB has one server process alone, which holds its
data folder: on that engine the same run is over that one.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from graph.database import Database
from tests.support.api import PASSWORD, Api
from tests.support.callers import ANSWER_SECONDS, beside, quiet
from tests.support.cashbooks import Cashbooks, Holder
from tests.support.composing import Composer
from tests.support.house import ADMIN, ADMIN_PASSWORD, Address
from tests.support.proving import require_effects, require_operations, require_statements
from tests.support.running import Server, serving_together, settings_for
from tests.support.size import pick, seed
from tests.support.tellers import Teller
from tests.support.windows import LIMITS, Window
from tests.support.ws4_server import MarketProcess

pytestmark = pytest.mark.anyio
CLIENTS, OPERATIONS = 16, pick(304, 20_000)
PROCESSES_ON_NEO4J = 2
CURRENCIES = ("USD", "EUR", "JPY")
TENANTS, ACCOUNTS = 2, 3
MANAGERS, OPERATOR = ("ana", "ben", "cleo"), "dan"


@dataclass(slots=True)
class Bank:
    """The servers, and the graph that they share."""

    servers: Sequence[Server]
    database: Database
    client: httpx.AsyncClient

    async def window(self, user: str, server: int, password: str = PASSWORD) -> Window:
        """A user's way to every server, by a session that was made on one of them."""
        window = Window(self.client, [each.url for each in self.servers], user, password)
        await window.sign_in(server)
        return window

    async def administrators(self) -> list[Api]:
        """An administrator at each server, whose session was made on another one where there is another."""
        count = len(self.servers)
        windows = [await self.window(ADMIN, number, ADMIN_PASSWORD) for number in range(count)]
        return [windows[number - 1].api(number) for number in range(count)]


@pytest.fixture
async def bank(tmp_path: Path, own: Address | None) -> AsyncGenerator[Bank]:
    """As many servers as the engine has room for, started at once on an empty database."""
    async with AsyncExitStack() as stack:
        servers = [Server(tmp_path / "alone")]
        if own is not None:
            market = await stack.enter_async_context(MarketProcess(tmp_path / "market.sqlite"))
            settings = settings_for(own) | {"MARKET_URL": market.url}
            servers = [Server(tmp_path / f"server-{number}", settings) for number in range(PROCESSES_ON_NEO4J)]
        await stack.enter_async_context(serving_together(servers))
        database = await stack.enter_async_context(beside(servers[0], own))
        client = await stack.enter_async_context(
            httpx.AsyncClient(timeout=ANSWER_SECONDS, limits=LIMITS, trust_env=False)
        )
        yield Bank(servers, database, client)


async def founded(administrators: Sequence[Api]) -> Cashbooks:
    """Tenants with accounts in each currency, made on one server after another, and users with their roles."""
    books = Cashbooks()
    roots: list[str] = []
    for number in range(TENANTS):
        admin = administrators[number % len(administrators)]
        roots.append((await admin.done("createGroup", "group { id }", name=f"Tenant {number}"))["group"]["id"])
        for currency in [*CURRENCIES] * ACCOUNTS:
            given = {"name": "Cash", "parentId": roots[-1], "currency": currency}
            made = (await admin.done("createAccount", "account { id version }", **given))["account"]
            books.holders[made["id"]] = Holder(made["id"], roots[-1], currency, [made["version"]])
    for number, user in enumerate((*MANAGERS, OPERATOR)):
        admin = administrators[number % len(administrators)]
        await admin.done("createUser", "username", username=user, password=PASSWORD)
        for root in roots if user in MANAGERS else roots[:1]:
            role = "MANAGER" if user in MANAGERS else "OPERATOR"
            await admin.done("grant", username=user, nodeId=root, role=role)
    return books


async def tellers(bank: Bank, books: Cashbooks, chosen: int) -> list[Teller]:
    """The clients, each with a session of its own and dice of its own."""
    roots = list(dict.fromkeys(holder.root for holder in books.holders.values()))
    users = [(*MANAGERS, OPERATOR)[number % (len(MANAGERS) + 1)] for number in range(CLIENTS)]
    windows = [await bank.window(user, number % len(bank.servers)) for number, user in enumerate(users)]
    by_user = dict(zip(users, windows, strict=True))
    return [
        Teller(
            window=window,
            composer=Composer(
                user=window.user,
                corrects=window.user in MANAGERS,
                roots=frozenset(roots if window.user in MANAGERS else roots[:1]),
                books=books,
                dice=random.Random(f"{chosen} {number}"),
            ),
            others=[by_user[user] for user in MANAGERS if user != window.user][:2],
        )
        for number, window in enumerate(windows)
    ]


async def test_random_operations_keep_every_book_right(bank: Bank) -> None:
    chosen = seed()
    books = await founded(await bank.administrators())
    clients = await tellers(bank, books, chosen)
    async with asyncio.TaskGroup() as group:
        for client in clients:
            group.create_task(client.work(OPERATIONS // CLIENTS))
    await quiet(bank.client, [server.url for server in bank.servers])
    for client in clients:
        await client.settle()
    entries = await require_statements(await bank.administrators(), books)
    effects = await require_effects(bank.database, books)
    await require_operations(bank.database, books)
    assert len(books.asked) >= OPERATIONS - books.refused["OPERATION_ID_REUSED"]
    for server in bank.servers:
        status, output = await server.command("check")
        assert status == 0, output
        assert "Everything adds up" in output, output
    report(books, clients, entries, effects)


def report(books: Cashbooks, clients: Sequence[Teller], entries: int, effects: int) -> None:
    """Says what a run was made of."""
    said: dict[str, Any] = {
        "operations": len(books.asked),
        "effects": effects,
        "entries": entries,
        "reversed": len(books.corrected),
        "sent twice or more": sum(client.twice for client in clients),
        "left": sum(client.left for client in clients),
        "refused": dict(books.refused),
    }
    print(said)  # noqa: T201
