"""Schemas that may be set, and those that may not: remote references, back-tracking patterns, circles, bombs."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from services.settings.metadata import check_against, check_metadata
from services.settings.metadata_schema import MAX_APPLIED, check_schema

OWNER: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Desk",
    "type": "object",
    "required": ["owner"],
    "properties": {
        "owner": {"$ref": "#/$defs/owner"},
        "tags": {"type": "array", "uniqueItems": True, "items": {"type": "string", "maxLength": 8}},
        "children": {"type": "array", "items": {"$ref": "#"}},
    },
    "patternProperties": {"^x-": {"type": ["string", "null"]}},
    "additionalProperties": False,
    "$defs": {"owner": {"type": "string", "pattern": "^[a-z]+( [0-9]+)?$", "minLength": 1}},
}


def nested(levels: int) -> Any:
    schema: Any = {}
    for _ in range(levels):
        schema = {"items": schema}
    return schema


def doubling(levels: int) -> Any:
    parts: dict[str, Any] = {"p0": {"type": "object"}}
    for index in range(1, levels):
        parts[f"p{index}"] = {"allOf": [{"$ref": f"#/$defs/p{index - 1}"}, {"$ref": f"#/$defs/p{index - 1}"}]}
    return {"$defs": parts, "$ref": f"#/$defs/p{levels - 1}"}


@pytest.mark.parametrize(
    "schema",
    [
        True,
        False,
        {},
        OWNER,
        {"x-note": {"$ref": "http://not.evaluated/"}, "default": {"$id": "kept as a value"}},
        {"properties": {"$ref": {"type": "string"}, "$id": True, "pattern": {"const": "(a"}}},
        {
            "$defs": {"a/b": {"type": "null"}, "t~": True},
            "anyOf": [{"$ref": "#/$defs/a~1b"}, {"$ref": "#/$defs/t~0"}],
        },
        {"$defs": {"gr\u00f6\u00dfe": True}, "$ref": "#/$defs/gr%C3%B6%C3%9Fe"},
        {"allOf": [{"properties": {"a": True}}], "unevaluatedProperties": False},
        {"enum": [1, "a", None], "multipleOf": 0.01, "format": "date", "minItems": 2.0},
        {"prefixItems": [{"type": "integer"}], "items": False, "contains": {"const": 1}, "maxContains": 2},
        nested(30),
        doubling(8),
    ],
)
def test_schemas_that_may_be_set(schema: Any) -> None:
    assert check_schema(schema) == []


@pytest.mark.parametrize(
    ("schema", "place", "words"),
    [
        ({"$ref": "http://example.com/schema"}, "$ref", "this document"),
        ({"$ref": "file:///etc/passwd"}, "$ref", "this document"),
        ({"$ref": "other.json#/a"}, "$ref", "this document"),
        ({"$ref": "https://json-schema.org/draft/2020-12/schema"}, "$ref", "this document"),
        ({"$ref": "#anchor"}, "$ref", "this document"),
        ({"$ref": "#/$defs/none"}, "$ref", "this document"),
        ({"$ref": "#/default", "default": {"pattern": "(a+)+$"}}, "$ref", "this document"),
        ({"$ref": "#/allOf/-1", "allOf": [True]}, "$ref", "this document"),
        ({"$ref": "#/$defs/a\n", "$defs": {"a": True}}, "$ref", "this document"),
        ({"$ref": 1}, "$ref", "a text"),
        ({"items": {"$ref": {}}}, "items.$ref", "a text"),
        ({"$dynamicRef": "#x"}, "$dynamicRef", "cannot be used"),
        ({"properties": {"a": {"$id": "http://example.com/"}}}, "properties.a.$id", "cannot be used"),
        ({"$anchor": "a"}, "$anchor", "cannot be used"),
        ({"dependencies": {}}, "dependencies", "cannot be used"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "$schema", "2020-12"),
        ({"$schema": {}}, "$schema", "2020-12"),
        ({"not": {"$schema": "https://json-schema.org/draft/2020-12/schema"}}, "not.$schema", "root alone"),
        ({"pattern": "(?=a)b"}, "pattern", "RE2"),
        ({"pattern": r"(a)\1"}, "pattern", "RE2"),
        ({"pattern": "("}, "pattern", "RE2"),
        ({"pattern": "(a{1,1000}){1,1000}"}, "pattern", "RE2"),
        ({"pattern": "a" * 257}, "pattern", "256"),
        ({"patternProperties": {"(?!a)": {}}}, "patternProperties.(?!a)", "RE2"),
        ({"patternProperties": {"^a": {}}, "unevaluatedProperties": False}, "", "patternProperties"),
        ({"$ref": "#"}, "", "lead back"),
        ({"not": {"anyOf": [{"$ref": "#"}]}}, "not.anyOf.0", "lead back"),
        ({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"if": {"$ref": "#/$defs/a"}}}}, "$defs.b.if", "lead back"),
        ({"dependentSchemas": {"a": {"$ref": "#"}}}, "dependentSchemas.a", "lead back"),
        (doubling(20), "$defs.p8", f"at most {MAX_APPLIED}"),
        (nested(40), None, "deeper than 32"),
        ({"enum": ["x" * 17000]}, "", "bytes"),
        ({"const": float("nan")}, "const", "finite"),
        ([], "", "a schema must be"),
        (None, "", "a schema must be"),
        ({"items": [True]}, "items", "a schema must be"),
        ({"properties": []}, "properties", "an object of schemas"),
        ({"allOf": []}, "allOf", "not empty"),
        ({"anyOf": {}}, "anyOf", "not empty"),
        ({"type": "text"}, "type", "boolean"),
        ({"type": []}, "type", "boolean"),
        ({"type": ["string", "string"]}, "type", "boolean"),
        ({"required": "owner"}, "required", "names"),
        ({"required": [["owner"]]}, "required", "names"),
        ({"dependentRequired": {"a": ["b", "b"]}}, "dependentRequired", "names"),
        ({"minLength": -1}, "minLength", "whole number"),
        ({"maxItems": 1.5}, "maxItems", "whole number"),
        ({"minimum": "1"}, "minimum", "a number"),
        ({"maximum": True}, "maximum", "a number"),
        ({"multipleOf": 0}, "multipleOf", "above 0"),
        ({"uniqueItems": "yes"}, "uniqueItems", "true or false"),
        ({"enum": "a"}, "enum", "a list"),
        ({"title": 1}, "title", "a text"),
    ],
)
def test_schemas_that_may_not_be_set(schema: Any, place: str | None, words: str) -> None:
    problems = check_schema(schema)
    assert problems
    assert words in problems[0].message
    assert problems[0].path[0] == "metadataSchema"
    if place is not None:
        assert ".".join(problems[0].path) in {f"metadataSchema.{place}".rstrip("."), f"metadataSchema.{place}"} or (
            "lead back" in words
        )


def test_all_faults_of_a_schema_are_told_at_once_up_to_a_number() -> None:
    assert len(check_schema({"type": "text", "minLength": -1, "items": {"pattern": "("}})) == 3
    many: list[Any] = [{"type": "text"}] * 30
    assert len(check_schema({"allOf": many})) == 20


names = st.sampled_from(["a", "b", "x-1"])
scalars = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, 1.0, 2.5]) | names
instances = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=8
)
types = st.sampled_from(["null", "boolean", "object", "array", "number", "string", "integer"])
assertions = st.fixed_dictionaries(
    {},
    optional={
        "type": types | st.lists(types, min_size=1, unique=True),
        "enum": st.lists(instances, max_size=3),
        "const": instances,
        "minimum": st.integers(-2, 2),
        "multipleOf": st.sampled_from([1, 0.5, 2]),
        "maxLength": st.integers(0, 2),
        "pattern": st.sampled_from(["^a", "b$", "-"]),
        "uniqueItems": st.booleans(),
        "minItems": st.integers(0, 2),
        "maxProperties": st.integers(0, 2),
        "required": st.lists(names, unique=True),
        "dependentRequired": st.dictionaries(names, st.lists(names, unique=True), max_size=2),
        "$ref": st.sampled_from(["#", "#/$defs/one", "#/$defs/two"]),
    },
)


def _applicators(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, min_size=1, max_size=3)
    held = st.fixed_dictionaries(
        {},
        optional={
            "properties": st.dictionaries(names, inner, max_size=3),
            "patternProperties": st.dictionaries(st.sampled_from(["^a$", "^x", "b"]), inner, max_size=2),
            "additionalProperties": inner,
            "propertyNames": inner,
            "dependentSchemas": st.dictionaries(names, inner, max_size=2),
            "items": inner,
            "prefixItems": several,
            "contains": inner,
            "allOf": several,
            "anyOf": several,
            "oneOf": several,
            "not": inner,
            "if": inner,
            "then": inner,
            "unevaluatedProperties": inner,
            "unevaluatedItems": inner,
        },
    )
    return st.builds(lambda left, right: {**left, **right}, held, assertions)


schemas = st.recursive(st.booleans() | assertions, _applicators, max_leaves=6)
documents = st.builds(
    lambda root, one, two: {**root, "$defs": {"one": one, "two": two}} if isinstance(root, dict) else root,
    schemas,
    schemas,
    schemas,
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(documents, st.lists(st.dictionaries(names, instances, max_size=3), min_size=1, max_size=5))
def test_what_may_be_set_means_what_the_draft_says(schema: Any, values: list[Any]) -> None:
    if check_schema(schema):
        return
    Draft202012Validator.check_schema(schema)
    reference = Draft202012Validator(schema)
    for value in values:
        problems = check_against(value, [schema])
        assert bool(problems) == (not reference.is_valid(value))


junk = st.recursive(
    scalars | st.sampled_from(["#", "http://a/", "(", "string", float("nan")]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from("$ref $id $schema $defs properties items type required enum allOf not pattern".split()),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(junk, st.dictionaries(names, instances, max_size=3))
def test_junk_is_refused_or_means_what_the_draft_says(schema: Any, value: Any) -> None:
    if not check_schema(schema):
        Draft202012Validator.check_schema(schema)
        assert check_metadata(value) == []
        assert bool(check_against(value, [schema])) == (not Draft202012Validator(schema).is_valid(value))
