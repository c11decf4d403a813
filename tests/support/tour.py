"""The tour of the README: each request's title, document, variables, and what is kept of its answer."""

import json
import re
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import uuid4

from tests.support.checkout import ROOT
from tests.support.house import ADMIN_PASSWORD

NEW = "$new"
_TOUR = re.compile(r"^## A tour of ten requests\n(.*?)^## ", re.M | re.S)
_KEEP = re.compile(r"^Keep `([\w.]+)` as `\$(\w+)`\.$", re.M)


class Client(Protocol):
    """A way to send a document. `ask` gives the data of an answer without errors; without a token nobody signs in."""

    async def ask(self, document: str, variables: dict[str, Any], token: str | None) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Request:
    """One request of the tour. `keeps` has the path of a value in the answer for each name that it is kept under."""

    title: str
    document: str
    variables: dict[str, Any]
    keeps: dict[str, str]


def requests() -> list[Request]:
    """The tour's requests, in their order."""
    tour = _TOUR.search((ROOT / "README.md").read_text(encoding="utf-8"))
    assert tour is not None, "the README has a tour"
    return [_request(part) for part in re.split(r"^### ", tour[1], flags=re.M)[1:]]


@dataclass(frozen=True, slots=True)
class Toured:
    """A tour that was made: the data of each answer, and what was kept of them, by name."""

    answers: list[dict[str, Any]]
    known: dict[str, str]


async def toured(client: Client) -> Toured:
    """Makes the tour with a client. None of its requests meets an error or a problem."""
    done = Toured([], {"password": ADMIN_PASSWORD})
    for request in requests():
        data = await client.ask(request.document, filled(request.variables, done.known), done.known.get("token"))
        assert problems(data) == [], request.title
        done.known.update({name: picked(data, path) for name, path in request.keeps.items()})
        done.answers.append(data)
    return done


def check_answers(answers: list[dict[str, Any]]) -> None:
    """Asserts that the tour did what the README says of it."""
    assert [answer["operation"]["state"] for answer in answers[6].values()] == ["SUCCEEDED", "AWAITING_APPROVAL"]
    account, rollup, inbox = answers[7]["account"], answers[8]["group"]["rollup"], answers[9]
    entries = account["statement"]["entries"]
    assert [entry["kind"] for entry in entries["nodes"]] == ["FEE", "TRADE", "DEPOSIT"]
    assert account["statement"]["closing"]["amount"] == account["cash"]["amount"]
    assert entries["nodes"][0]["balanceAfter"]["amount"] == account["cash"]["amount"]
    assert rollup["accountCount"] == 2
    assert [node["id"] for node in inbox["inbox"]["nodes"]] == [inbox["waiting"]["id"]]
    assert inbox["order"]["state"] == "SUCCEEDED"


def filled(value: Any, known: dict[str, str]) -> Any:
    """The variables with the values that are known in place of their names, and a new UUID for each `$new`."""
    if isinstance(value, dict):
        return {name: filled(item, known) for name, item in value.items()}
    if isinstance(value, list):
        return [filled(item, known) for item in value]
    if isinstance(value, str) and value.startswith("$"):
        return str(uuid4()) if value == NEW else known[value[1:]]
    return value


def picked(data: Any, path: str) -> str:
    """The value at a dotted path of an answer's data."""
    for name in path.split("."):
        data = data[name]
    assert isinstance(data, str)
    return data


def problems(data: Any) -> list[Any]:
    """Every object of the answer that is a problem: it has a code and a message."""
    if isinstance(data, list):
        return [found for item in data for found in problems(item)]
    if not isinstance(data, dict):
        return []
    here = [data] if {"code", "message"} <= set(data) else []
    return here + [found for item in data.values() for found in problems(item)]


def _request(part: str) -> Request:
    document, variables = (re.findall(rf"^```{kind}\n(.*?)^```$", part, re.M | re.S) for kind in ("graphql", "json"))
    assert (len(document), len(variables)) == (1, 1), part
    keeps = {name: path for path, name in _KEEP.findall(part)}
    return Request(part.split("\n", 1)[0], document[0], json.loads(variables[0]), keeps)
