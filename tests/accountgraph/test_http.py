"""GraphQL over HTTP: media types, methods, statuses, and a code in every refusal."""

import json
from collections.abc import AsyncGenerator
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accountgraph import incoming
from accountgraph.limits import Limits
from accountgraph.negotiation import JSON, RESPONSE_JSON, choose_answer_type
from graph.errors import EngineUnavailable
from services.problems import ProblemCode, refuse
from tests.support.small_server import SmallServer, serving

pytestmark = pytest.mark.anyio


def code_of(response: httpx.Response) -> str:
    """The code of the one error that a refusal has; refusals are JSON, whatever is refused."""
    assert response.headers["content-type"].startswith(("application/json", "application/graphql-response+json"))
    (error,) = response.json()["errors"]
    assert error["message"]
    return error["extensions"]["code"]


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("application/*;q=0.5", JSON),
        (RESPONSE_JSON, RESPONSE_JSON),
        (f"{RESPONSE_JSON}, {JSON};q=0.9", RESPONSE_JSON),
        (f"{RESPONSE_JSON};q=0.1, {JSON}", JSON),
        (f"{RESPONSE_JSON}, application/graphql+json, {JSON}, text/event-stream", RESPONSE_JSON),
        (f"text/html, {JSON};charset=utf-8", JSON),
        (f"{JSON};charset=latin-1", None),
        (f"{JSON};q=0, */*;q=0.1", RESPONSE_JSON),
        (f"{JSON};q=0, {RESPONSE_JSON};q=0, */*", None),
        (f"{JSON};q=0", None),
        (f"{JSON};q=nonsense", None),
        ("text/html", None),
        (";;,,=", None),
    ],
)
async def test_the_answers_type_is_what_the_caller_likes_best(accept: str | None, expected: str | None) -> None:
    assert choose_answer_type(accept) == expected


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80))
async def test_any_accept_header_is_read(accept: str) -> None:
    assert choose_answer_type(accept) in {JSON, RESPONSE_JSON, None}


async def test_a_post_and_a_get_are_answered() -> None:
    async with serving() as server:
        posted = await server.ask("query ($n: String!) { hello(name: $n) }", variables={"n": "Zoë"})
        got = await server.client.get(
            "/graphql",
            params={"query": "query ($n: String!) { hello(name: $n) }", "variables": json.dumps({"n": "Zoë"})},
        )
    for response in (posted, got):
        assert response.status_code == 200
        assert response.headers["content-type"] == "application/json; charset=utf-8"
        assert response.json() == {"data": {"hello": "hello Zoë"}}


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("{ hello", "GRAPHQL_PARSE_FAILED"),
        ("", "GRAPHQL_PARSE_FAILED"),
        ("{ helo }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ paint(colour: REDD) }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ hello ...A } fragment A on Query { ...A }", "GRAPHQL_VALIDATION_FAILED"),
        ("query ($c: Colour!) { paint(colour: $c) }", "BAD_USER_INPUT"),
        ("query A { hello } query B { hello }", "OPERATION_RESOLUTION_FAILURE"),
        ("fragment A on Query { hello }", "OPERATION_RESOLUTION_FAILURE"),
        ("subscription { changes }", "BAD_REQUEST"),
        ("{ accounts(first: 30000) { nodes { id } } }", "LIMIT_EXCEEDED"),
        ("{" + " a { " * 250 + "id" + " }" * 250 + "}", "LIMIT_EXCEEDED"),
        ("{" + " ".join(f"a{n}: accounts {{ nodes {{ id }} }}" for n in range(1000)) + "}", "LIMIT_EXCEEDED"),
    ],
)
async def test_a_request_error_has_a_code_and_the_status_of_its_media_type(document: str, code: str) -> None:
    async with serving() as server:
        plain = await server.ask(document)
        typed = await server.client.post("/graphql", json={"query": document}, headers={"Accept": RESPONSE_JSON})
    assert (plain.status_code, typed.status_code) == (200, 400)
    assert code_of(plain) == code_of(typed) == code
    assert "data" not in plain.json()
    assert typed.headers["content-type"] == f"{RESPONSE_JSON}; charset=utf-8"


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 400, "BAD_REQUEST"),
        (b"not json", 400, "BAD_REQUEST"),
        (b'"text"', 400, "BAD_REQUEST"),
        (b'[{"query": "{ hello }"}]', 400, "BAD_REQUEST"),
        (b'{"query": "\xff"}', 400, "BAD_REQUEST"),
        (b'{"query": "{ hello }", "variables": [1]}', 400, "BAD_REQUEST"),
        (b'{"query": 1}', 400, "BAD_REQUEST"),
        (b'{"query": "{ hello }", "operationName": {}}', 400, "BAD_REQUEST"),
        (b'{"query": "{ hello }", "extensions": "x"}', 400, "BAD_REQUEST"),
        (b'{"query": "{ hello }", "variables": {"a": ' + b"[" * 200 + b"]" * 200 + b"}}", 400, "LIMIT_EXCEEDED"),
        (b"[" * 5_000, 400, "BAD_REQUEST"),
        (b" " * 300_000, 413, "LIMIT_EXCEEDED"),
        (b" " * 3_000_000, 413, "LIMIT_EXCEEDED"),
    ],
)
async def test_a_body_that_is_no_request_is_refused_in_json(content: bytes, status: int, code: str) -> None:
    async with serving() as server:
        response = await server.client.post("/graphql", content=content, headers={"Content-Type": JSON})
    assert (response.status_code, code_of(response)) == (status, code)


