"""The start page works offline, and what it says to copy works in a shell."""

import asyncio
import json
import re
import shutil
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import build_schema, parse, validate
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from accountgraph.envelope import Envelope
from accountgraph.startpage import SIGN_IN, STEPS, Facts, routes, start_page
from tests.support.small_server import listening

SDL = '''"""The root."""
type Query { "An account, or none." account(id: ID!): Account }
type Account implements Node { id: ID! status: Status! }
interface Node { "Its id, not an Account." id: ID! }
enum Status { ACTIVE CLOSED }
input Filter { status: Status = ACTIVE }
union Any = Account
scalar Decimal
directive @cost(weight: Int!) on FIELD_DEFINITION
'''
FACTS = Facts("1.2.3", "ArcadeDB <embedded>", "http://127.0.0.1:8000", "2022-12-28")


def commands(page: str) -> list[str]:
    """What the page gives to copy."""
    return [unescape(each) for each in re.findall(r'<pre class="copy"[^>]*>(.*?)</pre>', page, re.DOTALL)]


def test_it_tells_what_runs_with_nothing_unescaped() -> None:
    page = start_page(FACTS)
    for told in ("1.2.3", "ArcadeDB &lt;embedded&gt;", "2022-12-28", "http://127.0.0.1:8000/graphql"):
        assert told in page
    assert "<embedded>" not in page


def test_it_needs_no_script_and_no_other_host() -> None:
    page = start_page(FACTS)
    assert "<script" not in page
    addresses = re.findall(r'(?:href|src)="([^"]*)"', page)
    assert addresses
    assert all(each.startswith(("/", "data:")) for each in addresses)
    assert "@import" not in page
    assert "url(" not in page


def test_it_can_be_read_by_everyone() -> None:
    page = start_page(FACTS)
    assert '<html lang="en">' in page
    assert '<meta name="viewport"' in page
    assert "prefers-color-scheme:dark" in page
    labels = set(re.findall(r'aria-labelledby="([^"]*)"', page))
    assert labels == set(re.findall(r'<h2 id="([^"]*)"', page))


def test_further_links_are_shown() -> None:
    facts = Facts("1", "Neo4j", "http://127.0.0.1:8000", links={"The guide": "/guide?a=1&b=2"})
    assert '<a href="/guide?a=1&amp;b=2">The guide</a>' in start_page(facts)


@pytest.mark.anyio
async def test_the_pages_are_served_with_a_policy_that_lets_their_style_in() -> None:
    app = Envelope(Starlette(routes=routes(SDL, lambda: FACTS)))
    async with listening(app) as url, httpx.AsyncClient(base_url=url) as client:
        start, schema, text = [await client.get(each) for each in ("/", "/schema", "/schema.graphql")]
        posted = await client.post("/")
    for page in (start, schema):
        assert page.status_code == 200
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert "style-src 'sha256-" in page.headers["content-security-policy"]
        assert "script-src" not in page.headers["content-security-policy"]
    assert text.text == SDL
    assert text.headers["content-type"] == "text/plain; charset=utf-8"
    assert posted.status_code == 405


@pytest.mark.anyio
async def test_the_schemas_page_links_each_type_to_its_own_place() -> None:
    app = Starlette(routes=routes(SDL, lambda: FACTS))
    async with listening(app) as url, httpx.AsyncClient(base_url=url) as client:
        page = (await client.get("/schema")).text
    places = set(re.findall(r'<h3 id="([^"]*)"', page))
    assert places == {
        "Query", "Account", "Node", "Status", "Filter", "Any", "Decimal", "directive-cost",
    }  # fmt: skip
    assert {each.removeprefix("#") for each in re.findall(r'href="(#[^"]*)"', page)} == places
    assert 'account(id: ID!): <a href="#Account">Account</a>' in page
    assert "Its id, not an Account." in page
    assert page.index('id="Query"') < page.index('id="Account"')


class Recorder:
    """Answers what the steps expect, and keeps what they sent."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, Any]]] = []

    async def answer(self, request: Request) -> JSONResponse:
        """One answer for all steps: each picks its member."""
        self.requests.append((request.headers.get("authorization", ""), await request.json()))
        names = ("token-1", "unused", "grp_1", "acc_1", "unused")
        number = min(len(self.requests) - 1, len(names) - 1)
        member = "accessToken" if number == 0 else "id"
        return JSONResponse({"data": {"step": {member: names[number], "name": "x"}}})


@pytest.mark.anyio
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
async def test_what_it_says_to_copy_works_in_a_shell() -> None:
    recorder = Recorder()
    app = Starlette(routes=[Route("/graphql", recorder.answer, methods=["POST"])])
    async with listening(app) as url:
        script = "\n".join(commands(start_page(Facts("1", "ArcadeDB", url))))
        shell = await asyncio.create_subprocess_exec(
            "sh",
            "-eu",
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "TOKEN": ""},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        _, err = await asyncio.wait_for(shell.communicate(script.encode()), 60)
    assert shell.returncode == 0, err.decode()
    tokens, asked = zip(*recorder.requests, strict=True)
    assert tokens == ("Bearer", *["Bearer token-1"] * 4)
    documents = [" ".join(each.split()) for each in (SIGN_IN, *(step.document for step in STEPS))]
    assert [each["query"] for each in asked] == documents
    inputs = [each["variables"].get("input", {}) for each in asked]
    assert inputs[0] == {"username": "admin", "password": "PASSWORD"}
    assert inputs[3]["parentId"] == "grp_1"
    assert inputs[4]["accountId"] == "acc_1"
    assert len({inputs[number]["operationId"] for number in (2, 3, 4)}) == 3


def test_the_documents_that_it_shows_fit_the_schema() -> None:
    file = Path(__file__).parents[2] / "schema.graphql"
    schema = build_schema(file.read_text(encoding="utf-8"))
    for document in (SIGN_IN, *(step.document for step in STEPS)):
        assert validate(schema, parse(document)) == [], json.dumps(document)
