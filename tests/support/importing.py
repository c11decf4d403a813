"""Imports as tests make them: lines sent as a file, and the import gone on with until it rests."""

from collections.abc import Sequence
from typing import Any

import orjson

from graph import imports, operations
from graph.database import Row
from services.importing.commands import BulkImport
from services.importing.reading import Format
from services.importing.running import go_on
from services.importing.uploading import Intake
from services.permissions import Viewer
from tests.support.house import House, op

Lines = Sequence[dict[str, Any] | str]


def as_json_lines(lines: Lines) -> bytes:
    """A file of these lines; a text is a line as it is."""
    return b"".join((line.encode() if isinstance(line, str) else orjson.dumps(line)) + b"\n" for line in lines)


async def upload(
    house: House, content: bytes, form: Format = Format.JSON_LINES, *, viewer: Viewer | None = None, gzip: bool = False
) -> str:
    """Sends a file; the upload's id."""
    intake = Intake(house.desk.database, viewer or house.admin, form, gzip=gzip)
    await intake.begin()
    for start in range(0, len(content), 1000):
        await intake.take(content[start : start + 1000])
    return (await intake.end())["id"]


async def begun(house: House, lines: Lines | bytes, *, viewer: Viewer | None = None, **given: Any) -> str:
    """An import of these lines, asked for; its id."""
    content = lines if isinstance(lines, bytes) else as_json_lines(lines)
    form = given.pop("form", Format.JSON_LINES)
    sent = await upload(house, content, form, viewer=viewer)
    fields = {"operation_id": op(), "upload_id": sent, "group_id": house.root, **given}
    command = BulkImport.model_validate(fields)
    return (await house.do(command, viewer)).payload["import"]


async def rested(house: House, import_id: str) -> Row:
    """The import after it went on as far as it can; its properties, with its operation's `state` and `problems`."""
    row = (await imports.find(house.desk.database, [import_id]))[import_id]
    operation = (await operations.find(house.desk.database, [row["operation"]]))[row["operation"]]
    await go_on(house.desk, operation, lambda: False)
    return await seen(house, import_id)


async def seen(house: House, import_id: str) -> Row:
    """The import as it is, with its operation's `state` and `problems`."""
    row = (await imports.find(house.desk.database, [import_id]))[import_id]
    operation = (await operations.find(house.desk.database, [row["operation"]]))[row["operation"]]
    return {**row, "state": operation["state"], "problems": operation["problems"]}


async def imported(house: House, lines: Lines | bytes, **given: Any) -> Row:
    """An import of these lines, gone on with until it rests."""
    return await rested(house, await begun(house, lines, **given))


async def outcomes(house: House, row: Row) -> list[Row]:
    """Each line of an import, with its node or its problems, or neither."""
    found = await imports.parts(house.desk.database, row["id"], range(row["parts"]))
    return [line for number in sorted(found) for line in found[number]]
