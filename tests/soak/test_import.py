"""Kills the server while it imports: what becomes of each line is the same as without, and nothing is there twice."""

import asyncio
import random
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from ulid import ULID

from graph import clock
from graph.database import Database
from tests.support.api import Remote
from tests.support.callers import ANSWER_SECONDS, SIGN_IN, beside
from tests.support.conditions import until
from tests.support.engines import chosen_engine
from tests.support.graphs import statement
from tests.support.house import ADMIN, ADMIN_PASSWORD, Address, op
from tests.support.importing import as_json_lines
from tests.support.running import Server, settings_of
from tests.support.size import pick, seed

pytestmark = pytest.mark.anyio
KILLS = pick(3, 20)
GROUPS, ACCOUNTS = pick((20, 50), (100, 100))
END_SECONDS = pick(120, 600)
# One process alone has the embedded engine.
PROCESSES = 1 if chosen_engine() == "arcadedb" else 2
COUNTS = "id phase lines checked succeeded failed unprocessed operation { id state problems { message } }"
BEGIN = f"bulkImport {{ {COUNTS} }}"
FOLLOW = f"query($id: ID!) {{ bulkImport(id: $id) {{ {COUNTS} }} }}"
HASTEN = statement("MATCH (o:Operation {id: $id}) WHERE o.dueAt > $now SET o.dueAt = $now")
BELOW = statement(
    "MATCH (g:Group {id: $group})-[:CONTAINS*1..]->(a:Account) "
    "RETURN count(a) AS accounts, count(DISTINCT a.name) AS names, sum(a.cash) AS cash"
)


def lines(dice: random.Random) -> bytes:
    """Groups of accounts with money, a few of which cannot be imported."""
    made: list[dict[str, Any] | str] = []
    for group in range(GROUPS):
        above = f"g{dice.randrange(group)}" if group else None
        made.append({"id": f"g{group}", "type": "group", "name": f"Group {group}", "parentId": above})
        for account in range(ACCOUNTS):
            name = f"Account {group} {account}"
            line = {"id": f"a{group}-{account}", "name": name, "parentId": f"g{group}", "openingBalance": "1.25"}
            made.append(line if dice.random() > 0.01 else dice.choice((line | {"currency": "?"}, "no JSON")))
    return as_json_lines(made)


@dataclass
class Site:
    """Servers of one graph, the first of which that lives is asked."""

    servers: Sequence[Server]
    engine: Address | None
    client: httpx.AsyncClient
    alive: list[Server] = field(default_factory=list[Server])
    token: str = ""

    async def sign_in(self) -> None:
        given = {"username": ADMIN, "password": ADMIN_PASSWORD}
        data = await Remote(self.client, f"{self.alive[0].url}/graphql").ask(SIGN_IN, input=given)
        self.token = data["signIn"]["accessToken"]

    @property
    def api(self) -> Remote:
        return Remote(self.client, f"{self.alive[0].url}/graphql", self.token)

    async def begin(self, content: bytes) -> tuple[str, dict[str, Any]]:
        """Begins an import into a new tenant: the tenant's root, and the import."""
        root = (await self.api.done("createGroup", "group { id }", name="Tenant"))["group"]["id"]
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/x-ndjson"}
        sent = await self.client.post(f"{self.alive[0].url}/imports", content=content, headers=headers)
        given = {"groupId": root, "uploadId": sent.json()["uploadId"], "skipInvalid": True, "operationId": op()}
        return root, (await self.api.done("bulkImport", BEGIN, **given))["bulkImport"]

    async def look(self, import_id: str) -> dict[str, Any]:
        row = (await self.api.ask(FOLLOW, id=import_id))["bulkImport"]
        assert row["succeeded"] + row["failed"] + row["unprocessed"] == row["lines"]
        return row

    async def reached(self, import_id: str, done: int) -> None:
        """Waits until the import has come so far, in checked and finished lines together."""

        async def far_enough() -> bool:
            row = await self.look(import_id)
            return row["checked"] + row["succeeded"] >= done or row["phase"] == "ENDED"

        await until(far_enough, END_SECONDS)

    async def kill(self, import_id: str, operation: str, number: int) -> None:
        """Kills a server; another one goes on, once the time has come, or the same one after its start."""
        doomed = self.alive[number % len(self.alive)]
        await doomed.kill()
        if len(self.alive) == 1:
            await doomed.start()
        else:
            self.alive.remove(doomed)
            assert (await self.look(import_id))["id"] == import_id
            await doomed.start()
            self.alive.append(doomed)
        async with beside(self.alive[0], self.engine) as database:
            await hasten(database, operation)

    async def ended(self, import_id: str) -> dict[str, Any]:
        async def is_over() -> bool:
            return (await self.look(import_id))["phase"] == "ENDED"

        await until(is_over, END_SECONDS)
        return await self.look(import_id)

    async def outcomes(self, import_id: str) -> list[dict[str, Any]]:
        """The outcome file, in which a node's id is told by how far it follows the import's."""
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = await self.client.get(f"{self.alive[0].url}/imports/{import_id}/outcomes", headers=headers)
        return [await self._plain(line, import_id) for line in answer.text.splitlines()]

    async def _plain(self, text: str, import_id: str) -> dict[str, Any]:
        line = orjson.loads(text)
        if line["node"]:
            kind, _, ulid = line["node"].partition("_")
            line["node"] = f"{kind} {int(ULID.from_str(ulid)) - int(ULID.from_str(import_id.partition('_')[2]))}"
        return line


async def hasten(database: Database, operation: str) -> None:
    """Lets the time come at which another process goes on with the operation."""
    now = clock.to_text(clock.now())
    await database.write(lambda transaction: transaction.run(HASTEN, id=operation, now=now), queue="test")


async def test_an_import_that_is_killed_ends_as_one_that_is_not(tmp_path: Path, own: Address | None) -> None:
    dice = random.Random(seed())
    content = lines(dice)
    servers = [Server(tmp_path / f"server-{number}", settings_of(own)) for number in range(PROCESSES)]
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(httpx.AsyncClient(timeout=ANSWER_SECONDS, trust_env=False))
        for server in servers:
            stack.push_async_callback(server.stop)
        await asyncio.gather(*(server.start() for server in servers))
        site = Site(servers, own, client, list(servers))
        await site.sign_in()
        calm_root, calm = await site.begin(content)
        calm = await site.ended(calm["id"])
        root, row = await site.begin(content)
        points = sorted(dice.sample(range(1, 2 * row["lines"]), KILLS))
        for number, point in enumerate(points):
            await site.reached(row["id"], point)
            await site.kill(row["id"], row["operation"]["id"], number)
        ended = await site.ended(row["id"])
        told = [{name: each[name] for name in ("succeeded", "failed", "unprocessed")} for each in (calm, ended)]
        assert told[0] == told[1]
        assert ended["operation"]["state"] == "SUCCEEDED", ended
        assert await site.outcomes(row["id"]) == await site.outcomes(calm["id"])
        async with beside(site.alive[0], own) as database:
            (there,), (undisturbed,) = [await database.run(BELOW, group=each) for each in (root, calm_root)]
        assert there == undisturbed
        assert there["accounts"] == there["names"] > 0
        assert there["cash"] == there["accounts"] * 125
        status, words = await site.alive[0].command("check")
        assert status == 0, words
    print(f"{KILLS} kills at {points} of {row['lines']} lines: {told[1]}, {words}")  # noqa: T201