@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "application/graphql", "multipart/form-data", f"{JSON}; charset=latin-1"]
)
async def test_a_post_takes_json_alone(content_type: str | None) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    async with serving() as server:
        response = await server.client.post("/graphql", content=b'{"query": "{ hello }"}', headers=headers)
        packed = await server.client.post(
            "/graphql", content=b"x", headers={"Content-Type": JSON, "Content-Encoding": "gzip"}
        )
    assert (response.status_code, code_of(response)) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert packed.status_code == 415


async def test_a_body_in_chunks_is_read_whole_and_bounded() -> None:
    async def chunks(count: int) -> AsyncGenerator[bytes]:
        yield b'{"query": "{ hello }", "padding": "'
        for _ in range(count):
            yield b"x" * 1_000
        yield b'"}'

    async with serving() as server:
        taken = await server.client.post("/graphql", content=chunks(200), headers={"Content-Type": JSON})
        refused = await server.client.post("/graphql", content=chunks(400), headers={"Content-Type": JSON})
    assert taken.json() == {"data": {"hello": "hello world"}}
    assert (refused.status_code, code_of(refused)) == (413, "LIMIT_EXCEEDED")


async def test_a_document_of_64_kilobytes_is_taken() -> None:
    names = "id name " * 8_000
    async with serving() as server:
        response = await server.ask(f"{{ accounts(first: 1) {{ nodes {{ {names} }} }} }}")
        padded = await server.ask("{ hello }" + " " * 65_000)
    assert response.json() == {"data": {"accounts": {"nodes": [{"id": "0", "name": "n"}]}}}
    assert padded.status_code == 200


async def test_a_mutation_by_get_is_not_allowed() -> None:
    async with serving() as server:
        response = await server.client.get("/graphql", params={"query": 'mutation { signIn(username: "ada") }'})
        deleted = await server.client.delete("/graphql")
    assert (response.status_code, code_of(response)) == (405, "METHOD_NOT_ALLOWED")
    assert response.headers["allow"] == "POST"
    assert (deleted.status_code, deleted.headers["allow"]) == (405, "GET, POST")
    assert server.house.callers == []


async def test_a_type_that_is_not_spoken_is_not_acceptable() -> None:
    async with serving() as server:
        response = await server.client.post("/graphql", json={"query": "{ hello }"}, headers={"Accept": "text/html"})
    assert (response.status_code, code_of(response)) == (406, "NOT_ACCEPTABLE")


