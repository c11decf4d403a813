"""Metadata: its limits, the schemas that apply to it, and work that stays bounded whatever the two hold."""

import sys
from typing import Any

import pytest

from services.settings.metadata import check_against, check_metadata
from services.settings.metadata_schema import check_schema


def chain(levels: int, **end: Any) -> Any:
    value: Any = end
    for _ in range(levels):
        value = {"c": value}
    return value


def test_sixteen_kibibytes_are_always_taken() -> None:
    assert check_metadata({"note": "x" * 16 * 1024}) == []
    assert check_metadata({f"key{index:04}": index for index in range(900)}) == []
    assert check_metadata({}) == []
    assert check_metadata({"\u00e9\U0001f600": ["\u00e9" * 4096, None, 1.5, True, {}]}) == []


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (None, ("metadata",)),
        ([], ("metadata",)),
        ("text", ("metadata",)),
        ({"a": "x" * 18_000}, ("metadata",)),
        ({"a": ["\x00"]}, ("metadata", "a", "0")),
        ({"a": {"b": float("inf")}}, ("metadata", "a", "b")),
        ({"a": "\udc00"}, ("metadata", "a")),
        (chain(40), ("metadata", *["c"] * 32)),
        ({"a": 10**30}, ("metadata", "a")),
    ],
)
def test_metadata_that_cannot_be_kept_is_told_by_its_place(value: Any, place: tuple[str, ...]) -> None:
    (problem,) = check_metadata(value)
    assert problem.path == place


SCHEMA: Any = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "required": ["owner"],
    "properties": {
        "owner": {"type": "string", "pattern": "^[a-z]+$"},
        "level": {"enum": ["low", "high"]},
        "share": {"minimum": 0, "exclusiveMaximum": 1},
        "tags": {"uniqueItems": True, "items": {"maxLength": 3}, "maxItems": 3},
        "end": {"anyOf": [{"type": "null"}, {"type": "integer"}]},
        "never": False,
    },
    "dependentRequired": {"share": ["level"]},
    "patternProperties": {"^x-": True},
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("value", "place", "words"),
    [
        ({}, ("owner",), "metadata.owner is required"),
        ({"owner": 1}, ("owner",), "metadata.owner must be of type string"),
        ({"owner": "A"}, ("owner",), "must match the pattern ^[a-z]+$"),
        ({"owner": "a", "level": "mid"}, ("level",), "must be one of low, high"),
        ({"owner": "a", "share": -0.5, "level": "low"}, ("share",), "must be at least 0"),
        ({"owner": "a", "share": 1, "level": "low"}, ("share",), "must be less than 1"),
        ({"owner": "a", "share": 0}, ("level",), "metadata.level is required where share is there"),
        ({"owner": "a", "tags": [1, 1.0]}, ("tags",), "must not have an entry twice"),
        ({"owner": "a", "tags": ["a", "long"]}, ("tags", "1"), "must have at most 3 characters"),
        ({"owner": "a", "end": "x"}, ("end",), "must have one of the forms"),
        ({"owner": "a", "never": None}, ("never",), "is not a field"),
        ({"owner": "a", "other": 1}, ("other",), "is not a field"),
    ],
)
def test_what_breaks_a_schema_is_told_in_words_by_its_place(value: Any, place: tuple[str, ...], words: str) -> None:
    (problem,) = check_against(value, [SCHEMA])
    assert problem.path == ("metadata", *place)
    assert words in problem.message


def test_values_that_a_schema_allows() -> None:
    good: Any = {"owner": "a", "level": "low", "share": 0.5, "tags": [1, True, "1"], "end": None, "x-1": {"any": 1}}
    assert check_against(good, [SCHEMA]) == []
    assert check_against(good, []) == []


def test_entries_are_the_same_where_their_json_is() -> None:
    schema: Any = {"properties": {"x": {"uniqueItems": True}}}
    different: Any = [
        1,
        True,
        0,
        False,
        "1",
        None,
        [],
        {},
        [1],
        [True],
        {"a": [1]},
        {"a": [True]},
        [[1], 2],
        [1, [2]],
    ]
    assert check_against({"x": different}, [schema]) == []
    repeats: list[Any] = [1.0, [1.0], {"a": [1.0]}, None, {}]
    for again in repeats:
        value: Any = {"x": [*different, again]}
        assert len(check_against(value, [schema])) == 1


