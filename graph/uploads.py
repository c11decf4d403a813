"""Uploads: files that callers sent, kept as numbered parts in the graph, where every process reaches them."""

from collections.abc import Awaitable, Callable, Sequence

import orjson

from graph.database import Reader, Row, Transaction
from graph.query import Query

CREATE = Query("uploads.create", "CREATE (u:Upload) SET u = $properties")
FIND = Query("uploads.find", "MATCH (u:Upload {id: $id}) RETURN u {.*} AS node")
CHANGE = Query("uploads.change", "MATCH (u:Upload {id: $id}) SET u += $properties RETURN u.id AS id")
ADD_PART = Query("uploads.add_part", "MERGE (p:UploadPart {id: $id}) SET p.lines = $lines")
PART = Query("uploads.part", "MATCH (p:UploadPart {id: $id}) RETURN p.lines AS lines")
OF_USER = Query(
    "uploads.of_user",
    "MATCH (u:Upload) WHERE u.user = $user AND u.expiresAt > $now RETURN count(u) AS total, sum(u.bytes) AS bytes",
)
EXPIRED = Query(
    "uploads.expired", "MATCH (u:Upload) WHERE u.expiresAt <= $now RETURN u.id AS id, u.parts AS parts LIMIT $limit"
)
REMOVE_PARTS = Query("uploads.remove_parts", "UNWIND $ids AS id MATCH (p:UploadPart {id: id}) DELETE p")
REMOVE = Query("uploads.remove", "MATCH (u:Upload {id: $id}) DELETE u")

Work = Callable[[Transaction], Awaitable[None]]
Lines = list[str | None]
"""The lines of a part, as text; None stands for one that is no UTF-8 text, and "" for one that is too long."""


async def create(transaction: Transaction, properties: Row) -> None:
    """Creates an upload, without a part yet."""
    await transaction.run(CREATE, properties=properties)


async def find(reader: Reader, upload_id: str) -> Row | None:
    """The properties of the upload of this id, or None."""
    rows = await reader.run(FIND, id=upload_id)
    return rows[0]["node"] if rows else None


async def change(transaction: Transaction, upload_id: str, properties: Row) -> bool:
    """Sets properties of an upload; whether it is there."""
    return bool(await transaction.run(CHANGE, id=upload_id, properties=properties))


async def add_part(transaction: Transaction, upload_id: str, number: int, lines: Sequence[str | None]) -> None:
    """Keeps a part of an upload; again, it replaces the part of this number."""
    await transaction.run(ADD_PART, id=part_id(upload_id, number), lines=orjson.dumps(lines).decode())


async def part(reader: Reader, upload_id: str, number: int) -> Lines | None:
    """The lines of a part; None where it is gone."""
    rows = await reader.run(PART, id=part_id(upload_id, number))
    return orjson.loads(rows[0]["lines"]) if rows else None


async def of_user(reader: Reader, user_id: str, now: str) -> tuple[int, int]:
    """How many uploads of this user are kept now, and how many bytes they have together."""
    (row,) = await reader.run(OF_USER, user=user_id, now=now)
    return row["total"], row["bytes"]


async def expired(reader: Reader, now: str, limit: int) -> list[Row]:
    """Uploads that are kept no longer: the id of each, and how many parts it has."""
    return await reader.run(EXPIRED, now=now, limit=limit)


async def remove_parts(transaction: Transaction, upload_id: str, numbers: Sequence[int]) -> None:
    """Removes parts of an upload."""
    await transaction.run(REMOVE_PARTS, ids=[part_id(upload_id, number) for number in numbers])


async def remove(transaction: Transaction, upload_id: str) -> None:
    """Removes an upload, whose parts are removed before."""
    await transaction.run(REMOVE, id=upload_id)


def part_id(owner: str, number: int) -> str:
    """The id of the part of this number, from 0 on."""
    return f"{owner}:{number}"
