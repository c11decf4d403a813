"""Kills the server, and its engine, while several clients write: what was acknowledged is there, and all just once."""

import asyncio
import os
import random
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import cycle, islice
from pathlib import Path

import pytest

from tests.support.callers import Caller, asked, beside, calling
from tests.support.conditions import until
from tests.support.engines import chosen_engine
from tests.support.house import Address
from tests.support.running import Server, serving, settings_of
from tests.support.size import pick, seed
from tests.support.writers import Write, Writers, open_tenant, require_written

pytestmark = pytest.mark.anyio
KILLS = pick(3, 50)
CLIENTS = 8
LONGEST_LIFE = pick(40, 150)
READY_SECONDS = 60
TENANTS, ACCOUNTS = 2, 4
REPEATED = 0.7
STEPS = ("AccountGraph", "Data:", "Engine:", "Migrations:", "Market")
FIRST_STARTS = pick((), STEPS)


class Death(Enum):
    """What is killed."""

    SERVER = "the server"
    BOTH = "the server's engine and the server"
    ENGINE = "the server's engine alone"
    STARTING = "the server, and the next one while it starts"


# A Neo4j runs apart: there only the server is killed.
DEATHS = {
    "arcadedb": (Death.SERVER, Death.BOTH, Death.ENGINE, Death.SERVER, Death.BOTH, Death.STARTING),
    "neo4j": (Death.SERVER, Death.STARTING, Death.SERVER),
}


@dataclass
class Killer:
    """Kills the server after a random number of things that happen to its clients, and looks what they lost."""

    server: Server
    engine: Address | None
    caller: Caller
    dice: random.Random
    doomed: asyncio.Event = field(default_factory=asyncio.Event)
    lost: int = 0
    left: int = 1

    def happened(self) -> None:
        """One thing more has happened in the server's life."""
        self.left -= 1
        if self.left == 0:
            self.doomed.set()

    async def kill(self, death: Death, writers: Writers) -> None:
        """Lets the clients write, kills in the midst of it, brings the server back, and repeats what was lost."""
        self.left = self.dice.randrange(CLIENTS, LONGEST_LIFE)
        self.doomed.clear()
        writers.begin()
        await self.doomed.wait()
        writers.end()
        if death in (Death.ENGINE, Death.BOTH):
            os.kill(self.server.engine(), signal.SIGKILL)
        if death is not Death.ENGINE:
            await self.server.kill()
        lost = await writers.idle()
        if death is Death.STARTING:
            await kill_starting(self.server, self.dice.choice(STEPS))
        if death is not Death.ENGINE:
            await self.server.start()
        await until(self.caller.ready, READY_SECONDS)
        await self._repeat(lost)

    async def _repeat(self, lost: Sequence[Write]) -> None:
        """Looks what the graph has of each write without an answer, and asks for most of them again."""
        async with beside(self.server, self.engine) as database:
            there = await asked(database, [write.id for write in lost])
        for write in lost:
            write.looked = True
            write.seen = there[write.id]["id"] if write.id in there else None
        again = [write for write in lost if self.dice.random() < REPEATED]
        await asyncio.gather(*(write.ask(self.caller) for write in again))
        assert [write for write in again if not write.answered] == []
        self.lost += len(lost)


async def test_killed_while_clients_write(tmp_path: Path, own: Address | None) -> None:
    dice = random.Random(seed())
    for step in FIRST_STARTS:
        await kill_starting(Server(tmp_path, settings_of(own)), step)
    async with serving(tmp_path, settings_of(own)) as server, calling(server.url) as caller:
        tenants = [await open_tenant(caller, ACCOUNTS) for _ in range(TENANTS)]
        killer = Killer(server, own, caller, dice)
        writers = Writers(caller, tenants, dice, killer.happened)
        async with asyncio.TaskGroup() as tasks:
            clients = [tasks.create_task(writers.client()) for _ in range(CLIENTS)]
            for death in islice(cycle(DEATHS[chosen_engine()]), KILLS):
                await killer.kill(death, writers)
            for client in clients:
                client.cancel()
        async with beside(server, own) as database:
            there = await require_written(database, tenants, writers.writes)
        status, told = await server.command("check")
        assert status == 0, told
    assert killer.lost
    print(f"{KILLS} kills, {len(writers.writes)} writes, {there} there, {killer.lost} lost an answer: {told}")  # noqa: T201


async def kill_starting(server: Server, step: str) -> None:
    """Starts the server and kills it as soon as it has told that step."""
    await server.spawn()
    await server.told(step)
    await server.kill()