def test_every_schema_on_the_path_applies() -> None:
    schemas: list[Any] = [{"required": ["a"]}, True, {"properties": {"b": {"type": "string"}}}, {"maxProperties": 1}]
    assert check_against({"a": 1}, schemas) == []
    found = [problem.path for problem in check_against({"b": 1, "d": 1}, schemas)]
    assert found == [("metadata", "a"), ("metadata", "b"), ("metadata",)]


def test_the_number_of_problems_and_their_length_are_bounded() -> None:
    value: Any = {"list": [1] * 500}
    strings: Any = {"properties": {"list": {"items": {"enum": ["x" * 5000]}}}}
    problems = check_against(value, [strings, strings])
    assert len(problems) == 20
    assert all(len(problem.message) < 300 for problem in problems)


def test_a_pattern_that_backtracks_elsewhere_is_linear_here() -> None:
    for pattern in ("^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "(.*)*(.*)*(.*)*b"):
        schema: Any = {"properties": {"s": {"pattern": pattern}}, "patternProperties": {pattern: True}}
        assert check_schema(schema) == []
        (problem,) = check_against({"s": "a" * 16_000 + "!"}, [schema])
        assert problem.path == ("metadata", "s")


ENDLESS: list[tuple[Any, Any]] = [
    # Each level of the value doubles the work.
    ({"properties": {"c": {"allOf": [{"$ref": "#"}, {"$ref": "#"}]}}}, chain(30)),
    ({"properties": {"c": {"anyOf": [{"$ref": "#"}, {"$ref": "#"}]}}, "required": ["z"]}, chain(30)),
    ({"unevaluatedProperties": {"$ref": "#"}, "allOf": [{"unevaluatedProperties": {"$ref": "#"}}] * 3}, chain(30)),
    # Wide schemas on wide values.
    ({"properties": {"x": {"items": {"enum": list(range(2000))}}}}, {"x": ["z"] * 3000}),
    ({"anyOf": [{"properties": {"x": {"items": {"enum": [[]] * 3000}}}}, False]}, {"x": ["z"] * 3000}),
    (
        {"patternProperties": {f"^{index}(a|b)*$": {} for index in range(700)}},
        {f"k{index}": 1 for index in range(1500)},
    ),
    ({"properties": {"x": {"unevaluatedItems": False, "allOf": [{"contains": True}] * 40}}}, {"x": [1] * 4000}),
    ({"anyOf": [{"allOf": [False] * 900}, {"properties": {"c": {"$ref": "#"}}}]}, chain(30, x=["y" * 100] * 100)),
    ({"not": {"items": {}, "properties": {"x": {"items": {"not": {"required": ["a"] * 1}}}}}}, {"x": [{}] * 5000}),
]


@pytest.mark.parametrize(("schema", "value"), ENDLESS)
def test_work_is_bounded_whatever_the_schema(schema: Any, value: Any) -> None:
    assert check_schema(schema) == []
    assert check_metadata(value) == []
    problems = check_against(value, [schema])
    assert 0 < len(problems) <= 20


def test_many_schemas_share_one_bound() -> None:
    wide: Any = {"properties": {"x": {"items": {"type": "integer"}}}}
    value: Any = {"x": [1] * 2000}
    assert check_against(value, [wide]) == []
    (problem,) = check_against(value, [wide] * 1000)
    assert "too large or too deep" in problem.message


def test_the_deepest_value_and_schema_stay_within_the_stack() -> None:
    schema: Any = {"properties": {"c": {"not": {"not": {"if": True, "then": {"$ref": "#"}}}}}}
    assert check_schema(schema) == []
    limit = sys.getrecursionlimit()
    assert limit <= 1000
    assert "too deep" in check_against(chain(31), [schema])[0].message
    assert check_against(chain(31), [{"properties": {"c": {"$ref": "#"}}}]) == []


def test_no_document_is_looked_up_even_where_a_stored_schema_asks_for_it() -> None:
    with pytest.raises(Exception, match=r"127\.0\.0\.1:9"):
        check_against({}, [{"$ref": "http://127.0.0.1:9/schema"}])
