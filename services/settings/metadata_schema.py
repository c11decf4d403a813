"""Whether a JSON Schema may be set for the metadata of the accounts below a group.

It may not cost more than it is worth: it refers to nothing outside itself, its patterns match in linear time, its
size and depth are bounded, and its references neither go round in a circle nor multiply.
"""

import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from urllib.parse import unquote

from services.problems import Problem, invalid
from services.settings.json_limits import MAX_PROBLEMS, Json, Limits, Path, check_json
from services.settings.schema_keywords import (
    DIALECT,
    ONE_SCHEMA,
    PATTERN_WORDS,
    REFUSED,
    SAME_VALUE,
    SCHEMA_LISTS,
    SCHEMA_MAPS,
    SHAPES,
    is_good_pattern,
)

SCHEMA_LIMITS = Limits(size=16 * 1024, depth=32, keys=1000)
# How many schemas may apply to one and the same value, through all references.
MAX_APPLIED = 1000
_LOCAL_POINTER = re.compile(r"#(/[!-~]*)?")

Positions = dict[Path, dict[str, Json] | bool]


def check_schema(schema: Json, path: Path = ("metadataSchema",)) -> list[Problem]:
    """Why the schema may not be set: at most 20 problems, each with its place below `path`; none where it may."""
    problems = check_json(schema, SCHEMA_LIMITS, path)
    if problems:
        return problems
    positions: Positions = {}
    for problem in _faults(schema, positions, path):
        problems.append(problem)
        if len(problems) == MAX_PROBLEMS:
            return problems
    return problems or _reference_faults(positions, path)


def pointer(reference: str) -> Path | None:
    """The place that a reference such as `#/$defs/owner` points to; None where it is no pointer of this kind."""
    if not _LOCAL_POINTER.fullmatch(reference):
        return None
    steps = unquote(reference[1:]).split("/")[1:]
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in steps)


def _faults(schema: Json, positions: Positions, path: Path) -> Iterator[Problem]:
    queue: list[tuple[Json, Path]] = [(schema, ())]
    while queue:
        part, place = queue.pop()
        if isinstance(part, bool):
            positions[place] = part
        elif isinstance(part, dict):
            positions[place] = part
            for keyword, value in part.items():
                yield from _keyword_faults(keyword, value, place, path)
                queue.extend((child, (*place, keyword, *step)) for step, child in _parts(keyword, value))
        else:
            yield invalid("a schema must be an object, true or false", *path, *place)
    if any(_has(part, "patternProperties") for part in positions.values()):
        for place, part in positions.items():
            if _has(part, "unevaluatedProperties"):
                yield invalid("unevaluatedProperties does not go with patternProperties here", *path, *place)


def _has(part: dict[str, Json] | bool, keyword: str) -> bool:
    return isinstance(part, dict) and keyword in part


def _parts(keyword: str, value: Json) -> Iterator[tuple[Path, Json]]:
    """The schemas that a keyword holds, each with the step to it."""
    if keyword in ONE_SCHEMA:
        yield (), value
    elif keyword in SCHEMA_LISTS and isinstance(value, list):
        yield from (((str(index),), part) for index, part in enumerate(value))
    elif keyword in SCHEMA_MAPS and isinstance(value, dict):
        yield from (((name,), part) for name, part in value.items())


def _keyword_faults(keyword: str, value: Json, place: Path, path: Path) -> Iterator[Problem]:
    where = (*path, *place, keyword)
    if keyword in REFUSED:
        yield invalid(f"{keyword} cannot be used here; name parts in $defs and point to them from the root", *where)
    elif keyword == "$schema" and (place or value not in (DIALECT, f"{DIALECT}#")):
        yield invalid(f"$schema stands at the root alone and must be {DIALECT}", *where)
    elif keyword in SCHEMA_LISTS and (not isinstance(value, list) or not value):
        yield invalid(f"{keyword} must be a list of schemas, not empty", *where)
    elif keyword in SCHEMA_MAPS and not isinstance(value, dict):
        yield invalid(f"{keyword} must be an object of schemas", *where)
    elif keyword in SHAPES and not SHAPES[keyword][0](value):
        yield invalid(f"{keyword} must be {SHAPES[keyword][1]}", *where)
    elif keyword == "patternProperties" and isinstance(value, dict):
        for name in value:
            if not is_good_pattern(name):
                yield invalid(f"a name in patternProperties must be {PATTERN_WORDS}", *where, name)


def _reference_faults(positions: Positions, path: Path) -> list[Problem]:
    problems: list[Problem] = []
    applied: dict[Path, list[Path]] = {}
    for place, part in positions.items():
        if isinstance(part, bool):
            applied[place] = []
            continue
        applied[place] = [
            (*place, keyword, *step)
            for keyword in SAME_VALUE & part.keys()
            for step, _ in _parts(keyword, part[keyword])
        ]
        reference = part.get("$ref")
        if isinstance(reference, str):
            target = pointer(reference)
            if target is None or target not in positions:
                words = "$ref must point to a schema in this document, such as #/$defs/owner"
                problems.append(invalid(words, *path, *place, "$ref"))
            else:
                applied[place].append(target)
    return problems or _circles(applied, path)


def _circles(applied: dict[Path, list[Path]], path: Path) -> list[Problem]:
    counts: dict[Path, int] = {}
    try:
        for place in TopologicalSorter(applied).static_order():
            counts[place] = 1 + sum(counts[part] for part in applied[place])
            if counts[place] > MAX_APPLIED:
                words = f"at most {MAX_APPLIED} schemas may apply to one value, references followed"
                return [invalid(words, *path, *place)]
    except CycleError as error:
        return [invalid("$ref must not lead back to itself for the same value", *path, *error.args[1][0])]
    return []
