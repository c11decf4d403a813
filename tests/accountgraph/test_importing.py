"""Files of imports over HTTP: who may send them, how large they may be, and what is told of them."""

import csv
import gzip
import io
import json
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from starlette.applications import Starlette

from accountgraph.envelope import Envelope
from accountgraph.gate import Gate
from accountgraph.importing import MOST_AT_ONCE, Uploads
from graph import uploads
from services.permissions import Viewer
from tests.support.api import a_user
from tests.support.house import House
from tests.support.importing import as_json_lines, imported

pytestmark = pytest.mark.anyio

LINES = as_json_lines([{"id": "a", "name": "One"}, {"id": "b", "name": "Two"}])
NDJSON = {"content-type": "application/x-ndjson"}
MOST = 100_000


class Site:
    """The routes over a house, for the holders of two tokens."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.viewers: dict[str, Viewer] = {"admin": house.admin}
        self.gate = Gate()
        self.gate.open()
        self.uploads = Uploads(house.desk.database, self.authenticate, self.gate, most_bytes=MOST)
        app = Envelope(Starlette(routes=[*self.uploads.routes()]))
        transport = httpx.ASGITransport(app)  # pyright: ignore[reportArgumentType]
        self.http = httpx.AsyncClient(transport=transport, base_url="http://test")

    async def authenticate(self, token: str) -> Viewer | None:
        return self.viewers.get(token)

    async def send(self, content: Any, who: str | None = "admin", **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        authorization = {"Authorization": f"Bearer {who}"} if who else {}
        return await self.http.post("/imports", content=content, headers={**NDJSON, **authorization, **named})

    async def outcomes(self, import_id: str, who: str = "admin", **query: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {who}"}
        return await self.http.get(f"/imports/{import_id}/outcomes", params=query, headers=headers)


@pytest.fixture
async def site(house: House) -> AsyncGenerator[Site]:
    made = Site(house)
    async with made.http:
        yield made


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["extensions"]["code"]


async def test_a_file_is_taken(site: Site) -> None:
    answer = await site.send(LINES)
    told = answer.json()
    assert (answer.status_code, told["lines"], told["bytes"]) == (201, 2, len(LINES))
    kept = await uploads.find(site.house.desk.database, told["uploadId"])
    assert kept is not None
    assert (kept["ready"], kept["user"], kept["format"]) == (True, site.house.admin.user_id, "JSON_LINES")


async def test_a_compressed_csv_file_is_taken(site: Site) -> None:
    content = gzip.compress(b"id,name\na,One\n")
    answer = await site.send(content, content_type="text/csv; charset=utf-8", content_encoding="gzip")
    assert (answer.status_code, answer.json()["lines"]) == (201, 1)


async def test_who_is_not_signed_in_sends_nothing(site: Site) -> None:
    for token in (None, "nobody"):
        assert code(await site.send(LINES, token)) == (401, "UNAUTHENTICATED")
    assert code(await site.outcomes("imp_01ARZ3NDEKTSV4RRFFQ69G5FAV", "nobody")) == (401, "UNAUTHENTICATED")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content_type": "application/json"}, 415),
        ({"content_type": "text/csv; charset=utf-16"}, 415),
        ({"content_encoding": "br"}, 415),
        ({"content_encoding": "gzip"}, 400),
        ({"content_type": "text/csv"}, 400),
    ],
)
async def test_what_is_no_such_file_is_refused(site: Site, headers: dict[str, str], status: int) -> None:
    answer = await site.send(LINES, **headers)
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize("content", [b"", b"\n\n  \n"])
async def test_a_file_without_a_line_is_refused(site: Site, content: bytes) -> None:
    assert code(await site.send(content)) == (400, "INVALID_INPUT")


async def test_a_file_that_is_cut_off_is_refused_and_is_no_upload(site: Site) -> None:
    assert code(await site.send(gzip.compress(LINES)[:-9], content_encoding="gzip")) == (400, "INVALID_INPUT")


async def test_a_file_that_is_too_large_is_refused_packed_or_not(site: Site) -> None:
    line = json.dumps({"id": "a", "name": "x" * 900}).encode() + b"\n"
    assert code(await site.send(line * (MOST // len(line) + 1))) == (413, "LIMIT_EXCEEDED")
    bomb = gzip.compress(b"\n" * (50 * MOST))
    assert len(bomb) < MOST
    assert code(await site.send(bomb, content_encoding="gzip")) == (413, "LIMIT_EXCEEDED")


async def test_a_closed_gate_takes_no_file(site: Site) -> None:
    site.gate.close()
    answer = await site.send(LINES)
    assert code(answer) == (503, "UNAVAILABLE")
    assert answer.headers["retry-after"]


async def test_only_so_many_files_come_at_once(site: Site) -> None:
    site.uploads._running = MOST_AT_ONCE
    assert code(await site.send(LINES)) == (503, "OVERLOADED")
    site.uploads._running = 0
    site.uploads._senders.add(site.house.admin.user_id)
    assert code(await site.send(LINES)) == (503, "OVERLOADED")
    site.uploads._senders.clear()
    assert (await site.send(LINES)).status_code == 201
    assert not site.uploads._senders


async def test_a_file_arrives_in_pieces(site: Site) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(LINES), 5):
            yield LINES[start : start + 5]

    assert (await site.send(pieces())).json()["lines"] == 2


async def test_outcomes_are_told_as_json_lines_and_as_csv_that_is_safe_in_a_spreadsheet(site: Site) -> None:
    lines: list[dict[str, Any] | str] = [{"id": "a", "name": "=1+1"}, {"id": "b", "name": "x", "=cmd()": 1}]
    row = await imported(site.house, lines, skip_invalid=True)
    answer = await site.outcomes(row["id"])
    told = [json.loads(line) for line in answer.text.splitlines()]
    assert [(line["number"], line["id"], line["outcome"]) for line in told] == [
        (1, "a", "SUCCEEDED"),
        (2, "b", "FAILED"),
    ]
    assert told[0]["node"].startswith("acc_")
    assert told[1]["problems"][0]["path"] == ["=cmd()"]
    answer = await site.outcomes(row["id"], format="csv")
    assert answer.headers["content-disposition"].endswith('.csv"')
    cells = list(csv.reader(io.StringIO(answer.text)))
    assert cells[0] == ["number", "id", "outcome", "node", "code", "path", "message"]
    assert cells[2][:3] == ["2", "b", "FAILED"]
    assert cells[2][5] == "'=cmd()"


async def test_outcomes_are_told_to_nobody_who_may_not_see_them(site: Site) -> None:
    row = await imported(site.house, LINES)
    client = await a_user(site.house, ("VIEWER", site.house.root))
    viewer = await client.viewer()
    assert viewer is not None
    site.viewers["viewer"] = viewer
    for node in (row["id"], "imp_01ARZ3NDEKTSV4RRFFQ69G5FAV", str(uuid4())):
        assert code(await site.outcomes(node, "viewer")) == (404, "NOT_FOUND")
