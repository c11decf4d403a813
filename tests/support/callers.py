"""A caller of a server that may be killed at any time, and what the graph knows of what was asked."""

import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import httpx

from accountgraph.engine import running_engine
from graph import clock, operations, users
from graph.database import Database, Row
from tests.support.api import PROBLEM, Remote, document_of
from tests.support.conditions import until
from tests.support.graphs import connected, statement
from tests.support.house import ADMIN, ADMIN_PASSWORD, Address
from tests.support.running import Server

ANSWER_SECONDS = 90.0
QUIET_SECONDS = 30.0
SIGN_IN = """mutation($input: SignInInput!) {
  signIn(input: $input) { ... on SignInPayload { accessToken } ... on Problem { code message } } }"""
HASTEN = statement(
    "MATCH (o:Operation) WHERE o.dueAt > $now AND o.state IN $states "
    "AND any(node IN o.nodes WHERE node IN $accounts) SET o.dueAt = $now",
)
UNSETTLED = statement(
    "MATCH (o:Operation) WHERE o.dueAt > '' AND o.state IN $states "
    "AND any(node IN o.nodes WHERE node IN $accounts) RETURN count(o) AS total",
)
STATES = ["PENDING", "RUNNING", "UNKNOWN"]
OPEN = statement("MATCH (o:Order) WHERE o.account IN $ids AND o.open = true RETURN o.account AS account, o.id AS id")


class Caller:
    """A user, with a token that outlives the server's process; `problem` is what they ask of problems."""

    def __init__(self, client: httpx.AsyncClient, url: str, token: str, problem: str = PROBLEM) -> None:
        self._client = client
        self._url = url
        self._problem = problem
        self._remote = Remote(client, f"{url}/graphql", token)

    async def ask(self, name: str, payload: str, /, **given: Any) -> dict[str, Any] | None:
        """A mutation's payload or Problem; None where there is no answer, or one that says UNAVAILABLE."""
        try:
            answer = await self._remote.run(document_of(name, payload, self._problem), input=given)
        except httpx.HTTPError:
            return None
        if answer.data is None:
            assert [error["extensions"]["code"] for error in answer.errors] == ["UNAVAILABLE"], answer.errors
            return None
        result: dict[str, Any] = answer.data[name]
        return None if result.get("code") == "UNAVAILABLE" else result

    async def done(self, name: str, payload: str = "operation { id state }", /, **given: Any) -> dict[str, Any]:
        """The payload of a mutation of a new operation id, which meets no problem."""
        return await self._remote.done(name, payload, **given)

    async def ready(self) -> bool:
        """Whether the server says that it can serve."""
        try:
            return (await self._client.get(f"{self._url}/readyz")).status_code == HTTPStatus.OK
        except httpx.HTTPError:
            return False


@asynccontextmanager
async def calling(url: str, username: str = ADMIN, password: str = ADMIN_PASSWORD) -> AsyncGenerator[Caller]:
    """A caller of the server at this address, who has signed in."""
    async with httpx.AsyncClient(timeout=ANSWER_SECONDS, trust_env=False) as client:
        given = {"username": username, "password": password}
        data = await Remote(client, f"{url}/graphql").ask(SIGN_IN, input=given)
        yield Caller(client, url, data["signIn"]["accessToken"])


@asynccontextmanager
async def beside(server: Server, engine: Address | None) -> AsyncGenerator[Database]:
    """The graph of a running server, past that server; None is for the server's own embedded engine."""

    async def runs() -> bool:
        return running_engine(server.folder) is not None

    if engine is None:
        # It answers a moment before it is told where.
        await until(runs, ANSWER_SECONDS)
    address = engine or running_engine(server.folder)
    assert address is not None, "its engine runs"
    async with connected(address) as database:
        yield database


async def asked(database: Database, ids: Sequence[str]) -> dict[str, Row]:
    """The operations that the administrator asked for, those that are there, by the ids that the caller gave."""
    user = await users.by_key(database, ADMIN)
    assert user is not None
    found = await operations.find_by_keys(database, [operations.key_of(user["id"], each) for each in ids])
    return {row["operationId"]: row for row in found.values()}


async def quiet(client: httpx.AsyncClient, urls: Sequence[str]) -> None:
    """Returns when no server has a request under way, those included whose callers went away."""

    async def are_quiet() -> bool:
        return not any([await _is_busy(client, url) for url in urls])

    await until(are_quiet, QUIET_SECONDS)


async def _is_busy(client: httpx.AsyncClient, url: str) -> bool:
    figures = (await client.get(f"{url}/metrics")).text
    counts = re.findall(r"^accountgraph_requests_now\{[^}]*\} (\S+)$", figures, re.MULTILINE)
    assert len(counts) == 2, figures
    return any(float(count) for count in counts)


async def open_orders(database: Database, ids: Sequence[str]) -> dict[str, str]:
    """The open order of each of the accounts that has one."""
    return {row["account"]: row["id"] for row in await database.run(OPEN, ids=list(ids))}


async def hasten(database: Database, accounts: Sequence[str]) -> None:
    """Lets the time come at which what is under way on these accounts is looked at again."""
    given = {"accounts": list(accounts), "states": STATES, "now": clock.to_text(clock.now())}
    await database.write(lambda transaction: transaction.run(HASTEN, **given), queue="test")


async def are_settled(database: Database, accounts: Sequence[str]) -> bool:
    """Whether nothing is under way on these accounts."""
    return (await database.run(UNSETTLED, accounts=list(accounts), states=STATES))[0]["total"] == 0
