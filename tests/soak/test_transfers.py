"""Random transfers from many clients over two servers that are killed, and cut off from the engine, meanwhile.

Every one that was acknowledged is there once, every other one once or not at all, and no cash is lost, made or
overdrawn. Two servers share one real Neo4j; on ArcadeDB one server does it all, and is started again.
"""

import asyncio
import random
from collections import Counter
from decimal import Decimal
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.auditing import Audit
from tests.support.branches import Branches, branches
from tests.support.callers import ANSWER_SECONDS, Caller, quiet
from tests.support.engines import chosen_engine
from tests.support.graphs import connected
from tests.support.growth import Total
from tests.support.house import ADMIN, ADMIN_PASSWORD, Address
from tests.support.payers import Pace, Payers
from tests.support.proxy import Cut
from tests.support.size import pick, seed
from tests.support.tallying import rollups
from tests.support.transfers import Transfers
from tests.support.windows import LIMITS, Window
from tests.support.writers import FIRST, Tenant, open_tenant

pytestmark = pytest.mark.anyio
CLIENTS = pick(16, 64)
KILLS = pick(2, 20)
# What is transferred between one kill and the next, on average.
STRETCH = pick(100, 4_762)
TRANSFERS = STRETCH * (KILLS + 1)
CUTS = pick(0.04, 0.004)
TENANTS, ACCOUNTS = pick((2, 6), (4, 10))
SERVERS = 1 if chosen_engine() == "arcadedb" else 2
REPEATED = pick(50, 1_000)
# Where the commit is that a server is killed in; None is wherever it happens to be.
MOMENTS = (Cut.AFTER, Cut.BEFORE, None)


async def test_transfers_are_done_once_whichever_server_dies(tmp_path: Path, apart: Address) -> None:
    chosen = seed()
    dice = random.Random(chosen)
    async with (
        branches(apart, tmp_path, SERVERS) as site,
        connected(apart) as database,
        httpx.AsyncClient(timeout=ANSWER_SECONDS, limits=LIMITS, trust_env=False) as client,
    ):
        window = Window(client, [branch.server.url for branch in site.all], ADMIN, ADMIN_PASSWORD)
        await window.sign_in(0)
        founder = Caller(client, window.urls[0], window.token or "")
        tenants = await asyncio.gather(*(open_tenant(founder, ACCOUNTS) for _ in range(TENANTS)))
        pace = Pace(TRANSFERS, TRANSFERS)
        payers = Payers(site, window, Transfers(tenants, chosen, TRANSFERS), pace, dice, CUTS)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(killing(payers))
            for _ in range(CLIENTS):
                tasks.create_task(payers.client())
        site.let_pass()
        await quiet(client, window.urls)
        open_at_end = len(payers.outcomes.open)
        there = await payers.settle(database, CLIENTS)
        await payers.repeat(REPEATED, CLIENTS)
        await Audit(database, payers.transfers, payers.outcomes).require()
        await require_as_told(site, window, tenants)
    report(payers, {"open at the end": open_at_end, "of these there": there})


async def killing(payers: Payers) -> None:
    """Kills one server after another, each once so many transfers were given out, and starts it again.

    Meanwhile the clients come no further than the stretch in which the next one is killed.
    """
    pace, dice, hot = payers.pace, payers.dice, payers.transfers.tenants[0].root
    doomed = [number % SERVERS for number in range(KILLS)]
    dice.shuffle(doomed)
    for number, (killed, where) in enumerate(zip(doomed, cycle(MOMENTS), strict=False), 1):
        await pace.allow(STRETCH * (number + 1))
        await pace.reached(STRETCH * number + dice.randrange(STRETCH // 4, STRETCH * 3 // 4))
        await payers.branches.kill(killed, where, hot)
        # A session lives an hour, and a whole run may take longer.
        await payers.window.sign_in(killed)
        await payers.branches.back(killed)
    await pace.allow(TRANSFERS)


async def require_as_told(site: Branches, window: Window, tenants: list[Tenant]) -> None:
    """Asserts that every server tells the totals that the tenants began with, and that the check finds nothing."""
    total = Total(ACCOUNTS, (("USD", Decimal(FIRST * ACCOUNTS) / 100),))
    roots = [tenant.root for tenant in tenants]
    for number in range(SERVERS):
        assert await rollups(window.api(number), roots) == dict.fromkeys(roots, total)
    status, told = await site.all[0].server.command("check")
    assert status == 0, told
    assert "Everything adds up" in told, told


def report(payers: Payers, more: dict[str, int]) -> None:
    """Says what a run was made of, and asserts that all of it happened."""
    outcomes = payers.outcomes
    assert min(len(outcomes.done), len(outcomes.refused), payers.lost, payers.twins) > 0
    assert len(outcomes.done) + len(outcomes.refused) == TRANSFERS
    cuts = Counter(cut.name for cut in payers.branches.cuts)
    assert set(cuts) == {cut.name for cut in Cut}
    said: dict[str, Any] = {
        "transfers": TRANSFERS,
        "done": len(outcomes.done),
        "refused": len(outcomes.refused),
        "kills": KILLS,
        "cuts": dict(cuts),
        "requests without an answer": payers.lost,
        "asked for at once": payers.twins,
        **more,
    }
    print(said)  # noqa: T201
