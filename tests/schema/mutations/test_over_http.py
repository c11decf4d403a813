"""The same mutations over HTTP: who is not signed in, whose session ended, and what a Problem is there."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from accountgraph.app import make_app
from accountgraph.application import Application
from accountgraph.engine import EngineAddress
from accountgraph.gate import Gate
from accountgraph.metrics import Metrics
from accountgraph.settings import load
from accountgraph.tracing import NoTracing
from graph.database import Database
from services.guard import Guard
from services.pipeline import Pipeline
from tests.support.api import PASSWORD, InProcess, Remote, a_user, document_of
from tests.support.house import House, op
from tests.support.small_server import listening

pytestmark = pytest.mark.anyio

SIGN_IN = """mutation($input: SignInInput!) { signIn(input: $input) {
  ... on SignInPayload { accessToken } ... on Problem { code } } }"""


@asynccontextmanager
async def served(house: House, folder: Path) -> AsyncGenerator[httpx.AsyncClient]:
    """A client of the house's API over HTTP."""
    engine = EngineAddress("", "", "", "", "ArcadeDB", "")
    settings = load(data_dir=folder)
    parts = (settings, Metrics(), NoTracing(), engine, house.desk, house.pipeline, Guard())
    gate = Gate()
    gate.open()
    async with (
        listening(make_app(Application(*parts), gate)) as url,
        httpx.AsyncClient(base_url=url, timeout=30) as client,
    ):
        yield client


async def session(client: httpx.AsyncClient, username: str) -> str:
    """The token of a new session."""
    opened = await Remote(client, "/graphql").ask(SIGN_IN, input={"username": username, "password": PASSWORD})
    return opened["signIn"]["accessToken"]


async def name_of(client: InProcess) -> str:
    viewer = await client.viewer()
    assert viewer is not None
    return viewer.username


async def test_a_session_from_its_beginning_to_its_end(house: House, tmp_path: Path) -> None:
    username = await name_of(await a_user(house, ("MANAGER", house.root)))
    async with served(house, tmp_path) as client:
        one, two = Remote(client, "/graphql", await session(client, username)), await session(client, username)
        made = await one.done("createAccount", "account { id name }", name="Main", parentId=house.root)
        assert made["account"]["name"] == "Main"
        posted = await one.done("deposit", "transactions { id }", accountId=made["account"]["id"], amount="1")
        assert len(posted["transactions"]) == 1
        problem = await one.refused("withdraw", accountId=made["account"]["id"], amount="2")
        assert problem["code"] == "INSUFFICIENT_FUNDS"
        assert await one.ask("mutation { signOut }") == {"signOut": True}
        ended = await one.run("mutation { signOut }")
        assert ended.errors[0]["extensions"]["code"] == "UNAUTHENTICATED"
        await Remote(client, "/graphql", two).ask("{ viewer { username } }")


async def test_a_stranger_is_answered_401_whatever_is_asked(house: House, tmp_path: Path) -> None:
    given = {"operationId": op(), "name": "Mine"}
    document = {"query": document_of("createGroup", "group { id }"), "variables": {"input": given}}
    async with served(house, tmp_path) as client:
        for token in (None, "garbled", "x" * 43):
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            response = await client.post("/graphql", json=document, headers=headers)
            assert response.status_code == 401
            assert response.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_a_disabled_users_next_request_is_401(house: House, tmp_path: Path) -> None:
    username = await name_of(await a_user(house))
    async with served(house, tmp_path) as client:
        headers = {"Authorization": f"Bearer {await session(client, username)}"}
        body = {"query": "{ viewer { username } }"}
        assert (await client.post("/graphql", json=body, headers=headers)).status_code == 200
        admin = InProcess(house, house.admin.user_id)
        await admin.done("setUserDisabled", "username", username=username, disabled=True)
        assert (await client.post("/graphql", json=body, headers=headers)).status_code == 401


async def test_without_the_engine_a_mutation_is_a_problem_and_a_read_an_error(house: House, tmp_path: Path) -> None:
    gone = Database.connect("bolt://127.0.0.1:9", "nobody", "nothing", None)
    desk = replace(house.desk, database=gone)
    adrift = House(desk, Pipeline(desk), house.admin, house.market, house.root)
    async with served(adrift, tmp_path) as client:
        remote = Remote(client, "/graphql", "x" * 43)
        assert (await remote.refused("createGroup", name="One"))["code"] == "UNAVAILABLE"
        opened = await remote.ask(SIGN_IN, input={"username": "admin", "password": PASSWORD})
        assert opened["signIn"]["code"] == "UNAVAILABLE"
        for document in ("{ viewer { username } }", "mutation { signOut }"):
            answer = await remote.run(document)
            assert [error["extensions"]["code"] for error in answer.errors] == ["UNAVAILABLE"]
    await gone.close()


async def test_an_administrators_refusal_of_a_read_has_its_code(house: House, tmp_path: Path) -> None:
    username = await name_of(await a_user(house))
    async with served(house, tmp_path) as client:
        answer = await Remote(client, "/graphql", await session(client, username)).run(
            "{ users { nodes { username } } }"
        )
        assert [error["extensions"]["code"] for error in answer.errors] == ["FORBIDDEN"]


@pytest.mark.parametrize(
    ("number", "kept"),
    [("0.1", 0.1), ("1e3", 1000.0), ("0.10000000000000000000", 0.1), ("0.12345678901234567890", None), ("1e999", None)],
)
async def test_a_fraction_in_the_document_is_kept_whole_or_refused(
    house: House, tmp_path: Path, number: str, kept: float | None
) -> None:
    username = await name_of(await a_user(house, ("MANAGER", house.root)))
    given = f'{{operationId: "{op()}", name: "Main", parentId: "{house.root}", metadata: {{weights: [1, {number}]}}}}'
    document = f"""mutation {{ createAccount(input: {given}) {{
      ... on CreateAccountPayload {{ account {{ metadata }} }} ... on Problem {{ code message path }} }} }}"""
    async with served(house, tmp_path) as client:
        result = (await Remote(client, "/graphql", await session(client, username)).ask(document))["createAccount"]
    if kept is None:
        assert (result["code"], result["path"]) == ("INVALID_INPUT", ["metadata", "weights", "1"])
        assert "that a 64-bit float holds exactly" in result["message"]
    else:
        assert result == {"account": {"metadata": {"weights": [1, kept]}}}


@pytest.mark.parametrize("exponent", ["-99999999999999999999", "99999999999999999999"])
async def test_a_number_beyond_every_exponent_is_no_unexpected_error(
    house: House, tmp_path: Path, exponent: str
) -> None:
    username = await name_of(await a_user(house, ("MANAGER", house.root)))
    text = document_of("createAccount", "account { metadata }")
    given = f'"operationId": "{op()}", "name": "Main", "parentId": "{house.root}", "metadata": {{"a": 1e{exponent}}}'
    body = f'{{"query": "{text}", "variables": {{"input": {{{given}}}}}}}'.replace("\n", " ")
    async with served(house, tmp_path) as client:
        headers = {"Authorization": f"Bearer {await session(client, username)}", "Content-Type": "application/json"}
        answer = (await client.post("/graphql", content=body, headers=headers)).json()
    code = answer["errors"][0]["extensions"]["code"] if "errors" in answer else answer["data"]["createAccount"]["code"]
    assert code in {"BAD_REQUEST", "INVALID_INPUT"}
