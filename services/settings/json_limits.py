"""Limits on JSON that a caller controls: its size, depth, keys, and texts that the engines cannot hold."""

import math
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

import orjson

from services.problems import Problem, invalid

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Path: TypeAlias = tuple[str, ...]

MAX_PROBLEMS = 20
MAX_INTEGER = 2**63 - 1
# What a decoder may give besides numbers, texts and objects; anything else is a value of Python, not of JSON.
_HELD: tuple[type, ...] = (list, type(None))
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a JSON value may have at most: canonical bytes, levels of nesting, keys in all, characters of one key."""

    size: int
    depth: int
    keys: int
    key_length: int = 256


def canonical(value: object) -> bytes:
    """The value's one JSON text: UTF-8, keys sorted, no spaces. Only for values that `check_json` passed."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def storable(text: str) -> bool:
    """True where the text has neither NUL nor a lone surrogate."""
    return _UNSTORABLE.search(text) is None


def check_json(value: Json, limits: Limits, path: Path) -> list[Problem]:
    """What is wrong with the value as stored JSON: at most 20 problems, each with its place below `path`."""
    problems: list[Problem] = []
    for problem in _faults(value, limits, path):
        problems.append(problem)
        if len(problems) == MAX_PROBLEMS:
            return problems
    if not problems and len(canonical(value)) > limits.size:
        problems.append(_too_large(limits, path))
    return problems


def _faults(value: Json, limits: Limits, path: Path) -> Iterator[Problem]:
    # A queue, not recursion: the value may be nested far deeper than Python's stack.
    queue: deque[tuple[Json, Path]] = deque([(value, path)])
    keys = seen = 0
    while queue:
        item, where = queue.popleft()
        seen += 1
        if isinstance(item, dict):
            keys += len(item)
        if seen > limits.size:
            yield _too_large(limits, path)
            return
        if keys > limits.keys:
            yield _fault(f"must have at most {limits.keys} keys in all", path)
            return
        if isinstance(item, dict | list) and len(where) - len(path) >= limits.depth:
            yield _fault(f"must not be nested deeper than {limits.depth} levels", where)
            continue
        yield from _faults_of_one(item, limits, where)
        queue.extend(_children(item, limits, where))


def _faults_of_one(item: Json, limits: Limits, where: Path) -> Iterator[Problem]:
    if isinstance(item, dict):
        yield from (_key_fault(limits, where) for key in item if not _good_key(key, limits))
    elif isinstance(item, str):
        if not storable(item):
            yield _fault("must not contain NUL or half of a surrogate pair", where)
    elif isinstance(item, float):
        if not math.isfinite(item):
            yield _fault("must be a finite number", where)
    elif isinstance(item, int):
        if not -MAX_INTEGER <= item <= MAX_INTEGER:
            yield _fault("must be a whole number of at most 64 bits; send a larger one as a string", where)
    elif isinstance(item, Decimal):
        yield _fault("must be a number that a 64-bit float holds exactly; send another one as a string", where)
    elif not isinstance(item, _HELD):
        yield _fault("must be JSON: an object, list, string, number, true, false or null", where)


def _children(item: Json, limits: Limits, where: Path) -> Iterator[tuple[Json, Path]]:
    if isinstance(item, dict):
        yield from ((child, (*where, key)) for key, child in item.items() if _good_key(key, limits))
    elif isinstance(item, list):
        yield from ((child, (*where, str(index))) for index, child in enumerate(item))


def _good_key(key: object, limits: Limits) -> bool:
    return isinstance(key, str) and len(key) <= limits.key_length and storable(key)


def _key_fault(limits: Limits, where: Path) -> Problem:
    words = f"must have keys of at most {limits.key_length} characters, without NUL or half of a surrogate pair"
    return _fault(words, where)


def _too_large(limits: Limits, path: Path) -> Problem:
    return _fault(f"must be at most {limits.size} bytes of JSON", path)


def _fault(words: str, where: Path) -> Problem:
    return invalid(f"{'.'.join(where)} {words}", *where)
