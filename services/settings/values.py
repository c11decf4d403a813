"""A setting's JSON value as an exact number, and typed reads of effective settings."""

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Protocol

from graph.money import parse_plain
from services.settings.json_limits import Json

_MAX_WHOLE = 10**18


class HasValue(Protocol):
    """Anything that carries a setting's value."""

    @property
    def value(self) -> Json:
        """The JSON value as it was set."""
        ...


def exact(value: Json) -> Decimal | None:
    """The number that a JSON number or a string of plain digits stands for; None where it is neither.

    A JSON number with a fraction arrives as a binary float: its shortest text is what the caller wrote.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return parse_plain(value)
    if isinstance(value, int):
        return Decimal(value) if abs(value) <= _MAX_WHOLE else None
    if isinstance(value, float):
        return Decimal(repr(value)) if math.isfinite(value) else None
    return None


def number(settings: Mapping[str, HasValue], key: str) -> Decimal | None:
    """The DECIMAL, SHARE or INT in force, exact; None where none is."""
    return exact(settings[key].value) if key in settings else None


def count(settings: Mapping[str, HasValue], key: str) -> int | None:
    """The INT in force; None where none is."""
    value = number(settings, key)
    return None if value is None else int(value)


def enabled(settings: Mapping[str, HasValue], key: str) -> bool:
    """Whether the BOOLEAN in force is true; false where none is."""
    return key in settings and settings[key].value is True


def text(settings: Mapping[str, HasValue], key: str) -> str | None:
    """The ENUM, STRING, ID, DATE or CURRENCY in force; None where none is."""
    value = settings[key].value if key in settings else None
    return value if isinstance(value, str) else None


def texts(settings: Mapping[str, HasValue], key: str) -> tuple[str, ...] | None:
    """The STRING_LIST in force, in its own order; None where none is (an empty list is in force and allows none)."""
    value = settings[key].value if key in settings else None
    return tuple(entry for entry in value if isinstance(entry, str)) if isinstance(value, list) else None
