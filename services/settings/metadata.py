"""An account's metadata: any JSON object within limits, and under the schemas of the groups above it."""

from collections.abc import Sequence
from typing import Any

from jsonschema.exceptions import ValidationError

from services.problems import Problem, invalid
from services.settings.json_limits import MAX_PROBLEMS, Json, Limits, Path, canonical, check_json
from services.settings.schema_validator import Budget, TooMuchWork, errors_of

# 16 KiB of content are always taken; the rest is room for the keys and quotes around it.
METADATA_LIMITS = Limits(size=17 * 1024, depth=32, keys=3000)
_SHOWN = 200

_WORDS = {
    "type": "must be of type {}",
    "enum": "must be one of {}",
    "const": "must be {}",
    "minimum": "must be at least {}",
    "maximum": "must be at most {}",
    "exclusiveMinimum": "must be more than {}",
    "exclusiveMaximum": "must be less than {}",
    "multipleOf": "must be a multiple of {}",
    "minLength": "must have at least {} characters",
    "maxLength": "must have at most {} characters",
    "pattern": "must match the pattern {}",
    "minItems": "must have at least {} entries",
    "maxItems": "must have at most {} entries",
    "uniqueItems": "must not have an entry twice",
    "contains": "must have an entry of the form that the schema asks for",
    "minContains": "must have at least {} entries of the form that the schema asks for",
    "maxContains": "must have at most {} entries of the form that the schema names",
    "minProperties": "must have at least {} fields",
    "maxProperties": "must have at most {} fields",
    "required": "is required",
    **dict.fromkeys(
        ("properties", "patternProperties", "additionalProperties"), "is not a field that the schema allows"
    ),
    "unevaluatedProperties": "has a field that the schema does not allow",
    "unevaluatedItems": "has an entry that the schema does not allow",
    "items": "has more entries than the schema allows",
    "anyOf": "must have one of the forms that the schema allows",
    "oneOf": "must have exactly one of the forms that the schema allows",
    "not": "has a form that the schema forbids",
}


def check_metadata(metadata: Json, path: Path = ("metadata",)) -> list[Problem]:
    """What is wrong with the metadata as such: at most 20 problems, each with its place below `path`."""
    if not isinstance(metadata, dict):
        return [invalid('metadata must be an object, such as {"owner": "desk 4"}', *path)]
    return check_json(metadata, METADATA_LIMITS, path)


def check_against(metadata: Json, schemas: Sequence[Json], path: Path = ("metadata",)) -> list[Problem]:
    """Where metadata that `check_metadata` passed breaks one of the schemas: at most 20 problems.

    The schemas are those that `check_schema` passed, set by the groups on the path; each of them applies.
    """
    problems: list[Problem] = []
    budget = Budget(metadata)
    try:
        for schema in schemas:
            found = errors_of(metadata, schema, budget, MAX_PROBLEMS - len(problems))
            problems.extend(_problem(error, path) for error in found)
            if len(problems) == MAX_PROBLEMS:
                break
    except TooMuchWork:
        problems.append(invalid("metadata is too large or too deep for the schemas of the groups above it", *path))
    return problems


def _problem(error: ValidationError, path: Path) -> Problem:
    where = (*path, *(str(step) for step in error.absolute_path))
    return invalid(f"{'.'.join(where)} {_words(error)}", *where)


def _words(error: ValidationError) -> str:
    asked: Any = error.validator_value
    if error.validator == "dependentRequired":
        return f"is required where {error.message} is there"
    return _WORDS.get(str(error.validator), "is not allowed by the schema").format(_shown(asked))


def _shown(value: Json) -> str:
    names = isinstance(value, list) and all(isinstance(entry, str) for entry in value)
    text = ", ".join(map(str, value)) if names and isinstance(value, list) else _json(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


def _json(value: Json) -> str:
    return value if isinstance(value, str) else canonical(value).decode()
