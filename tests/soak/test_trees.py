"""Random trees that are moved about by many at once: what stays whole, what adds up, and what pages meet."""

import asyncio
import random
from collections import Counter, deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from graph.database import Database
from tests.support.api import Api
from tests.support.callers import SIGN_IN
from tests.support.forest import Tree
from tests.support.gardening import Gardener, Wanted, move, some_moves
from tests.support.graphs import connected
from tests.support.growth import growths
from tests.support.house import ADMIN, ADMIN_PASSWORD, Address
from tests.support.patient import Patient
from tests.support.planting import Planter, several, shape
from tests.support.running import serving, settings_for
from tests.support.size import pick, seed
from tests.support.tallying import require_kept, require_rollups
from tests.support.walking import Walk, require_right, some_walk

pytestmark = pytest.mark.anyio
TREES = pick(8, 200)
MOVES = pick(100, 2_000)
LARGEST = pick(16, 120)
"""How many groups a deep tree has at most, and accounts a wide one."""
WARM = 4
"""How many trees are moved about at the same time."""
AT_ONCE = 8


@dataclass
class Garden:
    """A server's API, the graph behind it, the trees, and what was done."""

    api: Api
    database: Database
    chance: random.Random
    trees: dict[str, Tree] = field(default_factory=dict[str, Tree])
    done: Counter[str] = field(default_factory=Counter[str])

    def chances(self) -> random.Random:
        """A source of chance of its own, for one who works beside others."""
        return random.Random(self.chance.random())

    async def plant(self) -> None:
        """Makes the trees, several at once."""
        shapes = [shape(self.chance, number, LARGEST) for number in range(TREES)]
        work = [Planter(self.api, self.chances()).plant(each) for each in shapes]
        self.trees = {tree.root: tree for tree in await several(work, AT_ONCE)}

    async def disturb(self, warm: list[Tree], number: int) -> list[Walk]:
        """So many moves in these trees, while others change them too, add them up and walk through them; the walks."""
        shares = [number * (place + 1) // len(warm) - number * place // len(warm) for place in range(len(warm))]
        shared = zip(warm, shares, strict=True)
        together = [each for tree, share in shared for each in some_moves(self.chance, tree, share)]
        self.chance.shuffle(together)
        waiting = deque(wanted for each in together for wanted in each)
        walks: list[Walk] = []
        async with asyncio.TaskGroup() as group:
            movers = [group.create_task(self._mover(waiting)) for _ in range(AT_ONCE)]
            gardener, chance = Gardener(self.api, self.chances(), warm), self.chances()

            async def garden() -> None:
                self.done[await gardener.work()] += 1

            async def walk() -> None:
                walks.append(some_walk(chance, warm))
                await walks[-1].go(self.api, chance)

            async def add_up() -> None:
                await require_kept(self.api, chance.choice(warm))
                self.done["roll-ups meanwhile"] += 1

            for each in (garden, garden, walk, walk, add_up):
                group.create_task(_meanwhile(each, movers))
        return walks

    async def _mover(self, waiting: deque[Wanted]) -> None:
        while waiting:
            asked = await move(self.api, waiting.popleft())
            self.done["moved" if asked.done else "refused"] += 1

    async def prove(self, warm: list[Tree], walks: list[Walk]) -> None:
        """Asserts that the trees are trees and add up, and that the walks met what they had to."""
        grown = {growth.tree.root: growth for growth in await growths(self.database, warm)}
        for growth in grown.values():
            self.done["roll-ups"] += await require_rollups(self.api, growth)
            self.done["states"] += len(growth.states)
        for _ in range(2 * len(warm)):
            quiet = some_walk(self.chance, warm)
            await quiet.go(self.api, self.chance)
            require_right(quiet, grown, self.trees)
        for walk in walks:
            self.done["met"] += require_right(walk, grown, self.trees)
        self.done["walks"] += len(walks)


async def _meanwhile(work: Callable[[], Awaitable[None]], others: list[asyncio.Task[None]]) -> None:
    while not all(other.done() for other in others):
        await work()


@pytest.fixture
async def garden(tmp_path: Path, apart: Address) -> AsyncGenerator[Garden]:
    """A server on an engine of its own, where nothing is planted yet."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serving(tmp_path, settings_for(apart)))
        database = await stack.enter_async_context(connected(apart))
        client = await stack.enter_async_context(httpx.AsyncClient(timeout=120, trust_env=False))
        url, given = f"{server.url}/graphql", {"username": ADMIN, "password": ADMIN_PASSWORD}
        signed_in = await Patient(client, url).ask(SIGN_IN, input=given)
        yield Garden(Patient(client, url, signed_in["signIn"]["accessToken"]), database, random.Random(seed()))


async def test_trees_stay_trees_add_up_and_are_paged_whole_while_they_are_moved_about(garden: Garden) -> None:
    await garden.plant()
    trees = list(garden.trees.values())
    garden.chance.shuffle(trees)
    for start in range(0, TREES, WARM):
        warm = trees[start : start + WARM]
        walks = await garden.disturb(warm, MOVES * (start + len(warm)) // TREES - MOVES * start // TREES)
        await garden.prove(warm, walks)
    await garden.prove(trees, [])
    assert garden.done["moved"] + garden.done["refused"] == MOVES
    assert min(garden.done[each] for each in ("moved", "refused", "walks", "create", "rename", "deposit")) > 0
    groups = sum(not node.account for tree in trees for node in tree.nodes.values())
    nodes = sum(len(tree.nodes) for tree in trees)
    print(f"{TREES} trees, {groups} groups, {nodes - groups} accounts: {dict(garden.done)}")  # noqa: T201
