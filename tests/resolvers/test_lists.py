"""Pages of lists: forwards and backwards, their cursors, and what is told of the rest."""

import asyncio
import random
from typing import Any

import pytest

from tests.support.house import House
from tests.support.reads import ask, place, read, viewer_with

pytestmark = pytest.mark.anyio

PAGE = """
query($where: AccountFilter, $orderBy: AccountOrder, $first: Int, $after: String, $last: Int, $before: String) {
  accounts(where: $where, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) {
    totalCount
    nodes { id name cash { amount } }
    edges { cursor node { id } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}"""


async def page(house: House, **variables: Any) -> dict[str, Any]:
    where = {"within": house.root, **variables.pop("where", {})}
    return (await ask(house, PAGE, where=where, **variables))["accounts"]


async def walk(house: House, *, size: int, backward: bool = False, **variables: Any) -> list[str]:
    """The names on every page, from the first page on, or from the last one back."""
    names: list[str] = []
    cursor: str | None = None
    while True:
        window = {"last": size, "before": cursor} if backward else {"first": size, "after": cursor}
        found = await page(house, **window, **variables)
        here = [node["name"] for node in found["nodes"]]
        names = here + names if backward else names + here
        info = found["pageInfo"]
        if not info["hasPreviousPage" if backward else "hasNextPage"]:
            return names
        cursor = info["startCursor" if backward else "endCursor"]


async def test_a_walk_in_either_direction_meets_every_account_once(house: House) -> None:
    for number in range(7):
        await place(house, name=f"A{number}", createdAt=f"2026-01-0{1 + number // 2}T00:00:00.000000Z")
    forwards = await walk(house, size=2)
    assert sorted(forwards) == [f"A{number}" for number in range(7)]
    assert await walk(house, size=3, backward=True) == forwards
    assert await walk(house, size=100) == forwards
    down = {"field": "CREATED_AT", "order": "DESC"}
    assert await walk(house, size=2, orderBy=down) == forwards[::-1]


async def test_what_lies_around_a_page_is_told_rightly(house: House) -> None:
    for number in range(5):
        await place(house, name=f"A{number}", createdAt=f"2026-01-0{1 + number}T00:00:00.000000Z")
    whole = await page(house)
    cursors = [edge["cursor"] for edge in whole["edges"]]
    assert whole["totalCount"] == 5
    assert (whole["pageInfo"]["startCursor"], whole["pageInfo"]["endCursor"]) == (cursors[0], cursors[-1])

    def around(found: dict[str, Any]) -> tuple[list[str], bool, bool]:
        info = found["pageInfo"]
        return [node["name"] for node in found["nodes"]], info["hasPreviousPage"], info["hasNextPage"]

    assert around(whole) == (["A0", "A1", "A2", "A3", "A4"], False, False)
    assert around(await page(house, first=2)) == (["A0", "A1"], False, True)
    assert around(await page(house, first=2, after=cursors[1])) == (["A2", "A3"], True, True)
    assert around(await page(house, first=2, after=cursors[2])) == (["A3", "A4"], True, False)
    assert around(await page(house, first=2, after=cursors[4])) == ([], True, False)
    assert around(await page(house, last=2)) == (["A3", "A4"], True, False)
    assert around(await page(house, last=2, before=cursors[3])) == (["A1", "A2"], True, True)
    assert around(await page(house, last=2, before=cursors[2])) == (["A0", "A1"], False, True)
    assert around(await page(house, last=2, before=cursors[0])) == ([], False, True)
    assert around(await page(house, first=9, after=cursors[0], before=cursors[3])) == (["A1", "A2"], True, True)
    assert around(await page(house, last=1, after=cursors[0], before=cursors[3])) == (["A2"], True, True)
    assert around(await page(house, first=0)) == ([], False, True)
    assert around(await page(house, last=0)) == ([], True, False)


async def test_pages_stay_right_while_accounts_come_and_go(house: House) -> None:
    for number in range(6):
        await place(house, name=f"A{number}", createdAt=f"2026-01-{10 + number}T00:00:00.000000Z")
    first = await page(house, first=3)
    await place(house, name="early", createdAt="2026-01-01T00:00:00.000000Z")
    await place(house, name="late", createdAt="2026-02-01T00:00:00.000000Z")
    rest = await page(house, first=10, after=first["pageInfo"]["endCursor"])
    assert [node["name"] for node in rest["nodes"]] == ["A3", "A4", "A5", "late"]
    assert rest["totalCount"] == 8


