"""What a caller asks to set: known keys with values of their types, all faults told at once.

A value is kept as it was given: 0.25 is read back as 0.25 and "0.25" as "0.25". Comparisons are exact (values.py).
"""

from collections.abc import Mapping

from services.problems import Problem, invalid
from services.settings.catalogue import MAX_KEY_LENGTH, key_of
from services.settings.json_limits import Json, Limits, Path, canonical, check_json, storable
from services.settings.key import ValueType
from services.settings.value_checks import accepts, expectation

MAX_CHANGES = 200
MAX_OWN_KEYS = 500
MAX_OWN_BYTES = 64 * 1024
MAX_PROBLEMS = 100
CUSTOM_LIMITS = Limits(size=4096, depth=16, keys=200)


def check_changes(settings: Json, path: Path = ("settings",)) -> tuple[dict[str, Json], list[Problem]]:
    """The changes that are good (null removes a key), and every problem, each with `path` and the key.

    Settings that are no object, or too many keys, are one problem and no change. At most 100 problems are told.
    """
    if not isinstance(settings, dict):
        return {}, [invalid('settings must be an object of keys and values, such as {"fork.maxPerDay": 3}', *path)]
    if len(settings) > MAX_CHANGES:
        return {}, [invalid(f"settings must have at most {MAX_CHANGES} keys in one request", *path)]
    clean: dict[str, Json] = {}
    problems: list[Problem] = []
    for key, value in settings.items():
        found = _check_one(key, value, path)
        problems.extend(found)
        if not found:
            clean[key] = _as_kept(key, value)
    return clean, problems[:MAX_PROBLEMS]


def check_own(stored: Mapping[str, object], path: Path = ("settings",)) -> list[Problem]:
    """What is wrong with the size of all that one node sets itself, after a change: 500 keys, 64 KiB."""
    if len(stored) > MAX_OWN_KEYS:
        return [invalid(f"a node must have at most {MAX_OWN_KEYS} settings of its own; remove some first", *path)]
    if len(canonical(stored)) > MAX_OWN_BYTES:
        return [invalid(f"a node's own settings must be at most {MAX_OWN_BYTES} bytes of JSON in all", *path)]
    return []


def check_locks(locks: Json, path: Path = ("locks",)) -> tuple[frozenset[str], list[Problem]]:
    """The keys that a group is to lock, and every problem: what is no list of known keys, each once, at most 200."""
    if not isinstance(locks, list) or len(locks) > MAX_CHANGES:
        return frozenset(), [invalid(f"locks must be a list of at most {MAX_CHANGES} keys of settings", *path)]
    problems: list[Problem] = []
    known: set[str] = set()
    for index, name in enumerate(locks):
        if isinstance(name, str) and name not in known and key_of(name) is not None:
            known.add(name)
        else:
            problems.append(invalid("a lock must name a known setting, each one once", *path, str(index)))
    return frozenset(known), problems[:MAX_PROBLEMS]


def _check_one(name: object, value: Json, path: Path) -> list[Problem]:
    if not isinstance(name, str) or len(name) > MAX_KEY_LENGTH or not storable(name):
        return [invalid(f"a setting's key must be a text of at most {MAX_KEY_LENGTH} characters", *path)]
    key = key_of(name)
    if key is None:
        return [invalid(f"there is no setting {name}; keys of your own begin with custom.", *path, name)]
    if value is None:
        return []
    if key.type is ValueType.JSON:
        return check_json(value, CUSTOM_LIMITS, (*path, name))
    return [] if accepts(key, value) else [invalid(f"{name} must be {expectation(key)}", *path, name)]


def _as_kept(name: str, value: Json) -> Json:
    key = key_of(name)
    whole = key is not None and key.type is ValueType.INT and isinstance(value, float)
    return int(value) if whole and isinstance(value, float) else value
