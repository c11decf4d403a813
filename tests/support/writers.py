"""Clients who write without pause to a server that is killed under them, and what each of their writes has to leave."""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graph import accounts
from graph.database import Database
from tests.support.callers import Caller, asked
from tests.support.graphs import statement
from tests.support.house import op

FIRST = 1_000_000
LARGEST = 1_000
MADE = "made by"
ENTRIES = statement(
    "MATCH (e:Entry) WHERE e.ledger = $id AND e.place > 0 RETURN e.operation AS operation, e.amount AS amount",
)
CHILDREN = statement("MATCH (:Group {id: $id})-[:CONTAINS]->(n) RETURN n.name AS name")
CHANGES = statement(
    "MATCH (c:Change) WHERE c.feed = $feed AND c.number > 0 RETURN c.operation AS operation, count(c) AS records",
)


@dataclass(eq=False, slots=True)
class Write:
    """A mutation under its operation id, what it leaves in its tenant, and what was learnt of it.

    `posts` is each account's amount in cents, `makes` the name of a node below the root. `operation` is the node that
    an answer named, None where it refused; `seen` is the node that was there after the server had died on it.
    """

    root: str
    name: str
    given: dict[str, Any]
    posts: dict[str, int] = field(default_factory=dict[str, int])
    makes: str | None = None
    answered: bool = False
    operation: str | None = None
    looked: bool = False
    seen: str | None = None

    @property
    def id(self) -> str:
        """Its operation id."""
        return self.given["operationId"]

    async def ask(self, caller: Caller) -> None:
        """Asks for it, for the first time or again, and keeps the answer, where there is one."""
        answer = await caller.ask(self.name, "operation { id }", **self.given)
        if answer is not None:
            self.answered = True
            self.operation = None if "code" in answer else answer["operation"]["id"]

    def require(self, there: str | None) -> None:
        """Asserts that what is there at the end, the operation's node or nothing, is what was told and seen of it."""
        if self.answered:
            assert there == self.operation, self
        if self.looked and (self.seen or not self.answered):
            assert there == self.seen, self


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant that the clients write to, and the operations that made it."""

    root: str
    accounts: list[str]
    first: set[str]


@dataclass
class Writers:
    """Some clients, each of which asks one thing after another of the same server."""

    caller: Caller
    tenants: Sequence[Tenant]
    dice: random.Random
    happened: Callable[[], None]
    """Is told of each write that begins or is answered."""
    writes: list[Write] = field(default_factory=list[Write])
    _open: asyncio.Event = field(default_factory=asyncio.Event)
    _idle: asyncio.Condition = field(default_factory=asyncio.Condition)
    _busy: int = 0

    def begin(self) -> None:
        """Lets the clients write."""
        self._open.set()

    def end(self) -> None:
        """Lets no client begin a write."""
        self._open.clear()

    async def idle(self) -> list[Write]:
        """Waits for the writes under way; all writes that have no answer and that nobody looked for."""
        async with self._idle:
            await self._idle.wait_for(lambda: not self._busy)
        return [write for write in self.writes if not (write.answered or write.looked)]

    async def client(self) -> None:
        """One client, until it is cancelled in a pause."""
        while True:
            await self._open.wait()
            write = self._write()
            self.writes.append(write)
            self._busy += 1
            self.happened()
            await write.ask(self.caller)
            self._busy -= 1
            self.happened()
            async with self._idle:
                self._idle.notify_all()

    def _write(self) -> Write:
        dice = self.dice
        tenant = dice.choice(self.tenants)
        one, other = dice.sample(tenant.accounts, 2)
        cents = dice.randrange(1, LARGEST)
        given = {"operationId": op()}
        money = given | {"amount": f"{cents / 100:.2f}"}
        match dice.choice(["deposit", "withdraw", "transfer", "transfer", "createGroup", "createAccount"]):
            case "deposit" as name:
                return Write(tenant.root, name, money | {"accountId": one}, {one: cents})
            case "withdraw" as name:
                return Write(tenant.root, name, money | {"accountId": one}, {one: -cents})
            case "transfer" as name:
                return Write(tenant.root, name, money | {"fromId": one, "toId": other}, {one: -cents, other: cents})
            case name:
                made = f"{MADE} {given['operationId']}"
                return Write(tenant.root, name, given | {"name": made, "parentId": tenant.root}, makes=made)


async def open_tenant(caller: Caller, size: int) -> Tenant:
    """A new tenant with so many accounts, each with FIRST cents."""
    opened = await caller.done("createGroup", "group { id } operation { id }", name="Tenant")
    tenant = Tenant(opened["group"]["id"], [], {opened["operation"]["id"]})
    for number in range(size):
        given = {"name": f"Account {number}", "parentId": tenant.root}
        made = await caller.done("createAccount", "account { id } operation { id }", **given)
        account = made["account"]["id"]
        funded = await caller.done("deposit", accountId=account, amount=f"{FIRST // 100}")
        tenant.accounts.append(account)
        tenant.first.update(answer["operation"]["id"] for answer in (made, funded))
    return tenant


async def require_written(database: Database, tenants: Sequence[Tenant], writes: Sequence[Write]) -> int:
    """Asserts that each write is there once or not at all, as it was told and seen; how many are there."""
    found = {asked_for: row["id"] for asked_for, row in (await asked(database, [each.id for each in writes])).items()}
    for write in writes:
        write.require(found.get(write.id))
    for tenant in tenants:
        ours = {found[write.id]: write for write in writes if write.root == tenant.root and write.id in found}
        await _require_tenant(database, tenant, ours)
    return len(found)


async def _require_tenant(database: Database, tenant: Tenant, done: Mapping[str, Write]) -> None:
    """Asserts that the tenant has what these writes leave, by the ids of their operations, once each, and no more."""
    for account in tenant.accounts:
        rows = await database.run(ENTRIES, id=account)
        posted = sorted((row["operation"], row["amount"]) for row in rows if row["operation"] not in tenant.first)
        expected = {operation: write.posts[account] for operation, write in done.items() if account in write.posts}
        assert posted == sorted(expected.items())
        node = (await accounts.find(database, [account]))[account]
        assert (node["cash"], node["held"]) == (FIRST + sum(expected.values()), 0)
    names = [row["name"] for row in await database.run(CHILDREN, id=tenant.root)]
    made = sorted(write.makes for write in done.values() if write.makes)
    assert sorted(name for name in names if name.startswith(MADE)) == made
    records = {row["operation"]: row["records"] for row in await database.run(CHANGES, feed=tenant.root)}
    assert records == dict.fromkeys({*done, *tenant.first}, 1)