async def test_names_sort_by_code_point_and_ties_by_id(house: House) -> None:
    names = [
        "a",
        "B",
        "é",
        "z",
        "\ud7ffx",
        "\ue000x",
        "\uffee",
        "\U00010000",
        "\U0001f600x",
        "\ufffe",
        "\uffff",
        "aa",
    ]
    names += ["\U0001f600\U0001f601", "\U0001f600\ue000", "\U0001f600", "a"]
    random.Random(4).shuffle(names)
    ids = [await place(house, name=name) for name in names]
    ordered = [name for name, _ in sorted(zip(names, ids, strict=True))]
    for size in (1, 5, 100):
        assert await walk(house, size=size, orderBy={"field": "NAME"}) == ordered
    assert await walk(house, size=3, orderBy={"field": "NAME", "order": "DESC"}) == ordered[::-1]
    assert await walk(house, size=3, backward=True, orderBy={"field": "NAME"}) == ordered


async def test_cash_sorts_by_amount_whatever_the_currency(house: House) -> None:
    await place(house, name="5 JPY", currency="JPY", cash=5)
    await place(house, name="4.99 USD", currency="USD", cash=499)
    await place(house, name="5.001 KWD", currency="KWD", cash=5_001)
    await place(house, name="0.0001 CLF", currency="CLF", cash=1)
    await place(house, name="10^15 USD", currency="USD", cash=10**17)
    await place(house, name="10^17 JPY", currency="JPY", cash=10**17)
    ordered = ["0.0001 CLF", "4.99 USD", "5 JPY", "5.001 KWD", "10^15 USD", "10^17 JPY"]
    assert await walk(house, size=2, orderBy={"field": "CASH"}) == ordered
    assert await walk(house, size=2, orderBy={"field": "CASH", "order": "DESC"}) == ordered[::-1]


BAD_PAGES: list[dict[str, Any]] = [
    {"first": -1},
    {"first": 101},
    {"first": 2_000_000_000},
    {"last": -1},
    {"last": 101},
    {"first": 1, "last": 1},
    {"after": ""},
    {"after": "garbled"},
    {"after": "W10"},
    {"after": "é"},
    {"after": "x" * 100_000},
    {"before": "eyJhIjoxfQ"},
]


@pytest.mark.parametrize("bad", BAD_PAGES)
async def test_a_bad_page_argument_is_told_with_its_name(house: House, bad: dict[str, Any]) -> None:
    answer = await read(house, PAGE, **bad)
    assert answer.data is None
    assert answer.codes == ["BAD_USER_INPUT"]
    extensions = answer.errors[0].extensions or {}
    assert extensions["path"][0] in bad


async def test_a_cursor_belongs_to_its_list_and_its_order(house: House) -> None:
    group = await house.group("Sub")
    other = await house.group("Other")
    for number in range(3):
        await place(house, group, name=f"A{number}")
    of_group = (
        "query($id: ID!, $after: String) { group(id: $id) { accounts(first: 1, after: $after) { edges { cursor } } } }"
    )
    cursor = (await ask(house, of_group, id=group))["group"]["accounts"]["edges"][0]["cursor"]
    await ask(house, of_group, id=group, after=cursor)
    elsewhere: list[tuple[str, dict[str, Any]]] = [
        (of_group, {"id": other}),
        (PAGE, {}),
        ("query($after: String) { groups(after: $after) { totalCount } }", {}),
        ("query($after: String) { operations(after: $after) { totalCount } }", {}),
    ]
    for document, variables in elsewhere:
        assert (await read(house, document, after=cursor, **variables)).codes == ["BAD_USER_INPUT"]
    by_name = (await page(house, first=1, orderBy={"field": "NAME"}))["edges"][0]["cursor"]
    by_cash = {"field": "CASH"}
    assert (await read(house, PAGE, after=by_name, orderBy=by_cash)).codes == ["BAD_USER_INPUT"]
    viewer = await viewer_with(house, house.root)
    assert (await read(house, PAGE, viewer, after=by_name, orderBy={"field": "NAME"})).errors == []


async def test_a_changed_cursor_is_refused_or_another_place_but_never_a_fault(house: House) -> None:
    await place(house)
    cursor = (await page(house))["edges"][0]["cursor"]
    chance = random.Random(7)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for _ in range(60):
        index = chance.randrange(len(cursor))
        changed = cursor[:index] + chance.choice(letters) + cursor[index + 1 :]
        answer = await read(house, PAGE, after=changed)
        assert set(answer.codes) <= {"BAD_USER_INPUT"}


async def test_a_page_that_changes_while_it_is_walked_loses_and_repeats_nothing(house: House) -> None:
    stable = [await place(house, name=f"S{number:02}") for number in range(20)]
    busy = True

    async def disturb() -> None:
        number = 0
        while busy:
            await place(house, name=f"X{number}")
            number += 1

    disturbing = asyncio.create_task(disturb())
    try:
        for backward in (False, True):
            names = await walk(house, size=3, backward=backward, orderBy={"field": "NAME"})
            kept = [name for name in names if name.startswith("S")]
            assert kept == [f"S{number:02}" for number in range(len(stable))]
            assert len(names) == len(set(names))
    finally:
        busy = False
        await disturbing
