"""Tries again what did not settle: a commit whose answer was lost, or that another process overtook."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from graph.backoff import pause
from graph.errors import CommitUnknown, Duplicate
from services.commands import Outdated
from services.problems import ProblemCode, refuse

T = TypeVar("T")
_log = structlog.get_logger()
PATIENCE_SECONDS = 20.0


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
        await asyncio.sleep(pause(attempt, first=0.02, longest=0.5))
        attempt += 1
