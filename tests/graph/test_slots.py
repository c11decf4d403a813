"""Who waits for a slot gets it by turns between callers, within bounds, and none is ever lost."""

import asyncio
import random
from collections.abc import Iterable

import pytest

from graph.slots import Full, Slots

pytestmark = pytest.mark.anyio


class Queue:
    """Callers of slots: each holds its slot until it is told to leave."""

    def __init__(self, slots: Slots) -> None:
        self.slots = slots
        self.order: list[str] = []
        self._leave: list[asyncio.Event] = []

    async def hold(self, caller: str) -> None:
        """Takes a slot, notes whose it is, and keeps it."""
        async with self.slots.taken(caller):
            self.order.append(caller)
            leave = asyncio.Event()
            self._leave.append(leave)
            await leave.wait()

    async def arrive(self, callers: Iterable[str]) -> list[asyncio.Task[None]]:
        """Lets each caller take a slot or begin to wait, in this order."""
        tasks = [asyncio.create_task(self.hold(caller)) for caller in callers]
        await asyncio.sleep(0)
        return tasks

    async def free(self, count: int = 1) -> None:
        """Gives back the slots that are held longest, one after the other."""
        for _ in range(count):
            self._leave.pop(0).set()
            for _ in range(4):
                await asyncio.sleep(0)


async def test_a_caller_with_many_who_wait_leaves_every_other_turn_to_another() -> None:
    queue = Queue(Slots(4, 100, 10))
    tasks = await queue.arrive(["busy"] * 64)
    assert queue.order == ["busy"] * 4
    tasks += await queue.arrive(["calm", "calm", "third"])
    await queue.free(6)
    assert queue.order[4:] == ["busy", "calm", "third", "busy", "calm", "busy"]
    await queue.free(61)
    await asyncio.gather(*tasks)
    assert queue.slots.running == queue.slots.waiting == 0


async def test_another_caller_finds_a_slot_at_once_beside_one_that_asks_for_all() -> None:
    queue = Queue(Slots(10, 100, 10))
    tasks = await queue.arrive(["busy"] * 64)
    assert queue.slots.running == 8
    tasks += await queue.arrive(["calm"])
    assert queue.order == ["busy"] * 8 + ["calm"]
    await queue.free(65)
    await asyncio.gather(*tasks)


async def test_where_no_place_is_left_the_caller_with_the_most_loses_its_last_one() -> None:
    queue = Queue(Slots(1, 3, 10))
    tasks = await queue.arrive(["busy"] * 4)
    with pytest.raises(Full):
        await queue.hold("busy")
    calm = await queue.arrive(["calm"])
    with pytest.raises(Full):
        await tasks[3]
    assert queue.slots.waiting == 3
    with pytest.raises(Full):
        async with Slots(1, 0, 10).taken("a"), Slots(0, 0, 10).taken("a"):
            pass
    await queue.free(4)
    await asyncio.gather(*tasks[:3], *calm)
    assert queue.order == ["busy", "busy", "calm", "busy"]


async def test_who_waits_too_long_is_refused_and_leaves_no_trace() -> None:
    slots = Slots(1, 5, 0.01)
    async with slots.taken("a"):
        with pytest.raises(Full):
            async with slots.taken("b"):
                pass
        assert (slots.running, slots.waiting) == (1, 0)
    async with slots.taken("b"):
        assert slots.running == 1


async def test_no_slot_is_lost_where_callers_go_away_at_any_moment() -> None:
    chance, slots, most = random.Random(1), Slots(5, 20, 10), 0

    async def work() -> None:
        nonlocal most
        async with slots.taken(chance.choice("abcd")):
            most = max(most, slots.running)
            for _ in range(chance.randrange(4)):
                await asyncio.sleep(0)

    tasks: list[asyncio.Task[None]] = []
    for _ in range(2_000):
        tasks.append(asyncio.create_task(work()))
        if chance.random() < 0.3:
            chance.choice(tasks[-20:]).cancel()
        if chance.random() < 0.3:
            await asyncio.sleep(0)
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(each) for each in outcomes} == {type(None), Full, asyncio.CancelledError}
    assert (slots.running, slots.waiting, most) == (0, 0, 5)
