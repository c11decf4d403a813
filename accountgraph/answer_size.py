"""How large an answer is, counted value by value while it is made, so that one too large is never built."""

import json
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import GraphQLLeafType
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from typing_extensions import override

from accountgraph.dropped import droppable

_OF_ANY_OTHER = 8
"""Bytes of a number, true, false or null."""


@dataclass(frozen=True, slots=True)
class _Json:
    """A JSON value, as its text."""

    text: bytes


class AnswerSize:
    """The bytes of an answer's values so far; `exceeded` once they are more than `most`."""

    def __init__(self, most: int, give_up: Callable[[], None]) -> None:
        self._most = most
        self._give_up = give_up
        self._bytes = 0
        self.exceeded = False

    def add(self, size: int) -> None:
        """Counts a value of so many bytes. `give_up` is called as the sum passes the most."""
        self._bytes += size
        if self._bytes > self._most and not self.exceeded:
            self.exceeded = True
            self._give_up()


ANSWER_SIZE: ContextVar[AnswerSize] = ContextVar("answer_size")
"""The size of the answer that this task works on."""


class CountingExecutor(StrawberryGraphQLCoreExecutionContext):
    """An executor that counts each value of the answer, and completes none once the answer is too large.

    What it drops since a field beside it failed is closed.
    """

    @override
    @staticmethod
    def complete_leaf_value(return_type: GraphQLLeafType, result: Any) -> Any:
        size = ANSWER_SIZE.get()
        if size.exceeded:
            return None
        value = StrawberryGraphQLCoreExecutionContext.complete_leaf_value(return_type, result)
        kept, length = _kept(value)
        size.add(length)
        return kept

    # The library calls both by position.
    @override
    def execute_fields(self, *given: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        return droppable(super().execute_fields(*given))

    @override
    def complete_awaitable_value(self, *given: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        kind, field, info, path, result, context = given
        return droppable(super().complete_awaitable_value(kind, field, info, path, droppable(result), context))


def _kept(value: Any) -> tuple[Any, int]:
    """The value as the answer keeps it until it is sent, and its bytes. JSON is kept as text: objects take far more."""
    if isinstance(value, str):
        return value, len(value)
    if not isinstance(value, dict | list):
        return value, _OF_ANY_OTHER
    try:
        text = orjson.dumps(value)
    except TypeError:  # An integer beyond 64 bits, or text that is no UTF-8.
        text = json.dumps(value).encode()
    return _Json(text), len(text)


def surely_within(data: dict[str, Any], most: int) -> bytes | None:
    """The data as JSON, where its values are within so many bytes; None where they have to be counted one by one."""
    try:
        text = orjson.dumps(data)
    except TypeError:  # As above.
        return None
    # A value has a key, quotes or a comma beside it: the shortest, as "a":1 with its comma, has 6 bytes of the 8.
    return text if len(text) * 2 <= most else None


def encoded(answer: dict[str, Any]) -> bytes:
    """The answer's bytes."""
    try:
        return orjson.dumps(answer, default=_fragment, option=orjson.OPT_PASSTHROUGH_DATACLASS)
    except TypeError:  # As above, in a value that stands alone.
        return json.dumps(answer, default=_read).encode()


def _fragment(value: _Json) -> orjson.Fragment:
    return orjson.Fragment(value.text)


def _read(value: _Json) -> Any:
    return json.loads(value.text)
