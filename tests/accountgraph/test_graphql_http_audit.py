"""The public audit of GraphQL over HTTP, run by Node against the real endpoint."""

import json

import pytest

from tests.support.node import run_node
from tests.support.small_server import TOKEN, serving

pytestmark = pytest.mark.anyio


async def test_every_audit_of_graphql_http_passes_without_a_warning() -> None:
    async with serving() as server:
        results = json.loads(await run_node("audit.mjs", f"{server.url}/graphql", TOKEN))
    assert [each for each in results if each["status"] != "ok"] == []
    assert len(results) == 61
