"""Fills a tenant with as many accounts as are wanted, by one import whose file is made while it is sent."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import orjson

from bench.wire import BenchFailed, Connection

EACH = 100
"""Accounts of a group, and groups of a group."""
CASH = "1000.00"
FUNDED = 50
"""One account of so many has an opening balance."""
PIECE_BYTES = 65_536
LOOK_SECONDS = 0.1
TELL_SECONDS = 10.0
MOST_SECONDS = 7_200.0
_BEGIN = """mutation Fill($input: BulkImportInput!) { answer: bulkImport(input: $input) {
  ... on BulkImportPayload { bulkImport { id } } ... on Problem { code message } } }"""
_FOLLOW = "query Follow($id: ID!) { answer: bulkImport(id: $id) { phase lines checked succeeded failed unprocessed } }"
_COUNT = "query Count($id: ID!) { group(id: $id) { rollup { accountCount } } }"
_SOME = """query Some($id: ID!) { group(id: $id) { groups(first: 100) { nodes { groups(first: 5) { nodes {
  accounts(first: 10) { nodes { id } } } } } } } }"""


@dataclass(frozen=True, slots=True)
class Filled:
    """A tenant that was imported."""

    root: str
    accounts: Sequence[str]
    """Some of them, from all over it."""
    count: int
    seconds: float
    """From the first byte sent until all of it is there."""

    @property
    def rate(self) -> float:
        """Accounts in a second."""
        return self.count / self.seconds


async def fill(url: str, token: str, root: str, accounts: int, tell: Callable[[str], None]) -> Filled:
    """Imports so many accounts into this group, and waits until its totals are folded. Raises BenchFailed."""
    name = f"tenant of {accounts:,}"
    connection = Connection(url, token)
    try:
        began = time.perf_counter()
        await bring_in(url, token, connection, root, pieces(accounts), lambda line: tell(f"{name}: {line}"))
        seconds = time.perf_counter() - began
        tell(f"{name}: imported in {seconds:.0f} s, {accounts / seconds:,.0f} accounts a second")
        await _folded(connection, root, accounts)
        tell(f"{name}: its totals were right {time.perf_counter() - began - seconds:.0f} s later")
        tree = await connection.ask(_SOME, id=root)
    finally:
        await connection.close()
    below = (group for above in tree["group"]["groups"]["nodes"] for group in above["groups"]["nodes"])
    some = [account["id"] for group in below for account in group["accounts"]["nodes"]]
    return Filled(root, some, accounts, seconds)


async def bring_in(
    url: str,
    token: str,
    connection: Connection,
    root: str,
    content: bytes | AsyncIterable[bytes],
    tell: Callable[[str], None],
) -> None:
    """Sends a file, imports it into this group, and waits until all of it is there. Raises BenchFailed."""
    began = time.perf_counter()
    upload = await _sent(url, token, content)
    tell(f"sent in {time.perf_counter() - began:.0f} s")
    given = {"operationId": str(uuid4()), "groupId": root, "uploadId": upload}
    await _ended(connection, (await connection.do(_BEGIN, given))["bulkImport"]["id"], tell)


def lines(accounts: int) -> Iterator[dict[str, Any]]:
    """The lines of the file: groups of groups, accounts in those, and an opening balance for some."""
    for number in range(accounts):
        group, above = number // EACH, number // EACH**2
        if number % EACH**2 == 0:
            yield {"id": f"u{above}", "type": "group", "name": f"Region {above}"}
        if number % EACH == 0:
            yield {"id": f"g{group}", "type": "group", "name": f"Branch {group}", "parentId": f"u{above}"}
        line = {"id": f"a{number}", "name": f"Account {number}", "parentId": f"g{group}"}
        yield line | ({"openingBalance": CASH} if number % FUNDED == 0 else {})


async def pieces(accounts: int) -> AsyncGenerator[bytes]:
    """The file in pieces, each made when the one before it was taken."""
    piece = bytearray()
    for line in lines(accounts):
        piece += orjson.dumps(line) + b"\n"
        if len(piece) >= PIECE_BYTES:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece)


async def _sent(url: str, token: str, content: bytes | AsyncIterable[bytes]) -> str:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"}
    async with httpx.AsyncClient(timeout=MOST_SECONDS, trust_env=False) as http:
        answer = await http.post(f"{url}/imports", content=content, headers=headers)
    if answer.is_error:
        raise BenchFailed(f"the file was not taken: {answer.text[:300]}")
    return answer.json()["uploadId"]


async def _ended(connection: Connection, import_id: str, tell: Callable[[str], None]) -> None:
    told = time.perf_counter()
    async with asyncio.timeout(MOST_SECONDS):
        while (row := (await connection.ask(_FOLLOW, id=import_id))["answer"])["phase"] != "ENDED":
            if time.perf_counter() - told >= TELL_SECONDS:
                told = time.perf_counter()
                done = row["checked"] if row["phase"] == "CHECKING" else row["succeeded"] + row["failed"]
                tell(f"{str(row['phase']).lower()}, {done:,} of {row['lines']:,} lines done")
            await asyncio.sleep(LOOK_SECONDS)
    if row["succeeded"] != row["lines"]:
        raise BenchFailed(f"the import did not succeed: {row}")


async def _folded(connection: Connection, root: str, accounts: int) -> None:
    """Waits until the totals, which are folded after the import, count every account."""
    async with asyncio.timeout(MOST_SECONDS):
        while (await connection.ask(_COUNT, id=root))["group"]["rollup"]["accountCount"] != accounts:  # noqa: ASYNC110 - no event crosses
            await asyncio.sleep(LOOK_SECONDS)
