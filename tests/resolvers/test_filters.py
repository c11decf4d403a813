"""Filters of accounts, compared with a plain model."""

import random
from decimal import Decimal
from typing import Any

import pytest

from resolvers.filters import MAX_CONDITIONS, MAX_DEPTH
from tests.support.house import House
from tests.support.reads import aggregate, ask, hold, place, read

pytestmark = pytest.mark.anyio

FIND = """
query($where: AccountFilter) { accounts(where: $where, orderBy: {field: NAME}) { totalCount nodes { name } } }"""


async def find(house: House, where: dict[str, Any], within: str | None = None) -> list[str]:
    found = (await ask(house, FIND, where={"within": within or house.root, "and": [where]}))["accounts"]
    names = [node["name"] for node in found["nodes"]]
    assert found["totalCount"] == len(names)
    return names


async def test_each_field_asks_for_its_own(house: House) -> None:
    sub = await house.group("Sub")
    await place(house, name="gen", tier="GEN", cash=10_000)
    await place(house, name="plain", status="SUSPENDED", cash=50)
    paper = await place(house, sub, name="paper", simulated=True, kind="STRATEGY", currency="JPY", cash=100)
    await hold(house, paper, "AAPL", 10**8)
    whole = await place(house, sub, name="whole", kind="COMPOSITE", currency="JPY")
    await aggregate(house, whole, paper)
    every = ["gen", "paper", "plain", "whole"]
    expected: list[tuple[dict[str, Any], list[str]]] = [
        ({}, every),
        ({"kind": ["INDIVIDUAL"]}, ["gen", "plain"]),
        ({"kind": []}, []),
        ({"tier": ["GEN", "COM"]}, ["gen"]),
        ({"status": ["SUSPENDED", "CLOSED"]}, ["plain"]),
        ({"simulated": True}, ["paper"]),
        ({"simulated": False}, ["gen", "plain", "whole"]),
        ({"symbol": "AAPL"}, ["paper", "whole"]),
        ({"symbol": "aapl"}, []),
        ({"minCash": "100"}, ["gen", "paper", "whole"]),
        ({"minCash": "100.01"}, []),
        ({"minCash": "99.9999999"}, ["gen", "paper", "whole"]),
        ({"maxCash": "0.5"}, ["plain"]),
        ({"maxCash": "0.4999"}, []),
        ({"minCash": "0.5", "maxCash": "0.50"}, ["plain"]),
        ({"maxCash": "-1"}, []),
        ({"minCash": "-1"}, every),
        ({"minCash": 100}, ["gen", "paper", "whole"]),
        ({"maxCash": "9" * 39}, every),
        ({"within": sub}, ["paper", "whole"]),
        ({"within": paper}, ["paper"]),
        ({"within": "grp_01ARZ3NDEKTSV4RRFFQ69G5FAV"}, []),
        ({"within": "nonsense"}, []),
        ({"not": {"tier": ["GEN"]}}, ["paper", "plain", "whole"]),
        ({"not": {"within": sub}}, ["gen", "plain"]),
        ({"not": {"within": "nonsense"}}, every),
        ({"not": {}}, []),
        ({"or": []}, []),
        ({"and": []}, every),
        ({"or": [{"tier": ["GEN"]}, {"simulated": True}]}, ["gen", "paper"]),
        ({"and": [{"kind": ["INDIVIDUAL"]}, {"not": {"tier": ["GEN"]}}]}, ["plain"]),
        ({"kind": None, "tier": None, "or": None, "not": None}, every),
    ]
    for where, names in expected:
        assert await find(house, where) == names, where


async def test_a_name_contains_literal_text_whatever_its_case(house: House) -> None:
    for name in ("Straße", "ÉCOLE", "ΟΔΟΣ ΟΔΥΣΣΕΑΣ", "100%_.*", "a\\b", "'quoted\" $x"):
        await place(house, name=name)
    expected = [
        ("straße", ["Straße"]), ("école", ["ÉCOLE"]), ("οδος", ["ΟΔΟΣ ΟΔΥΣΣΕΑΣ"]), ("ΟΔΥΣΣΕΑς", ["ΟΔΟΣ ΟΔΥΣΣΕΑΣ"]),
        ("%", ["100%_.*"]), (".*", ["100%_.*"]), ("_", ["100%_.*"]), ("\\", ["a\\b"]),
        ("'QUOTED\" $X", ["'quoted\" $x"]),
        ("nothing", []),
    ]  # fmt: skip
    for text, names in expected:
        assert await find(house, {"nameContains": text}) == names, text