@pytest.mark.parametrize("token", [None, "Bearer wrong", "Bearer", "Basic YTpi", "Bearer " + "x" * 5_000])
async def test_a_stranger_may_sign_in_and_nothing_else(token: str | None) -> None:
    headers = {"Authorization": token} if token else {}
    async with serving() as server, httpx.AsyncClient(base_url=server.url, headers=headers) as stranger:
        for document in (
            'mutation { signIn(username: "ada") }',
            "{ __typename }",
            "mutation M { ...A } fragment A on Mutation { __typename }",
        ):
            response = await stranger.post("/graphql", json={"query": document})
            assert (response.status_code, "errors" in response.json()) == (200, False)
        for document in (
            "{ hello }",
            "{ __schema { types { name } } }",
            '{ __type(name: "Query") { name } }',
            'mutation { signIn(username: "ada") stay }',
            "mutation { ...A } fragment A on Mutation { stay }",
            "mutation { ... { ... { stay } } }",
            "subscription { changes }",
            "{ nonsense",
            "query A { __typename } query B { hello }",
            "{ __typename }" + " " * 5_000,
        ):
            response = await stranger.post("/graphql", json={"query": document})
            assert (response.status_code, code_of(response)) == (401, "UNAUTHENTICATED"), document
            assert response.headers["www-authenticate"] == "Bearer"
    assert {caller.viewer for caller in server.house.callers} == {None}


async def test_a_stranger_signs_in_a_few_times_in_one_document_at_most() -> None:
    many = " ".join(f'a{n}: signIn(username: "ada{n}")' for n in range(11))
    async with serving() as server, httpx.AsyncClient(base_url=server.url) as stranger:
        response = await stranger.post("/graphql", json={"query": f"mutation {{ {many} }}"})
    assert code_of(response) == "LIMIT_EXCEEDED"


async def test_a_session_that_ended_on_the_way_is_no_sign_in_either() -> None:
    async with serving() as server:
        response = await server.ask("{ ended hello }")
    assert (response.status_code, code_of(response)) == (401, "UNAUTHENTICATED")


async def test_who_asks_is_told_to_the_resolvers() -> None:
    async with serving() as server:
        response = await server.client.post(
            "/graphql", json={"query": "query Me { who }"}, headers={"X-Request-Id": "mine-1"}
        )
    (caller,) = server.house.callers
    assert response.json() == {"data": {"who": "ada"}}
    assert response.headers["x-request-id"] == "mine-1"
    assert (caller.viewer, caller.request_id, caller.kind, caller.operation) == ("ada", "mine-1", "query", "Me")
    assert caller.address == "127.0.0.1"


@pytest.mark.parametrize("given_id", [None, "", "x" * 129, "a b", "é".encode().decode("latin-1")])
async def test_a_request_without_a_sane_id_gets_one(given_id: str | None) -> None:
    headers = [] if given_id is None else [(b"X-Request-Id", given_id.encode("latin-1"))]
    async with serving() as server:
        response = await server.client.post("/graphql", json={"query": "{ hello }"}, headers=headers)
    assert len(response.headers["x-request-id"]) == 26
    assert response.headers["x-request-id"].isalnum()


async def test_an_engine_that_is_gone_is_an_error_of_reads_and_left_to_mutations() -> None:
    async with serving() as server:
        server.house.authenticate_fails = EngineUnavailable("bolt://127.0.0.1:7687 is gone")
        read = await server.ask("{ hello }")
        write = await server.ask('mutation { deposit(what: {operationId: "1", amount: 1}) }')
        server.house.authenticate_fails = refuse(ProblemCode.UNAVAILABLE, "Later.")
        later = await server.ask("{ hello }")
    assert (read.status_code, code_of(read), code_of(later)) == (200, "UNAVAILABLE", "UNAVAILABLE")
    assert "7687" not in read.text
    assert write.json() == {"data": {"deposit": "UNAVAILABLE"}}


async def test_a_fault_of_authentication_is_told_without_an_inner_word() -> None:
    async with serving() as server:
        server.house.authenticate_fails = ZeroDivisionError("the secret inner word")
        response = await server.ask("{ hello }")
    assert (response.status_code, code_of(response)) == (500, "INTERNAL")
    assert "inner word" not in response.text


