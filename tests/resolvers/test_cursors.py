"""Cursors are opaque, canonical, and of one list alone."""

from base64 import urlsafe_b64encode
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolvers import cursors
from resolvers.refusals import ReadRefused

MARK = cursors.mark_of("Query.accounts", "inst_1", "NAME")
KEYS = st.tuples(st.text(max_size=200), st.integers(-(2**63), 2**63 - 1))


@given(KEYS)
def test_a_cursor_holds_its_keys(keys: tuple[str, int]) -> None:
    cursor = cursors.write(MARK, keys)
    assert cursor.isascii()
    assert len(cursor) <= cursors.MAX_LENGTH
    assert cursors.read(cursor, MARK, (str, int), "after") == keys


@given(KEYS, st.integers(0, 500), st.characters(max_codepoint=127))
def test_no_change_of_a_cursor_is_taken_for_another_list(keys: tuple[str, int], index: int, letter: str) -> None:
    cursor = cursors.write(MARK, keys)
    index %= len(cursor)
    changed = cursor[:index] + letter + cursor[index + 1 :]
    try:
        found = cursors.read(changed, MARK, (str, int), "after")
    except ReadRefused as refused:
        assert (refused.extensions or {})["code"] == "BAD_USER_INPUT"
    else:
        assert cursors.write(MARK, found) == changed


def made(content: Any) -> str:
    return urlsafe_b64encode(orjson.dumps(content)).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "bad",
    [
        made([MARK]), made([MARK, "x"]), made([MARK, "x", 1, 2]), made([MARK, 1, 1]), made([MARK, "x", True]),
        made([MARK, "x", 1.0]), made([MARK, "x", None]), made([MARK, "x", 2**63]), made({"a": 1}), made(None),
        made([cursors.mark_of("Query.accounts", "inst_1", "CASH"), "x", 1]), made([[MARK], "x", 1]), "", "=", "%%%",
        cursors.write(MARK, ("x", 1)) + "=", cursors.write(MARK, ("x", 1)) + "\n", "[" * 4_000, "é", "\ud800",
        urlsafe_b64encode(b'["' + MARK.encode() + b'", "x", 1]').rstrip(b"=").decode(),
    ],
)  # fmt: skip
def test_what_no_list_gave_is_refused(bad: str) -> None:
    with pytest.raises(ReadRefused) as refused:
        cursors.read(bad, MARK, (str, int), "after")
    assert (refused.value.extensions or {}) == {"code": "BAD_USER_INPUT", "path": ["after"]}


def test_lists_differ_by_field_owner_and_order() -> None:
    parts = [("a", "b", "c"), ("a", "b", "d"), ("a", "x", "c"), ("y", "b", "c"), ("ab", "", "c")]
    assert len({cursors.mark_of(*each) for each in parts}) == len(parts)
