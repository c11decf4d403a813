"""Uploads: what a caller sends is kept in the graph part by part, so that any process can go on with it."""

import asyncio
from collections.abc import Iterable
from datetime import timedelta

from graph import clock, uploads
from graph.database import Database, Row, Transaction
from graph.ids import Kind, new_id
from services.importing.reading import Format, read_header
from services.importing.splitting import MOST_BYTES, Gunzip, Splitter
from services.permissions import Viewer
from services.problems import ProblemCode, Refused, invalid, refuse
from services.retrying import settled

MOST_LINES = 2_000_000
MOST_UPLOADS = 100
MOST_KEPT_BYTES = 4 * MOST_BYTES
"""How many uploads of one user are kept, and how large they may be together when another one comes."""
PART_LINES = 500
PART_CHARACTERS = 512 * 1024
KEPT = timedelta(hours=24)
ARRIVING = timedelta(hours=1)
"""How long the parts of an upload that does not go on are kept."""
_REMOVED_AT_ONCE = 50
DROPPED_UPLOADS = 10


class Intake:
    """Takes the bytes of one file. `begin` comes first, and `end` last."""

    def __init__(self, database: Database, viewer: Viewer, form: Format, *, gzip: bool, most: int = MOST_BYTES) -> None:
        self._database = database
        self._viewer = viewer
        self._form = form
        self._gunzip = Gunzip() if gzip else None
        self._splitter = Splitter(most)
        self._header: str | None = None
        self._lines: list[str | None] = []
        self._characters = 0
        self._parts = 0
        self._total = 0
        self.id = new_id(Kind.UPLOAD)

    async def begin(self) -> None:
        """Makes the upload. Raises LIMIT_EXCEEDED where the user has too many."""
        now = clock.now()
        total, size = await uploads.of_user(self._database, self._viewer.user_id, clock.to_text(now))
        if total >= MOST_UPLOADS or size >= MOST_KEPT_BYTES:
            message = (
                f"at most {MOST_UPLOADS} uploads of one user, of {MOST_KEPT_BYTES:,} bytes together, are kept;"
                " import some, or send this one once they have expired"
            )
            raise refuse(ProblemCode.LIMIT_EXCEEDED, message)
        properties: Row = {
            "id": self.id,
            "user": self._viewer.user_id,
            "format": self._form.value,
            "ready": False,
            "parts": 0,
            "lines": 0,
            "bytes": 0,
            "createdAt": clock.to_text(now),
            "expiresAt": clock.to_text(now + ARRIVING),
        }

        async def work(transaction: Transaction) -> None:
            if await uploads.find(transaction, self.id) is None:
                await uploads.create(transaction, properties)

        await self._write(work)

    async def take(self, chunk: bytes) -> None:
        """Takes the next bytes. Raises Refused where the file is too large, no gzip, or has no good header."""
        for piece in self._gunzip.feed(chunk) if self._gunzip else (chunk,):
            await self._take_lines(self._splitter.feed(piece))
            await asyncio.sleep(0)  # a small file may have very many pieces, and others have their turn between

    async def end(self) -> Row:
        """Ends the upload; its properties. Raises Refused where it was cut off or has no line."""
        if self._gunzip is not None:
            self._gunzip.end()
        await self._take_lines(self._splitter.end())
        await self._keep()
        if not self._total:
            raise Refused(invalid("the file must have a line to import"))
        ready: Row = {
            "ready": True,
            "header": self._header,
            "lines": self._total,
            "bytes": self._splitter.bytes,
            "expiresAt": clock.to_text(clock.now() + KEPT),
        }

        async def work(transaction: Transaction) -> None:
            await self._change(transaction, ready)

        await self._write(work)
        return {"id": self.id, **ready}

    async def abandon(self) -> None:
        """Gives up an upload that failed: its parts are removed soon, and do not count to the user's."""

        async def work(transaction: Transaction) -> None:
            await uploads.change(transaction, self.id, {"expiresAt": clock.to_text(clock.now())})

        await self._write(work)

    async def _take_lines(self, lines: Iterable[str | None]) -> None:
        for line in lines:
            if self._form is Format.CSV and self._header is None:
                read_header(line)
                self._header = line
                continue
            self._total += 1
            if self._total > MOST_LINES:
                raise refuse(
                    ProblemCode.LIMIT_EXCEEDED, f"the file has more than the {MOST_LINES:,} lines that are taken"
                )
            self._lines.append(line)
            self._characters += len(line or "")
            if len(self._lines) == PART_LINES or self._characters >= PART_CHARACTERS:
                await self._keep()

    async def _keep(self) -> None:
        if not self._lines:
            return
        number, lines = self._parts, self._lines

        async def work(transaction: Transaction) -> None:
            until = clock.to_text(clock.now() + ARRIVING)
            kept: Row = {"parts": number + 1, "bytes": self._splitter.bytes, "expiresAt": until}
            await self._change(transaction, kept)
            await uploads.add_part(transaction, self.id, number, lines)

        await self._write(work)
        self._parts, self._lines, self._characters = number + 1, [], 0

    async def _change(self, transaction: Transaction, properties: Row) -> None:
        if not await uploads.change(transaction, self.id, properties):
            raise refuse(ProblemCode.LIMIT_EXCEEDED, "the upload took too long and is kept no longer; send it again")

    async def _write(self, work: uploads.Work) -> None:
        await settled(lambda: self._database.write(work, queue=self.id), "upload")


async def drop_expired(database: Database) -> int:
    """Removes uploads that are kept no longer, DROPPED_UPLOADS at most; how many. Raises EngineUnavailable."""
    found = await uploads.expired(database, clock.to_text(clock.now()), DROPPED_UPLOADS)
    for row in found:
        await _drop(database, row["id"], row["parts"])
    return len(found)


async def _drop(database: Database, upload_id: str, parts: int) -> None:
    for start in range(0, parts + 1, _REMOVED_AT_ONCE):
        numbers = range(start, min(start + _REMOVED_AT_ONCE, parts + 1))

        async def part(transaction: Transaction, numbers: range = numbers) -> None:
            await uploads.remove_parts(transaction, upload_id, numbers)

        await database.write(part, queue=upload_id)

    async def whole(transaction: Transaction) -> None:
        await uploads.remove(transaction, upload_id)

    await database.write(whole, queue=upload_id)
