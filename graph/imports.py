"""Imports: how far each one is, and its parts: the checked lines until they are done, and what became of them.

A part's `lines` is JSON: for each line its number, its id, its outcome, and what is still to be done.
"""

from collections.abc import Sequence
from typing import Any

import orjson

from graph.database import Reader, Row, Transaction
from graph.query import Query
from graph.uploads import part_id

CREATE = Query("imports.create", "CREATE (i:Import) SET i = $properties")
FIND = Query("imports.find", "UNWIND $ids AS id MATCH (i:Import {id: id}) RETURN id, i {.*} AS node", by="ids")
TAKE = Query("imports.take", "MATCH (i:Import {id: $id}) SET i.lock = $id RETURN i {.*} AS node")
CHANGE = Query("imports.change", "MATCH (i:Import {id: $id}) SET i += $properties")
SAVE_PART = Query(
    "imports.save_part",
    "MERGE (p:ImportPart {id: $id}) SET p.lines = $lines, p.succeeded = $succeeded, p.failed = $failed, "
    "p.total = $total",
)
PARTS = Query(
    "imports.parts",
    "UNWIND $ids AS id MATCH (p:ImportPart {id: id}) RETURN id, p.lines AS lines",
    by="ids",
)
COUNTS = Query(
    "imports.counts",
    "UNWIND $ids AS id MATCH (p:ImportPart {id: id}) "
    "RETURN id, p.succeeded AS succeeded, p.failed AS failed, p.total AS total",
    by="ids",
)


async def create(transaction: Transaction, properties: Row) -> None:
    """Creates an import."""
    await transaction.run(CREATE, properties=properties)


async def find(reader: Reader, ids: Sequence[str]) -> dict[str, Row]:
    """The properties of the imports of these ids, by id."""
    return {row["id"]: row["node"] for row in await reader.run(FIND, ids=list(ids))}


async def take(transaction: Transaction, import_id: str) -> Row:
    """Takes the import's lock until the commit; its properties as they are then."""
    (row,) = await transaction.run(TAKE, id=import_id)
    return row["node"]


async def change(transaction: Transaction, import_id: str, properties: Row) -> None:
    """Sets properties of an import."""
    await transaction.run(CHANGE, id=import_id, properties=properties)


async def save_part(
    transaction: Transaction, import_id: str, number: int, lines: Sequence[Row], succeeded: int, failed: int
) -> None:
    """Writes a part, in place of what it was before."""
    text = orjson.dumps(list(lines)).decode()
    counts = {"succeeded": succeeded, "failed": failed, "total": len(lines)}
    await transaction.run(SAVE_PART, id=part_id(import_id, number), lines=text, **counts)


async def parts(reader: Reader, import_id: str, numbers: Sequence[int]) -> dict[int, list[Any]]:
    """The lines of the parts of these numbers that are there, by number."""
    ids = {part_id(import_id, number): number for number in numbers}
    rows = await reader.run(PARTS, ids=list(ids))
    return {ids[row["id"]]: orjson.loads(row["lines"]) for row in rows}


async def counts(reader: Reader, import_id: str, total: int) -> dict[int, Row]:
    """How many lines of each part succeeded, failed and are there in all, by the part's number, of so many parts."""
    ids = {part_id(import_id, number): number for number in range(total)}
    return {ids[row["id"]]: row for row in await reader.run(COUNTS, ids=list(ids))}
