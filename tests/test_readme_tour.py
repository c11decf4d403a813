"""The README's tour, word for word, against a server that runs as `make run` starts it."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.checkout import ROOT
from tests.support.house import ADMIN_PASSWORD, Address
from tests.support.running import running, settings_of
from tests.support.tour import NEW, filled, picked, problems, requests

pytestmark = pytest.mark.anyio


async def toured(url: str) -> list[dict[str, Any]]:
    """The data of each request of the tour, none of which met an error or a problem."""
    known, answers = {"password": ADMIN_PASSWORD}, list[dict[str, Any]]()
    async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as client:
        for request in requests():
            if "token" in known:
                client.headers["Authorization"] = f"Bearer {known['token']}"
            body = {"query": request.document, "variables": filled(request.variables, known)}
            response = await client.post("/graphql", json=body)
            content = response.json()
            assert response.status_code == 200, (request.title, content)
            assert "errors" not in content, (request.title, content)
            assert problems(content["data"]) == [], request.title
            known |= {name: picked(content["data"], path) for name, path in request.keeps.items()}
            answers.append(content["data"])
    return answers


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
    async with running(tmp_path, settings_of(engine)) as url:
        first = await toured(url)
        second = await toured(url)

    for answers in (first, second):
        assert [answer["operation"]["state"] for answer in answers[6].values()] == ["SUCCEEDED", "AWAITING_APPROVAL"]
        account, rollup, inbox = answers[7]["account"], answers[8]["group"]["rollup"], answers[9]
        entries = account["statement"]["entries"]
        assert [entry["kind"] for entry in entries["nodes"]] == ["FEE", "TRADE", "DEPOSIT"]
        assert account["statement"]["closing"]["amount"] == account["cash"]["amount"]
        assert entries["nodes"][0]["balanceAfter"]["amount"] == account["cash"]["amount"]
        assert rollup["accountCount"] == 2
        assert [node["id"] for node in inbox["inbox"]["nodes"]] == [inbox["waiting"]["id"]]
        assert inbox["order"]["state"] == "SUCCEEDED"
    assert first[2]["createGroup"]["group"]["id"] != second[2]["createGroup"]["group"]["id"]