async def test_random_filters_answer_as_a_plain_model_does(house: House) -> None:
    chance = random.Random(11)
    rows: dict[str, dict[str, Any]] = {}
    for number in range(40):
        row: dict[str, Any] = {
            "name": f"N{number:02}",
            "tier": chance.choice([None, "GEN", "REV"]),
            "status": chance.choice(["ACTIVE", "INACTIVE"]),
            "kind": chance.choice(["INDIVIDUAL", "STRATEGY"]),
            "simulated": chance.random() < 0.3,
            "cash": chance.randrange(500),
        }
        rows[row["name"]] = row
        await place(house, **{key: value for key, value in row.items() if value is not None})
    for _ in range(60):
        where = _filter(chance, 3)
        assert await find(house, where) == [name for name, row in rows.items() if _passes(row, where)], where


def _filter(chance: random.Random, depth: int) -> dict[str, Any]:
    where: dict[str, Any] = {}
    if chance.random() < 0.4:
        where["tier"] = chance.sample(["GEN", "REV", "COM"], chance.randrange(3))
    if chance.random() < 0.3:
        where["simulated"] = chance.random() < 0.5
    if chance.random() < 0.3:
        where["minCash"] = str(Decimal(chance.randrange(500)) / 100)
    if chance.random() < 0.3:
        where["nameContains"] = str(chance.randrange(10))
    if depth and chance.random() < 0.4:
        where["not"] = _filter(chance, depth - 1)
    for key in ("and", "or"):
        if depth and chance.random() < 0.3:
            where[key] = [_filter(chance, depth - 1) for _ in range(chance.randrange(3))]
    return where


def _passes(row: dict[str, Any], where: dict[str, Any]) -> bool:
    return all(
        (
            "tier" not in where or row["tier"] in where["tier"],
            "simulated" not in where or row["simulated"] is where["simulated"],
            "minCash" not in where or Decimal(row["cash"]) / 100 >= Decimal(where["minCash"]),
            "nameContains" not in where or where["nameContains"] in row["name"],
            "not" not in where or not _passes(row, where["not"]),
            all(_passes(row, part) for part in where.get("and", [])),
            "or" not in where or any(_passes(row, part) for part in where["or"]),
        )
    )


def _nested(depth: int) -> dict[str, Any]:
    where: dict[str, Any] = {}
    for _ in range(depth - 1):
        where = {"not": where}
    return where


BAD_FILTERS: list[tuple[dict[str, Any], str]] = [
    ({"minCash": "1e3"}, "minCash"),
    ({"minCash": " 1"}, "minCash"),
    ({"maxCash": "\u0661"}, "maxCash"),
    ({"maxCash": "NaN"}, "maxCash"),
    ({"nameContains": "x" * 201}, "nameContains"),
    ({"symbol": "x" * 201}, "symbol"),
    ({"kind": ["INDIVIDUAL"], "not": {"minCash": "x"}}, "minCash"),
    (_nested(MAX_DEPTH + 1), "where"),
    ({"or": [{} for _ in range(MAX_CONDITIONS)]}, "where"),
]


@pytest.mark.parametrize(("where", "field"), BAD_FILTERS)
async def test_a_bad_filter_is_told_with_its_field(house: House, where: dict[str, Any], field: str) -> None:
    answer = await read(house, FIND, where=where)
    assert answer.codes == ["BAD_USER_INPUT"]
    assert (answer.errors[0].extensions or {})["path"][-1] == field


async def test_the_deepest_and_the_widest_filter_are_taken(house: House) -> None:
    await find(house, _nested(MAX_DEPTH - 1))
    assert await find(house, {"or": [{} for _ in range(MAX_CONDITIONS - 2)]}) == []
