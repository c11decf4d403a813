"""Whether a JSON value is one that a key of the catalogue takes, and in words what it would have to be."""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal

from graph.money import currency_decimals
from services.settings.json_limits import Json, storable
from services.settings.key import Key, ValueType
from services.settings.values import exact

_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9.\-]{0,19}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def accepts(key: Key, value: Json) -> bool:
    """Whether the value has the key's type and lies within its bounds. Not for keys of any JSON."""
    return _CHECKS[key.type](key, value)


def expectation(key: Key) -> str:
    """What a value of the key must be, as the end of a sentence: `a number from 0 to 1`."""
    return _WORDS[key.type](key)


def _is_number(key: Key, value: Json) -> bool:
    found = exact(value)
    return found is not None and _within(key, found)


def _is_whole(key: Key, value: Json) -> bool:
    found = None if isinstance(value, str) else exact(value)
    return found is not None and found == found.to_integral_value() and _within(key, found)


def _within(key: Key, found: Decimal) -> bool:
    assert key.minimum is not None, f"{key.name} has no bounds"
    assert key.maximum is not None, f"{key.name} has no bounds"
    exponent = found.normalize().as_tuple().exponent
    return key.minimum <= found <= key.maximum and isinstance(exponent, int) and -exponent <= key.decimals


def _is_flag(_key: Key, value: Json) -> bool:
    return isinstance(value, bool)


def _is_choice(key: Key, value: Json) -> bool:
    return isinstance(value, str) and value in key.choices


def _is_text(key: Key, value: Json) -> bool:
    return isinstance(value, str) and 0 < len(value) <= key.length and storable(value) and not _CONTROL.search(value)


def _is_list(key: Key, value: Json) -> bool:
    if not isinstance(value, list) or len(value) > key.items:
        return False
    entries = [entry for entry in value if isinstance(entry, str) and _is_entry(key, entry)]
    return len(entries) == len(value) == len(set(entries))


def _is_entry(key: Key, entry: str) -> bool:
    return entry in key.choices if key.choices else _SYMBOL.fullmatch(entry) is not None


def _is_date(_key: Key, value: Json) -> bool:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _is_currency(_key: Key, value: Json) -> bool:
    return isinstance(value, str) and currency_decimals(value) is not None


_CHECKS: dict[ValueType, Callable[[Key, Json], bool]] = {
    ValueType.DECIMAL: _is_number,
    ValueType.SHARE: _is_number,
    ValueType.INT: _is_whole,
    ValueType.BOOLEAN: _is_flag,
    ValueType.ENUM: _is_choice,
    ValueType.STRING: _is_text,
    ValueType.ID: _is_text,
    ValueType.STRING_LIST: _is_list,
    ValueType.DATE: _is_date,
    ValueType.CURRENCY: _is_currency,
}


def _choices(key: Key) -> str:
    return ", ".join(key.choices)


def _list_words(key: Key) -> str:
    entries = f"of {_choices(key)}" if key.choices else 'of instrument symbols such as "AAPL"'
    return f"a list {entries}, at most {key.items} and none twice"


_WORDS: dict[ValueType, Callable[[Key], str]] = {
    ValueType.DECIMAL: lambda key: (
        f'a decimal from {key.minimum} to {key.maximum} with at most {key.decimals} decimals, such as "50000"'
    ),
    ValueType.SHARE: lambda key: f"a number from {key.minimum} to {key.maximum}, such as 0.25",
    ValueType.INT: lambda key: f"a whole number from {key.minimum} to {key.maximum}",
    ValueType.BOOLEAN: lambda _: "true or false",
    ValueType.ENUM: lambda key: f"one of {_choices(key)}",
    ValueType.STRING: lambda key: f"a text of 1 to {key.length} characters without control characters",
    ValueType.ID: lambda _: "the id of a node",
    ValueType.STRING_LIST: _list_words,
    ValueType.DATE: lambda _: "a date such as 2026-01-31",
    ValueType.CURRENCY: lambda _: "a currency of ISO 4217, such as USD",
}
