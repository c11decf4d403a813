"""Waiting for what another process makes true."""

import asyncio
from collections.abc import Awaitable, Callable

PACE_SECONDS = 0.1


async def until(met: Callable[[], Awaitable[bool]], seconds: float) -> None:
    """Asks again and again whether the condition is met. Raises TimeoutError where it is not within the time."""
    async with asyncio.timeout(seconds):
        while not await met():  # noqa: ASYNC110 - no event crosses from the other process
            await asyncio.sleep(PACE_SECONDS)
