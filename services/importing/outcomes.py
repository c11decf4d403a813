"""What became of the lines of an import: counted, in pages, and as a file that a spreadsheet may open."""

import csv
import io
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import orjson

from graph import imports
from graph.database import Reader, Row
from graph.ids import Kind, kind_of
from graph.structure import locate
from services.importing.reading import Format
from services.permissions import Permission, Viewer

_PARTS_AT_ONCE = 8
_COLUMNS = ("number", "id", "outcome", "node", "code", "path", "message")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class LineOutcome(StrEnum):
    """What became of a line: ImportOutcome of the API."""

    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    UNPROCESSED = "UNPROCESSED"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A line with what became of it: the node that it made or changed, or its problems as an Operation keeps them."""

    number: int
    line_id: str | None
    outcome: LineOutcome
    node: str | None
    problems: Sequence[Row]


async def find_visible(reader: Reader, viewer: Viewer, import_id: str) -> Row | None:
    """The import of this id, for who asked for it or may decide about its group, and sees that; None for all others."""
    if kind_of(import_id) is not Kind.IMPORT:
        return None
    row = (await imports.find(reader, [import_id])).get(import_id)
    if row is None or viewer.administrator:
        return row
    place = (await locate(reader, [row["group"]])).get(row["group"])
    allowed = viewer.permissions(place.path) if place is not None else frozenset[Permission]()
    asked = row["user"] == viewer.user_id and Permission.READ in allowed
    return row if asked or Permission.DECIDE in allowed else None


def outcome_of(row: Row) -> Outcome:
    """The outcome of a line, as its part keeps it."""
    problems = row.get("problems", ())
    done = LineOutcome.FAILED if problems else LineOutcome.SUCCEEDED if "node" in row else LineOutcome.UNPROCESSED
    return Outcome(row["number"], row["id"], done, row.get("node"), problems)


async def page(reader: Reader, row: Row, after: int, limit: int, wanted: LineOutcome | None = None) -> list[Outcome]:
    """At most so many outcomes of lines beyond a number, in the lines' order; of one kind alone where it is given.

    Parts that hold none of it are not read.
    """
    counts = await imports.counts(reader, row["id"], row["parts"])
    first = 0
    numbers: list[int] = []
    for number in sorted(counts):
        first += counts[number]["total"]
        if first > after and _may_hold(counts[number], wanted):
            numbers.append(number)
    found: list[Outcome] = []
    for number in numbers:
        parts = await imports.parts(reader, row["id"], [number])
        told = [outcome_of(line) for line in parts.get(number, ())]
        found += [one for one in told if one.number > after and wanted in (None, one.outcome)]
        if len(found) >= limit:
            break
    return found[:limit]


def _may_hold(counts: Row, wanted: LineOutcome | None) -> bool:
    match wanted:
        case None:
            return True
        case LineOutcome.SUCCEEDED:
            return counts["succeeded"] > 0
        case LineOutcome.FAILED:
            return counts["failed"] > 0
        case LineOutcome.UNPROCESSED:
            return counts["total"] > counts["succeeded"] + counts["failed"]


async def exported(reader: Reader, row: Row, form: Format) -> AsyncGenerator[bytes]:
    """The outcomes of all lines as a file, piece by piece. Raises EngineUnavailable.

    A cell of a CSV file that a spreadsheet would take for a formula begins with an apostrophe.
    """
    if form is Format.CSV:
        yield _csv([_COLUMNS])
    for start in range(0, row["parts"], _PARTS_AT_ONCE):
        numbers = range(start, min(start + _PARTS_AT_ONCE, row["parts"]))
        parts = await imports.parts(reader, row["id"], numbers)
        for number in numbers:
            lines = [outcome_of(line) for line in parts.get(number, ())]
            yield _csv([_cells(line) for line in lines]) if form is Format.CSV else _json(lines)


def _json(lines: Sequence[Outcome]) -> bytes:
    told = (
        {
            "number": line.number,
            "id": line.line_id,
            "outcome": line.outcome.value,
            "node": line.node,
            "problems": [{name: problem[name] for name in ("code", "message", "path")} for problem in line.problems],
        }
        for line in lines
    )
    return b"".join(orjson.dumps(one) + b"\n" for one in told)


def _cells(line: Outcome) -> list[str]:
    first: Row = line.problems[0] if line.problems else {"code": "", "path": [], "message": ""}
    path, message = ".".join(first["path"]), "; ".join(problem["message"] for problem in line.problems)
    cells = (str(line.number), line.line_id or "", line.outcome.value, line.node or "", first["code"], path, message)
    return [f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells]


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()
