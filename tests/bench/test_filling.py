"""The file of a large import: whole, in small pieces, and with no group of more than a hundred."""

from collections import Counter

import orjson
import pytest

from bench.filling import EACH, FUNDED, PIECE_BYTES, lines, pieces

pytestmark = pytest.mark.anyio


async def test_the_pieces_are_the_lines_and_none_is_large() -> None:
    made = [piece async for piece in pieces(5_000)]
    assert [orjson.loads(line) for line in b"".join(made).splitlines()] == list(lines(5_000))
    assert len(made) > 1
    assert max(map(len, made)) < PIECE_BYTES + 1_000


def test_no_group_holds_more_than_a_hundred_and_each_is_made_before_what_is_in_it() -> None:
    there: set[str] = set()
    held: Counter[str] = Counter()
    for line in lines(25_001):
        held[line.get("parentId", "top")] += 1
        assert line.get("parentId") is None or line["parentId"] in there
        there.add(line["id"])
    assert max(held.values()) == EACH
    assert held["top"] == 3
    assert sum("openingBalance" in line for line in lines(25_001)) == 25_000 // FUNDED + 1
