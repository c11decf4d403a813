"""Orders at a market while the server is killed between any two steps: the books end as the market's, once each."""

import asyncio
import random
from collections.abc import Mapping
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from graph.database import Database
from tests.support.callers import asked, beside, calling
from tests.support.comparing import agree
from tests.support.crowd import Crowd
from tests.support.floor import CENTS, Floor, an_account, open_floor, settle
from tests.support.house import Address
from tests.support.running import Server, serving, settings_for
from tests.support.size import full, pick, seed
from tests.support.steps import APPROVING, PLACING, RECOVERING
from tests.support.ws4_server import MarketServer

pytestmark = pytest.mark.anyio
ROUNDS = pick(1, 5)
CLIENTS, ORDERS = 4, pick(12, 80)
MOST_KILLS = pick(1, 1000)


async def test_killed_between_any_two_steps_of_placing_and_of_recovering(tmp_path: Path, apart: Address) -> None:
    async with open_floor(tmp_path, apart) as floor:
        for number in range(ROUNDS):
            await through(floor, number)
        flows = {order.account: CENTS for order in floor.orders}
        traded = await agree(floor.database, flows, (await floor.market.record()).trades)
        checked = await prove(floor.server)

    sold = sum(order.terms["side"] == "SELL" for order in floor.orders)
    assert traded == sold + sum(order.fills for order in floor.orders)
    assert floor.cut
    counts = f"{len(floor.orders)} orders, {floor.cut} cut at their steps, {traded} trades, {floor.lives} kills"
    print(f"{counts}: {checked}")  # noqa: T201


async def through(floor: Floor, number: int) -> None:
    """Brings orders for every step to their ends over two kills; each is then told by its operation id."""
    side = "SELL" if number % 2 else "BUY"
    later = cycle(RECOVERING[number % len(RECOVERING) :] + RECOVERING[: number % len(RECOVERING)])
    preparing = [floor.prepare(step, next(later), side) for step in PLACING]
    preparing += [floor.prepare_waiting(step, next(later)) for step in APPROVING]
    orders = await asyncio.gather(*preparing)
    await floor.kill_while_placing(orders)
    await floor.kill_while_recovering(orders)
    await floor.recover(orders)
    await asyncio.gather(*(floor.require_answer(order) for order in orders))


async def test_killed_at_random_instants_while_the_market_fails(
    tmp_path: Path, apart: Address, own: Address | None
) -> None:
    # An engine of the server's own takes longer to start each time.
    engine = own if full() else apart
    settings = settings_for(engine) if engine else {}
    dice = random.Random(seed())
    async with (
        MarketServer() as market,
        serving(tmp_path, settings | {"MARKET_URL": market.url}) as server,
        calling(server.url) as caller,
    ):
        accounts = [account for _, account in [await an_account(caller) for _ in range(CLIENTS)]]
        crowd = Crowd(server, market, caller, accounts, dice, MOST_KILLS, slow=full())
        await crowd.trade(CLIENTS, ORDERS)
        async with beside(server, engine) as database:
            await settle(database, accounts)
            traded = await agree(database, dict.fromkeys(accounts, CENTS), (await market.record()).trades)
            await require_told(database, crowd.told)
        checked = await prove(server)
    assert crowd.kills
    print(f"{len(crowd.told)} orders, {traded} trades, {crowd.kills} kills: {checked}")  # noqa: T201


async def require_told(database: Database, told: Mapping[str, dict[str, Any] | None]) -> None:
    """Asserts that what was answered is so: what was accepted is there, and what was refused is not."""
    known = await asked(database, list(told))
    for operation_id, answer in told.items():
        if answer and "code" in answer:
            assert operation_id not in known, answer
        elif answer:
            assert known[operation_id]["id"] == answer["operation"]["id"]


async def prove(server: Server) -> str:
    """What `accountgraph check` says, which is that everything adds up, with the market too."""
    status, told = await server.command("check")
    assert status == 0, told
    return told
