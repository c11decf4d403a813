"""The README's tour, word for word, against a server that runs as `make run` starts it."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.checkout import ROOT
from tests.support.house import Address
from tests.support.running import running, settings_of
from tests.support.tour import NEW, check_answers, requests, toured

pytestmark = pytest.mark.anyio


class Plain:
    """A client that knows HTTP alone."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def ask(self, document: str, variables: dict[str, Any], token: str | None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        body = {"query": document, "variables": variables}
        response = await self._client.post("/graphql", json=body, headers=headers)
        content = response.json()
        assert response.status_code == 200, content
        assert "errors" not in content, content
        return content["data"]


def test_the_tour_has_ten_requests_with_names_of_their_own() -> None:
    tour = requests()

    assert [request.title.partition(".")[0] for request in tour] == [str(number) for number in range(1, 11)]
    names = [re.findall(r"^(?:query|mutation) (\w+)", request.document, re.M) for request in tour]
    assert [len(each) for each in names] == [1] * 10
    assert len({each[0] for each in names}) == 10


def test_what_the_tour_uses_was_kept_before() -> None:
    known = {"password"}
    for request in requests():
        used = set(re.findall(r'"\$(\w+)"', str(request.variables).replace("'", '"')))
        assert used - {NEW[1:]} <= known, request.title
        known |= set(request.keeps)


def test_every_file_that_the_readme_links_to_is_there() -> None:
    links = re.findall(r"\]\(([^)]+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))

    assert links
    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []


async def test_the_tour_runs_word_for_word_and_again(tmp_path: Path, engine: Address) -> None:
    async with (
        running(tmp_path, settings_of(engine)) as url,
        httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as client,
    ):
        first = await toured(Plain(client))
        second = await toured(Plain(client))

    check_answers(first.answers)
    check_answers(second.answers)
    assert first.known["group"] != second.known["group"]
