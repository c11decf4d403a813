"""Files line by line: what each one asks for, or why it cannot be told; and bytes that are no file of lines."""

import gzip
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.importing.fields import LineType
from services.importing.index import Known, LineIndex
from services.importing.reading import read_header, read_line
from services.importing.splitting import LONGEST_LINE, MOST_LINE_ENDS, TOO_LONG, Gunzip, Splitter
from services.problems import ProblemCode, Refused


def split(content: bytes, size: int = 7, most: int = 10_000_000) -> list[str | None]:
    splitter = Splitter(most)
    pieces = [content[start : start + size] for start in range(0, len(content), size)]
    return [line for piece in pieces for line in splitter.feed(piece)] + list(splitter.end())


def problems(text: str | None, columns: tuple[str, ...] | None = None) -> list[tuple[str, ...]]:
    return [problem.path for problem in read_line(text, columns).problems]


@given(
    st.lists(st.text(alphabet=st.characters(exclude_characters="\r\n", codec="utf-8")), max_size=20), st.integers(1, 50)
)
def test_lines_come_back_whatever_pieces_they_arrive_in(lines: list[str], size: int) -> None:
    given_lines = [line.removeprefix("\ufeff") if not index else line for index, line in enumerate(lines)]
    assert split("\n".join(lines).encode(), size) == [line for line in given_lines if line.strip()]


def test_line_ends_marks_and_empty_lines_are_no_content() -> None:
    assert split(b"\xef\xbb\xbfone\r\n\n  \ntwo") == ["one", "two"]


def test_empty_lines_are_left_out_up_to_a_limit() -> None:
    splitter = Splitter()
    for _ in range(MOST_LINE_ENDS // 1_000_000):
        assert list(splitter.feed(b"\n" * 1_000_000)) == []
    with pytest.raises(Refused) as refused:
        list(splitter.feed(b"\n"))
    assert refused.value.problems[0].code is ProblemCode.LIMIT_EXCEEDED


def test_what_is_no_text_or_too_long_is_one_line_and_the_next_one_is_read() -> None:
    longest = b"x" * LONGEST_LINE
    assert split(b"a\n\xff\xfe\nb\n" + longest + b"\n" + longest + b"x\nc", 1000) == [
        "a",
        None,
        "b",
        longest.decode(),
        TOO_LONG,
        "c",
    ]


def test_a_file_beyond_its_size_is_refused_before_it_is_held() -> None:
    with pytest.raises(Refused) as refused:
        split(b"x" * 101, most=100)
    assert refused.value.problems[0].code is ProblemCode.LIMIT_EXCEEDED


def unpacked(content: bytes) -> bytes:
    gunzip = Gunzip()
    found = b"".join(gunzip.feed(content))
    gunzip.end()
    return found


def test_gzip_comes_in_small_pieces_whatever_it_hides() -> None:
    hidden = b"\0" * 50_000_000
    packed = gzip.compress(hidden)
    assert len(packed) < 60_000
    gunzip = Gunzip()
    sizes = [len(piece) for start in range(0, len(packed), 1000) for piece in gunzip.feed(packed[start : start + 1000])]
    gunzip.end()
    assert sum(sizes) == len(hidden)
    assert max(sizes) <= 64 * 1024


def test_gzip_members_follow_each_other() -> None:
    assert unpacked(gzip.compress(b"one\n") + gzip.compress(b"two\n")) == b"one\ntwo\n"


@pytest.mark.parametrize("content", [b"", b"plain text", gzip.compress(b"x" * 1000)[:-9], zlib.compress(b"x" * 100)])
def test_damaged_gzip_is_refused(content: bytes) -> None:
    with pytest.raises(Refused, match="gzip"):
        unpacked(content)


def test_a_json_line_asks_for_what_it_says() -> None:
    asked = read_line('{"id": "a.1", "type": "group", "name": "Desk", "parentId": null}', None)
    assert (asked.line_id, asked.kind, dict(asked.fields), list(asked.problems)) == (
        "a.1",
        LineType.GROUP,
        {"name": "Desk"},
        [],
    )
    assert read_line('{"id": "b", "name": "An account"}', None).kind is LineType.ACCOUNT


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (None, ()),
        (TOO_LONG, ()),
        ("", ()),
        ("[1]", ()),
        ('{"id": "a", "name": "cut o', ()),
        ('{"id": "a", "name": "x\ud800"}', ()),
        ("[" * 60_000, ()),
        ('{"name": "One"}', ("id",)),
        ('{"id": 5, "name": "One"}', ("id",)),
        ('{"id": "=1+1", "name": "One"}', ("id",)),
        ('{"id": "' + "x" * 65 + '", "name": "One"}', ("id",)),
        ('{"id": "a", "type": "user", "name": "One"}', ("type",)),
        ('{"id": "a", "type": ["group"], "name": "One"}', ("type",)),
        ('{"id": "a"}', ("name",)),
        ('{"id": "a", "name": 7}', ("name",)),
        ('{"id": "a", "name": "One", "colour": "red"}', ("colour",)),
        ('{"id": "a", "name": "One", "kind": "OTHER"}', ("kind",)),
        ('{"id": "a", "name": "One", "openingBalance": 1.5}', ("openingBalance",)),
        ('{"id": "a", "name": "One", "openingBalance": true}', ("openingBalance",)),
        ('{"id": "a", "name": "One", "settings": []}', ("settings",)),
        ('{"id": "a", "name": "One", "componentIds": [1]}', ("componentIds",)),
        ('{"id": "a", "type": "settings", "nodeId": "x"}', ("settings",)),
    ],
)
def test_a_bad_line_says_what_is_wrong(text: str | None, path: tuple[str, ...]) -> None:
    assert problems(text) == [path]


