"""The client libraries and tools that people use, each against one server that runs as `make run` starts it."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import gql
import httpx
import pytest
from gql.transport.httpx import HTTPXAsyncTransport

from tests.support.api import Remote
from tests.support.checkout import ROOT
from tests.support.house import ADMIN, ADMIN_PASSWORD, Address
from tests.support.node import Conversation, conversing, run_node
from tests.support.running import running, settings_of
from tests.support.tour import check_answers, toured

pytestmark = pytest.mark.anyio

SCHEMA = str(ROOT / "schema.graphql")
SIGN_IN = "mutation($input: SignInInput!) { signIn(input: $input) { ... on SignInPayload { accessToken } } }"
# The tour's last request told the actor in a list, and the rest by the operation's id: they are one in the cache.
KNOWN = "query Known($id: ID!) { operation(id: $id) { id state actor createdAt } }"
REFETCHED = "query Refetched($id: ID!) { node(id: $id) { __typename id ... on Operation { state actor createdAt } } }"


# Of this module, so that it does not outlive it: a server works through what other tests leave behind on its engine.
@pytest.fixture(scope="module")
async def url(tmp_path_factory: pytest.TempPathFactory, engine: Address) -> AsyncGenerator[str]:
    """The address of the API of the one server."""
    async with running(tmp_path_factory.mktemp("server"), settings_of(engine)) as address:
        yield f"{address}/graphql"


@pytest.fixture
async def token(url: str) -> str:
    """The access token of the administrator, who has just signed in."""
    async with httpx.AsyncClient(timeout=60, trust_env=False) as client:
        answer = await Remote(client, url).ask(SIGN_IN, input={"username": ADMIN, "password": ADMIN_PASSWORD})
    return answer["signIn"]["accessToken"]


class Cached:
    """A client of tests/clients: what it was told of a query, it then also finds in its cache alone."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation

    async def ask(self, document: str, variables: dict[str, Any], token: str | None) -> dict[str, Any]:
        data = await self._conversation.ask({"document": document, "variables": variables, "token": token})
        if document.startswith("query"):
            assert await self.find(document, variables) == data
        return data

    async def find(self, document: str, variables: dict[str, Any]) -> dict[str, Any]:
        """The answer of the cache alone."""
        return await self._conversation.ask({"document": document, "variables": variables, "cached": True})


class PythonGql:
    """The client of Python, which reads the schema of the server and judges each document by it."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def ask(self, document: str, variables: dict[str, Any], token: str | None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        transport = HTTPXAsyncTransport(self._url, headers=headers, timeout=60, trust_env=False)
        async with gql.Client(transport=transport, fetch_schema_from_transport=bool(token)) as session:
            request = gql.gql(document)
            request.variable_values = variables
            return await session.execute(request)


@asynccontextmanager
async def cached(name: str, url: str, folder: Path) -> AsyncGenerator[Cached]:
    """The client of this name. It knows the committed schema, and the folder is its own."""
    async with conversing(f"{name}.mjs", url, SCHEMA, str(folder)) as conversation:
        yield Cached(conversation)


@pytest.mark.parametrize("name", ["apollo", "urql", "relay"])
async def test_a_client_with_a_normalised_cache_makes_the_tour(name: str, url: str, tmp_path: Path) -> None:
    async with cached(name, url, tmp_path) as client:
        done = await toured(client)
        waiting = {"id": done.known["waiting"]}
        found = await client.find(KNOWN, waiting)
        told = await client.ask(REFETCHED, waiting, done.known["token"])

    check_answers(done.answers)
    expected = done.answers[9]["inbox"]["nodes"][0]
    assert found["operation"]["state"] == "AWAITING_APPROVAL"
    assert {found["operation"][name] == expected[name] for name in ("id", "actor", "createdAt")} == {True}
    assert told["node"] == {**found["operation"], "__typename": "Operation"}


async def test_python_s_client_makes_the_tour(url: str) -> None:
    done = await toured(PythonGql(url))

    check_answers(done.answers)


async def test_every_audit_of_graphql_http_passes_without_a_warning(url: str, token: str) -> None:
    results = json.loads(await run_node("audit.mjs", url, token))
    assert [each for each in results if each["status"] != "ok"] == []
    assert len(results) == 61


async def test_introspection_tells_the_committed_schema(url: str, token: str) -> None:
    served, written = json.loads(await run_node("introspection.mjs", url, token, SCHEMA))
    assert served == written
