"""The scalars. Each is exact text inside the program as it is outside of it; nothing passes through a float."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal as Number
from decimal import InvalidOperation
from typing import Any, NewType

import strawberry
from graphql import (
    FloatValueNode,
    GraphQLError,
    ListValueNode,
    ObjectValueNode,
    Undefined,
    ValueNode,
    value_from_ast_untyped,
)
from strawberry.scalars import JSON
from strawberry.types.scalar import ScalarDefinition

from graph import clock

DateTime = NewType("DateTime", str)
Date = NewType("Date", str)
Decimal = NewType("Decimal", str)

_INSTANT = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)",
    re.ASCII,
)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_FRACTION = re.compile(r"\.(\d{6})\d+")


def decimal(number: Number) -> Decimal:
    """A number as the API sends it: plain digits, never with an exponent."""
    return Decimal(format(number, "f"))


def fraction(text: str) -> float | Number:
    """A JSON number with a fraction or an exponent as it was written: a float, or a Decimal where no float holds it.

    One whose exponent lies beyond every Decimal is NaN: what it was is not kept, only that it is none of these.
    """
    number = float(text)
    try:
        exact = Number(text)
    except InvalidOperation:
        return Number("NaN")
    return number if Number(repr(number)) == exact else exact


def _read_instant(value: Any) -> DateTime:
    """An RFC 3339 instant, as clock text. What is finer than a microsecond is cut off."""
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        text = _FRACTION.sub(r".\1", value.upper())
        try:
            return DateTime(clock.to_text(datetime.fromisoformat(text).astimezone(UTC)))
        except (ValueError, OverflowError):
            pass
    raise GraphQLError("a DateTime must be an RFC 3339 instant with its offset, such as 2026-01-31T12:00:00Z")


def _read_date(value: Any) -> Date:
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return Date(date.fromisoformat(value).isoformat())
        except ValueError:
            pass
    raise GraphQLError("a Date must be a calendar date, such as 2026-01-31")


def _read_decimal(value: Any) -> Decimal:
    """The text as it was given: who uses it says what would be right, by the field's name."""
    if isinstance(value, str):
        return Decimal(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(str(value))
    raise GraphQLError('a Decimal must be a string of plain digits, such as "1250.50", or a whole number')


def _json_literal(node: ValueNode, variables: dict[str, Any] | None = None) -> Any:
    """What is written in a document, as the same JSON among the variables is read."""
    match node:
        case FloatValueNode():
            return fraction(node.value)
        case ListValueNode():
            items = [_json_literal(item, variables) for item in node.values]
            return [None if item is Undefined else item for item in items]
        case ObjectValueNode():
            members = [(member.name.value, _json_literal(member.value, variables)) for member in node.fields]
            return {name: value for name, value in members if value is not Undefined}
        case _:
            return value_from_ast_untyped(node, variables)


def _scalar(
    name: str,
    description: str,
    read: Callable[[Any], Any],
    write: Callable[[Any], Any],
    literal: Callable[[ValueNode, dict[str, Any] | None], Any] | None = None,
) -> ScalarDefinition:
    return strawberry.scalar(
        name=name, description=description, parse_value=read, serialize=write, parse_literal=literal
    )


def _same(value: Any) -> Any:
    return value


SCALARS: dict[object, ScalarDefinition] = {
    DateTime: _scalar("DateTime", "RFC 3339 instant, UTC.", _read_instant, _same),
    Date: _scalar("Date", "ISO 8601 calendar date.", _read_date, _same),
    Decimal: _scalar(
        "Decimal",
        "Exact decimal number, sent as a string of plain ASCII digits. An input may be a whole JSON number too; one"
        " with a fraction is refused, because it may have lost digits already.",
        _read_decimal,
        _same,
    ),
    JSON: _scalar("JSON", "Any JSON value.", _same, _same, _json_literal),
}
"""What the schema takes for these types."""

__all__ = ["JSON", "SCALARS", "Date", "DateTime", "Decimal", "decimal", "fraction"]
