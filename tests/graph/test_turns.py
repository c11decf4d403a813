"""Turns: one at a time for a key, in order, and nothing kept when nobody waits."""

import asyncio

import pytest

from graph.turns import Turns

pytestmark = pytest.mark.anyio


async def test_one_key_is_taken_in_turn_and_another_does_not_wait() -> None:
    turns, seen, open_ = Turns(), [""], asyncio.Event()

    async def take(name: str) -> None:
        async with turns.of("a"):
            await open_.wait()
            seen.append(name)

    waiting = [asyncio.create_task(take(name)) for name in ("first", "second", "third")]
    async with turns.of("b"):
        seen.append("other")
    open_.set()
    await asyncio.gather(*waiting)
    assert seen == ["", "other", "first", "second", "third"]
    assert turns._locks == {}


async def test_a_failure_and_a_cancelled_wait_give_the_turn_on() -> None:
    turns = Turns()
    async with turns.of("a"):
        waiter = asyncio.create_task(turns.of("a").__aenter__())
        await asyncio.sleep(0)
        waiter.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiter
    with pytest.raises(ValueError, match="broken"):
        async with turns.of("a"):
            raise ValueError("broken")
    async with turns.of("a"):
        pass
    assert turns._locks == {}
