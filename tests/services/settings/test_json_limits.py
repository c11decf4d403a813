"""Limits on JSON: what cannot be stored is told by its place, and no input exhausts the stack."""

from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.settings.json_limits import MAX_PROBLEMS, Limits, canonical, check_json

LIMITS = Limits(size=1000, depth=4, keys=10, key_length=8)

leaves = st.none() | st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1) | st.floats(allow_nan=False) | st.text()
documents = st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=30)


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "place", "words"),
    [
        (float("nan"), ("v",), "finite"),
        ({"a": [float("inf")]}, ("v", "a", "0"), "finite"),
        ({"a": "x\x00"}, ("v", "a"), "NUL"),
        (["\ud800"], ("v", "0"), "surrogate"),
        ({"\udfff": 1}, ("v",), "keys"),
        ({"k" * 9: 1}, ("v",), "at most 8 characters"),
        ({"a": 2**63}, ("v", "a"), "64 bits"),
        ({"a": -(10**5000)}, ("v", "a"), "64 bits"),
        ({"a": [Decimal("0.12345678901234567890")]}, ("v", "a", "0"), "a number that a 64-bit float holds"),
        ({"a": {1, 2}}, ("v", "a"), "must be JSON"),
        (nested(5), ("v", "0", "0", "0", "0"), "deeper than 4"),
        ({str(index): 1 for index in range(11)}, ("v",), "at most 10 keys"),
        ("x" * 999, ("v",), "1000 bytes"),
        ([0] * 1001, ("v",), "1000 bytes"),
    ],
)
def test_what_cannot_be_stored_is_told_by_its_place(value: Any, place: tuple[str, ...], words: str) -> None:
    problems = check_json(value, LIMITS, ("v",))
    assert [problem.path for problem in problems] == [place]
    assert words in problems[0].message
    assert problems[0].message.startswith(".".join(place))


def test_all_faults_are_told_at_once_up_to_a_number() -> None:
    assert len(check_json(["\x00", 1, float("nan"), "\x00"], LIMITS, ())) == 3
    many: list[Any] = ["\x00"] * 100
    assert len(check_json(many, LIMITS, ())) == MAX_PROBLEMS


def test_values_at_the_limits_are_taken() -> None:
    assert check_json(nested(4), LIMITS, ()) == []
    assert check_json("x" * 998, LIMITS, ()) == []
    assert check_json({"é" * 8: 2**63 - 1, "": None, "😀": -(2**63) + 1}, LIMITS, ()) == []


def test_depth_beyond_the_stack_is_one_problem() -> None:
    assert len(check_json(nested(200_000), Limits(size=10**9, depth=100, keys=1), ())) == 1


@settings(deadline=None)
@given(documents)
def test_what_passes_has_a_canonical_text_that_reads_back_equal(value: Any) -> None:
    if not check_json(value, Limits(size=10**6, depth=100, keys=10**6), ()):
        assert orjson.loads(canonical(value)) == value
