"""Several items done at once, with an outcome for each: what nobody expects is narrowed down to the item it is of."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import structlog

from graph.errors import Duplicate, GraphError

T = TypeVar("T")
R = TypeVar("R")
Together = Callable[[Sequence[T]], Awaitable[Sequence[R | Exception]]]
_log = structlog.get_logger()


async def together(work: Together[T, R], items: Sequence[T]) -> list[R | Exception]:
    """What the work answers for each item, in order, or the error that is the item's own.

    Where the work fails as a whole, the halves are done one after the other, down to the item that makes it fail. An
    engine that does not answer or confirm is no item's fault, and everybody is told of it.
    """
    try:
        return list(await work(items))
    except Exception as error:
        if len(items) == 1:
            return [error]
        if isinstance(error, GraphError) and not isinstance(error, Duplicate):
            return [type(error)(*error.args) for _ in items]
        _log.warning("group_split", items=len(items), error=type(error).__name__)
    half = len(items) // 2
    return [*await together(work, items[:half]), *await together(work, items[half:])]
