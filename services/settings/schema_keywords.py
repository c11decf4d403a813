"""The keywords of JSON Schema (draft 2020-12) that a metadata schema may use, and what each must hold.

https://json-schema.org/draft/2020-12: the shapes are those of its meta-schemas. `format` is a note, as there; a
schema cannot name itself or another document, so every reference is a pointer from its own root.
"""

import math
from collections.abc import Callable

import re2

from services.settings.json_limits import Json

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ONE_SCHEMA = frozenset(
    "additionalProperties propertyNames contains items not if then else unevaluatedProperties unevaluatedItems "
    "contentSchema".split()
)
SCHEMA_LISTS = frozenset("allOf anyOf oneOf prefixItems".split())
SCHEMA_MAPS = frozenset("properties patternProperties $defs definitions dependentSchemas".split())
# Keywords whose schemas apply to the same value: a circle of them would never end.
SAME_VALUE = frozenset("allOf anyOf oneOf not if then else dependentSchemas".split())
REFUSED = frozenset(
    "$id $anchor $dynamicRef $dynamicAnchor $recursiveRef $recursiveAnchor $vocabulary dependencies".split()
)
MAX_PATTERN_LENGTH = 256
_TYPES = frozenset("null boolean object array number string integer".split())


def is_good_pattern(pattern: Json) -> bool:
    """Whether RE2 takes the pattern: it matches in linear time, so it has no look-around and no back reference."""
    if not isinstance(pattern, str) or len(pattern) > MAX_PATTERN_LENGTH:
        return False
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        re2.compile(pattern, options)
    except re2.error:
        return False
    return True


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_positive(value: Json) -> bool:
    return _is_number(value) and isinstance(value, int | float) and value > 0


def _is_count(value: Json) -> bool:
    return _is_number(value) and isinstance(value, int | float) and value >= 0 and value == int(value)


def _is_type(value: Json) -> bool:
    if isinstance(value, list):
        return bool(value) and _are_names(value) and all(name in _TYPES for name in value)
    return isinstance(value, str) and value in _TYPES


def _are_names(value: Json) -> bool:
    if not isinstance(value, list):
        return False
    names = {name for name in value if isinstance(name, str)}
    return len(names) == len(value)


def _are_name_lists(value: Json) -> bool:
    return isinstance(value, dict) and all(_are_names(names) for names in value.values())


Shape = tuple[Callable[[Json], bool], str]
_COUNT: Shape = (_is_count, "a whole number of 0 or more")
_NUMBER: Shape = (_is_number, "a number")
_TEXT: Shape = (lambda value: isinstance(value, str), "a text")
_FLAG: Shape = (lambda value: isinstance(value, bool), "true or false")
_LIST: Shape = (lambda value: isinstance(value, list), "a list")
_PATTERN_WORDS = f"a pattern of RE2 (no look-around, no back reference) of at most {MAX_PATTERN_LENGTH} characters"

SHAPES: dict[str, Shape] = {
    **dict.fromkeys("minLength maxLength minItems maxItems minProperties maxProperties".split(), _COUNT),
    **dict.fromkeys("minContains maxContains".split(), _COUNT),
    **dict.fromkeys("minimum maximum exclusiveMinimum exclusiveMaximum".split(), _NUMBER),
    **dict.fromkeys("title description $comment format contentEncoding contentMediaType $ref".split(), _TEXT),
    **dict.fromkeys("uniqueItems deprecated readOnly writeOnly".split(), _FLAG),
    **dict.fromkeys("enum examples".split(), _LIST),
    "multipleOf": (_is_positive, "a number above 0"),
    "type": (_is_type, f"one or a list of {', '.join(sorted(_TYPES))}"),
    "required": (_are_names, "a list of names, none twice"),
    "dependentRequired": (_are_name_lists, "an object of lists of names, none twice"),
    "pattern": (is_good_pattern, _PATTERN_WORDS),
}
PATTERN_WORDS = _PATTERN_WORDS
