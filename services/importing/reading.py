"""Lines of an uploaded file as what they ask for: JSON Lines, or CSV under a header of column names."""

import csv
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

import orjson

from services.importing.fields import COLUMNS, EVERY, LineType, check_fields
from services.importing.splitting import LONGEST_LINE, TOO_LONG
from services.problems import Problem, Refused, invalid
from services.settings.json_limits import MAX_PROBLEMS

_LINE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}", re.ASCII)
_LONG_NUMBER = re.compile(r"[0-9.]{17}")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_SHOWN = frozenset({"name", "description", "note"})
"""The texts that a spreadsheet would show."""


class Format(StrEnum):
    """How a file is written."""

    JSON_LINES = "JSON_LINES"
    CSV = "CSV"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a line asks for, or why that cannot be told; without an id where it has none that can be used."""

    line_id: str | None
    kind: LineType | None = None
    fields: Mapping[str, Any] = field(default_factory=dict[str, Any])
    problems: Sequence[Problem] = ()


def read_header(text: str | None) -> tuple[str, ...]:
    """The columns of a CSV file. Raises Refused where they are not names of fields, each once, with id among them."""
    try:
        columns = tuple(_cells(text)) if text else ()
    except _Unreadable as error:
        raise Refused(invalid(str(error))) from None
    unknown = [name for name in columns if name not in COLUMNS]
    if unknown or "id" not in columns or len(set(columns)) < len(columns):
        words = f"the first line must name columns, each once, with id among them, of: {', '.join(COLUMNS)}"
        raise Refused(invalid(words))
    return columns


def read_line(text: str | None, columns: Sequence[str] | None) -> Asked:
    """What a line asks for; `columns` of a CSV file. None and TOO_LONG stand for what is no line of text."""
    if text is None:
        return _unreadable("the line is not UTF-8 text")
    if text == TOO_LONG:
        return _unreadable(f"the line is longer than the {LONGEST_LINE:,} bytes that are taken")
    try:
        values = _from_json(text) if columns is None else _from_csv(text, columns)
    except _Unreadable as error:
        return _unreadable(str(error))
    return _asked(values, spreadsheet=columns is not None)


class _Unreadable(Exception):
    """A line that is no record."""


def _unreadable(message: str) -> Asked:
    return Asked(None, problems=[invalid(message)])


def _asked(values: dict[str, Any], *, spreadsheet: bool) -> Asked:
    line_id, kind = values.pop("id", None), values.pop("type", LineType.ACCOUNT.value)
    values = {name: value for name, value in values.items() if value is not None}
    problems: list[Problem] = []
    known = isinstance(line_id, str) and _LINE_ID.fullmatch(line_id) is not None
    if not known:
        words = "id must be 1 to 64 of A-Z, a-z, 0-9 and ._:/-, beginning with a letter or a digit"
        problems.append(invalid(words, "id"))
    if kind not in list(LineType):
        problems.append(invalid(f"type must be one of {', '.join(LineType)}", "type"))
        return Asked(line_id if known else None, problems=problems)
    problems += check_fields(LineType(kind), values)
    if spreadsheet:
        problems += [
            invalid(f"{name} must not begin like a formula of a spreadsheet; JSON Lines take such a text", name)
            for name in sorted(_SHOWN & values.keys())
            if str(values[name]).startswith(_FORMULA)
        ]
    return Asked(line_id if known else None, LineType(kind), values, problems[:MAX_PROBLEMS])


def _from_json(text: str) -> dict[str, Any]:
    try:
        value = orjson.loads(text)
        if _LONG_NUMBER.search(text):
            value = json.loads(text, parse_float=_fraction)
    except (ValueError, RecursionError):
        raise _Unreadable("the line must be a JSON object; where it is the last one, the file was cut off") from None
    if not isinstance(value, dict):
        raise _Unreadable("the line must be a JSON object")
    return value


def _fraction(text: str) -> float | Decimal:
    """A fraction as it was written where a float holds it exactly; else a Decimal, which is refused by its place."""
    number, exact = float(text), Decimal(text)
    return number if Decimal(repr(number)) == exact else exact


def _from_csv(text: str, columns: Sequence[str]) -> dict[str, Any]:
    cells = _cells(text)
    if len(cells) > len(columns):
        raise _Unreadable(f"the line has {len(cells)} cells, and the header names {len(columns)} columns")
    values: dict[str, Any] = {}
    for name, cell in zip(columns, cells, strict=False):
        if cell:
            values[name] = _cell(name, cell)
    return values


def _cells(text: str) -> list[str]:
    try:
        rows = list(csv.reader([text], strict=True))
    except csv.Error:
        raise _Unreadable("the line must be CSV on one line: a quote is open, or stands within a cell") from None
    return rows[0] if rows else []


def _cell(name: str, cell: str) -> Any:
    if name not in EVERY or not EVERY[name].json:
        return cell
    try:
        return orjson.loads(cell)
    except orjson.JSONDecodeError:
        raise _Unreadable(f"the cell {name} must be JSON") from None