def test_all_that_is_wrong_is_told_at_once() -> None:
    assert problems('{"type": "group", "name": 1, "x": 2}') == [("id",), ("name",), ("x",)]


COLUMNS = ("id", "type", "name", "openingBalance", "settings", "description")


def test_a_csv_line_has_the_header_s_columns_and_json_in_its_cells() -> None:
    asked = read_line('a,account,"One, two",12.50,"{""custom.x"": 1}",', COLUMNS)
    assert (asked.line_id, asked.kind, list(asked.problems)) == ("a", LineType.ACCOUNT, [])
    assert asked.fields == {"name": "One, two", "openingBalance": "12.50", "settings": {"custom.x": 1}}
    assert read_line("a,,One", COLUMNS).fields == {"name": "One"}


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('a,account,"One', ()),
        ('a,account,"One"x,1,,', ()),
        ("a,account,One,1,,,,", ()),
        ("a,account,One,1,{,", ()),
        ("a,account,=HYPERLINK(),1,,", ("name",)),
        ("a,account,One,1,,@x", ("description",)),
        ("+a,account,One,1,,", ("id",)),
    ],
)
def test_a_bad_csv_line_says_what_is_wrong(text: str, path: tuple[str, ...]) -> None:
    assert problems(text, COLUMNS) == [path]


def test_what_looks_like_a_formula_is_a_text_in_json_lines() -> None:
    assert problems('{"id": "a", "name": "=1+1"}') == []


@pytest.mark.parametrize("header", [None, "", "name", "id,id,name", "id,colour", 'id,"name'])
def test_a_header_that_is_none_refuses_the_file(header: str | None) -> None:
    with pytest.raises(Refused):
        read_header(header)


@given(st.sets(st.text(min_size=1), max_size=300))
def test_the_index_finds_each_line_by_its_id(ids: set[str]) -> None:
    index = LineIndex(len(ids))
    known = {each: Known(number, number % 2 == 0, number % 3 == 0) for number, each in enumerate(sorted(ids), 1)}
    for each, line in known.items():
        assert index.find(each) is None
        index.add(each, line)
    found: dict[str, Any] = {each: index.find(each) for each in known}
    assert found == known
