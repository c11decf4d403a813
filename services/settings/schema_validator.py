"""A JSON Schema validator whose work is bounded: linear-time patterns, no look-up of other documents, a budget."""

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import lru_cache
from itertools import islice
from typing import Any, TypeAlias

import re2
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend
from referencing import Registry

from services.settings.json_limits import Json

MAX_WORK = 50_000
MAX_NESTING = 120
_BYTES_OF_WORK = 64

Errors: TypeAlias = Iterator[ValidationError]
Keyword: TypeAlias = Callable[[Any, Any, Any, Any], Errors | None]


class TooMuchWork(Exception):
    """The schema asks for more work on this value than is allowed."""


class Budget:
    """Work left for one value and all its schemas. A unit is one keyword tried, or one entry gone through."""

    def __init__(self, value: Json) -> None:
        self._left = MAX_WORK
        self._nesting = 0
        self._weights = _weights(value)

    def enter(self, keyword: str, value: Any, instance: Any) -> None:
        """Pays for one keyword on one value. Raises TooMuchWork."""
        weight = self._weight(instance) // _BYTES_OF_WORK
        self._left -= 1 + weight + _tries(keyword, value, _breadth(instance), weight)
        self._nesting += 1
        if self._left < 0 or self._nesting > MAX_NESTING:
            raise TooMuchWork

    def leave(self) -> None:
        """Ends what `enter` began."""
        self._nesting -= 1

    def _weight(self, instance: Any) -> int:
        return len(instance) if isinstance(instance, str) else self._weights.get(id(instance), 1)


def errors_of(value: Json, schema: Json, budget: Budget, most: int) -> list[ValidationError]:
    """The first `most` errors of the value under a schema that was allowed to be set. Raises TooMuchWork."""
    token = _BUDGET.set(budget)
    try:
        # A schema that names its dialect would be handed to the library's own validator for it.
        plain = {key: part for key, part in schema.items() if key != "$schema"} if isinstance(schema, dict) else schema
        return list(islice(_VALIDATOR(plain, registry=Registry()).iter_errors(value), most))
    finally:
        _BUDGET.reset(token)


_BUDGET: ContextVar[Budget] = ContextVar("schema_budget")


def _weights(value: Json) -> dict[int, int]:
    """About how many bytes of JSON each list and object holds, by identity."""
    order: list[Json] = [value]
    for item in order:
        order.extend(item.values() if isinstance(item, dict) else item if isinstance(item, list) else ())
    weights: dict[int, int] = {}
    for item in reversed(order):
        if isinstance(item, dict):
            weights[id(item)] = sum(len(key) + _leaf(child, weights) for key, child in item.items())
        elif isinstance(item, list):
            weights[id(item)] = sum(_leaf(child, weights) for child in item)
    return weights


def _leaf(item: Json, weights: dict[int, int]) -> int:
    return len(item) + 3 if isinstance(item, str) else weights.get(id(item), 0) + 4


def _tries(keyword: str, value: Any, entries: int, weight: int) -> int:
    if keyword in {"allOf", "anyOf", "oneOf"}:
        # Each part may write the whole value into its error, which is why the weight counts as often.
        return len(value) * (1 + weight) + entries
    if keyword == "patternProperties":
        return len(value) * entries
    if keyword == "dependentRequired":
        return sum(1 + len(names) for names in value.values())
    if keyword == "enum":
        return len(value) + sum(len(one) for one in value if isinstance(one, str)) // _BYTES_OF_WORK
    return _breadth(value) + entries


def _breadth(value: Any) -> int:
    return len(value) if isinstance(value, list | dict) else 0


@lru_cache(maxsize=128)
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    return re2.compile(pattern, options)


def _found(pattern: str, text: str) -> bool:
    return _compiled(pattern).search(text) is not None


def _pattern(_validator: Any, pattern: str, instance: Any, _schema: Any) -> Errors:
    if isinstance(instance, str) and not _found(pattern, instance):
        yield ValidationError("does not match")


def _field(validator: Any, name: str, value: Any, subschema: Any) -> Errors:
    # The library's own descent leaves the field's name out where the schema is plainly false.
    if subschema is False:
        yield ValidationError("is not allowed", path=[name])
    else:
        yield from validator.descend(value, subschema, path=name)


def _properties(validator: Any, properties: Any, instance: Any, _schema: Any) -> Errors:
    if isinstance(instance, dict):
        for name, subschema in properties.items():
            if name in instance:
                yield from _field(validator, name, instance[name], subschema)


def _pattern_properties(validator: Any, patterns: Any, instance: Any, _schema: Any) -> Errors:
    if isinstance(instance, dict):
        for pattern, subschema in patterns.items():
            for name, value in instance.items():
                if _found(pattern, name):
                    yield from _field(validator, name, value, subschema)


def _additional_properties(validator: Any, subschema: Any, instance: Any, schema: Any) -> Errors:
    if isinstance(instance, dict):
        patterns = schema.get("patternProperties", {})
        for name, value in instance.items():
            if name not in schema.get("properties", {}) and not any(_found(pattern, name) for pattern in patterns):
                yield from _field(validator, name, value, subschema)


def _required(_validator: Any, names: Any, instance: Any, _schema: Any) -> Errors:
    if isinstance(instance, dict):
        yield from (ValidationError("is required", path=[name]) for name in names if name not in instance)


def _dependent_required(_validator: Any, dependencies: Any, instance: Any, _schema: Any) -> Errors:
    if isinstance(instance, dict):
        for name, others in dependencies.items():
            if name in instance:
                yield from (ValidationError(name, path=[other]) for other in others if other not in instance)


def _unique_items(_validator: Any, unique: Any, instance: Any, _schema: Any) -> Errors:
    if unique and isinstance(instance, list) and len({_frozen(item) for item in instance}) < len(instance):
        yield ValidationError("repeats an entry")


def _frozen(item: Json) -> object:
    """A value that is equal exactly where the JSON is: 1 and 1.0 are the same, 1 and true are not."""
    if isinstance(item, dict):
        return frozenset((key, _frozen(child)) for key, child in item.items())
    if isinstance(item, list):
        return tuple(_frozen(child) for child in item)
    return (isinstance(item, bool), item)


def _bounded(name: str, keyword: Keyword) -> Keyword:
    def run(validator: Any, value: Any, instance: Any, schema: Any) -> Errors:
        budget = _BUDGET.get()
        budget.enter(name, value, instance)
        try:
            yield from keyword(validator, value, instance, schema) or ()
        finally:
            budget.leave()

    return run


_OWN: dict[str, Keyword] = {
    "pattern": _pattern,
    "properties": _properties,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
    "required": _required,
    "dependentRequired": _dependent_required,
    "uniqueItems": _unique_items,
}
_KEYWORDS: dict[str, Keyword] = {**Draft202012Validator.VALIDATORS, **_OWN}
_VALIDATOR: Any = extend(Draft202012Validator, {name: _bounded(name, keyword) for name, keyword in _KEYWORDS.items()})
