"""Work that may be dropped before it begins, as graphql-core drops the fields beside one that fails.

A coroutine of which that happens is told of as a fault of the program, on standard error, once it is collected.
"""

from collections.abc import Coroutine, Generator
from types import CoroutineType
from typing import Any


class Droppable:
    """A coroutine that is awaited once, or closed where it is dropped before that."""

    __slots__ = ("_begun", "_work")

    def __init__(self, work: Coroutine[Any, Any, Any]) -> None:
        self._work = work
        self._begun = False

    def __await__(self) -> Generator[Any, Any, Any]:
        self._begun = True
        return self._work.__await__()

    def __del__(self) -> None:
        if not self._begun:
            self._work.close()


def droppable(value: Any) -> Any:
    """The value, droppable where it is a coroutine."""
    return Droppable(value) if type(value) is CoroutineType else value