async def test_every_answer_has_the_headers_that_keep_browsers_careful() -> None:
    async with serving() as server:
        answers = [await server.ask("{ hello }"), await server.client.get("/nowhere")]
    for response in answers:
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["x-frame-options"] == "DENY"
        assert "default-src 'none'" in response.headers["content-security-policy"]
        assert response.headers["x-request-id"]


async def test_a_number_beyond_64_bits_comes_back_whole() -> None:
    async with serving() as server:
        response = await server.ask("{ echo(value: [123456789012345678901234567890]) }")
    assert response.json() == {"data": {"echo": [123456789012345678901234567890]}}


@pytest.mark.parametrize(
    "text",
    ["12345678901234567890123", "-9223372036854775809", "[18446744073709551616, 0.1]", "9223372036854775807", "1e20"],
)
async def test_a_number_in_the_variables_is_read_as_it_was_sent(text: str) -> None:
    body = f'{{"query": "query ($v: JSON!) {{ echo(value: $v) }}", "variables": {{"v": {text}}}}}'
    async with serving() as server:
        headers = {"Content-Type": "application/json"}
        response = await server.client.post("/graphql", content=body, headers=headers)
    assert response.json() == {"data": {"echo": json.loads(text)}}


@pytest.mark.parametrize("text", ["0.12345678901234567890", "1.00000000000000000001", "1234567890123456.789"])
def test_a_fraction_that_no_float_holds_is_kept_as_a_decimal(text: str) -> None:
    assert incoming._json(text.encode(), "it") == Decimal(text)
    assert isinstance(incoming._json(b"0.10000000000000000", "it"), float)


async def test_documents_are_kept_for_those_who_are_signed_in_alone() -> None:
    async with serving(limits=Limits()) as server, httpx.AsyncClient(base_url=server.url) as stranger:
        documents = server.endpoint.documents
        await stranger.post("/graphql", json={"query": 'mutation { signIn(username: "ada") }'})
        assert documents.kept == 0
        for _ in range(2):
            await server.ask("{ hello }")
        assert documents.kept == 1
        for number in range(300):
            await server.ask(f'{{ hello(name: "{number:01000d}") }}')
        assert documents.kept < 260


async def answers_of(server: SmallServer, document: str, variables: dict[str, Any]) -> str:
    """The whole answer, as text."""
    return (await server.ask(document, variables=variables)).text


@pytest.mark.parametrize(
    ("document", "variables"),
    [
        ("{ helo }", {}),
        ("{ accounts }", {}),
        ("{ hello(nam: 1) }", {}),
        ("{ paint(colour: REDD) }", {}),
        ("{ hello @skp(if: true) }", {}),
        ("{ ... on Qery { hello } }", {}),
        ("query ($x: Strng) { hello(name: $x) }", {}),
        ("{ accounts { nodes { nam } } }", {}),
        ("{ hello @skip(iff: true) }", {}),
        ("query ($c: Colour!) { paint(colour: $c) }", {"c": "REDD"}),
        ('mutation { deposit(what: {operationIdd: "1", amount: 1}) }', {}),
        ("mutation ($w: DepositInput!) { deposit(what: $w) }", {"w": {"operationId": "1", "amont": 2}}),
        ("mutation ($w: DepositInput!) { deposit(what: $w) }", {"w": {"operationId": "1", "amount": 2, "colur": 1}}),
        (
            "mutation ($w: DepositInput!) { deposit(what: $w) }",
            {"w": {"operationId": "1", "amount": 2, "colour": "RE"}},
        ),
    ],
)
async def test_no_error_suggests_a_name(document: str, variables: dict[str, Any]) -> None:
    async with serving() as server:
        text = await answers_of(server, document, variables)
    assert '"errors"' in text
    assert "mean" not in text


async def test_a_variables_error_does_not_show_what_else_was_sent() -> None:
    variables = {"w": {"operationId": "hunter2-hunter2", "amount": 2, "colur": 1}}
    async with serving() as server:
        text = await answers_of(server, "mutation ($w: DepositInput!) { deposit(what: $w) }", variables)
    assert "colur" in text
    assert "hunter2" not in text
