"""What a line of an import may say: its types and their fields, by the names that the API's inputs have."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from services.accounts import AccountKind, Tier
from services.problems import Problem, invalid


class LineType(StrEnum):
    """What a line asks for."""

    GROUP = "group"
    ACCOUNT = "account"
    SETTINGS = "settings"
    BALANCE = "balance"


@dataclass(frozen=True, slots=True)
class Field:
    """What a field's value must be, in words and as a test, and whether a CSV cell holds JSON."""

    words: str
    fits: Callable[[Any], bool]
    json: bool = False


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_amount(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


_TEXT = Field("a text", _is_text)
_AMOUNT = Field('a text of plain digits, such as "1250.50", or a whole number', _is_amount)
_TEXTS = Field("a list of texts", _is_texts, json=True)
_OBJECT = Field("an object", _is_object, json=True)
_KINDS = Field(f"one of {', '.join(AccountKind)}", lambda value: value in list(AccountKind))
_TIERS = Field(f"one of {', '.join(Tier)}", lambda value: value in list(Tier))

FIELDS: Mapping[LineType, Mapping[str, Field]] = {
    LineType.GROUP: {
        "name": _TEXT,
        "parentId": _TEXT,
        "settings": _OBJECT,
        "lock": _TEXTS,
        "metadataSchema": _OBJECT,
    },
    LineType.ACCOUNT: {
        "name": _TEXT,
        "parentId": _TEXT,
        "description": _TEXT,
        "kind": _KINDS,
        "tier": _TIERS,
        "currency": _TEXT,
        "templateId": _TEXT,
        "componentIds": _TEXTS,
        "settings": _OBJECT,
        "metadata": _OBJECT,
        "openingBalance": _AMOUNT,
        "note": _TEXT,
    },
    LineType.SETTINGS: {"nodeId": _TEXT, "settings": _OBJECT, "lock": _TEXTS, "unlock": _TEXTS},
    LineType.BALANCE: {"accountId": _TEXT, "amount": _AMOUNT, "note": _TEXT},
}
REQUIRED: Mapping[LineType, tuple[str, ...]] = {
    LineType.GROUP: ("name",),
    LineType.ACCOUNT: ("name",),
    LineType.SETTINGS: ("nodeId", "settings"),
    LineType.BALANCE: ("accountId", "amount"),
}
EVERY: Mapping[str, Field] = {name: field for fields in FIELDS.values() for name, field in fields.items()}
"""All fields, by name; a name means the same for each type."""
COLUMNS = ("id", "type", *EVERY)


def check_fields(kind: LineType, fields: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with a line's fields as such: unknown, missing, or of another form than they must be."""
    known = FIELDS[kind]
    problems = [invalid(f"{name} is required", name) for name in REQUIRED[kind] if name not in fields]
    for name, value in fields.items():
        if name not in known:
            problems.append(invalid(f"a line of type {kind.value} has no field {name[:100]}", name[:100]))
        elif not known[name].fits(value):
            problems.append(invalid(f"{name} must be {known[name].words}", name))
    return problems
