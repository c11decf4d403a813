"""Tries again what did not settle: a commit whose answer was lost, or that another process overtook."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from graph.errors import CommitUnknown, Duplicate
from services.commands import Outdated
from services.problems import ProblemCode, refuse

T = TypeVar("T")
_log = structlog.get_logger()
PATIENCE_SECONDS = 10.0
_FIRST_PAUSE_SECONDS = 0.02
_LONGEST_PAUSE_SECONDS = 0.5


async def settled(work: Callable[[], Awaitable[T]], action: str) -> T:
    """What the work returns once it settles; it finds out by itself what an earlier try of it has done.

    The time runs from the first failure, so that work which waited long for its turn is tried again too. Raises Refused
    with UNAVAILABLE where it does not settle in time, and what the work raises.
    """
    deadline: float | None = None
    attempt = 0
    while True:
        try:
            return await work()
        except (Duplicate, CommitUnknown, Outdated) as error:
            _log.warning("commit_unsettled", action=action, error=type(error).__name__)
            now = time.monotonic()
            deadline = deadline or now + PATIENCE_SECONDS
            if now > deadline:
                message = "the database did not confirm this; the same operationId tells what became of it"
                raise refuse(ProblemCode.UNAVAILABLE, message) from error
        longest = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2**attempt)
        await asyncio.sleep(longest * random.uniform(0.5, 1.0))  # noqa: S311
        attempt += 1
