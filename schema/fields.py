"""What many fields share: descriptions from docstrings, page arguments, and the request that a resolver serves."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any, TypeAlias

import strawberry

from resolvers.context import Context

Info: TypeAlias = strawberry.Info[Context, None]


def described(resolver: Callable[..., Any]) -> Any:
    """A field whose description is its resolver's docstring, on one line."""
    text = inspect.getdoc(resolver)
    assert text, f"{resolver.__qualname__} says what it is"
    return strawberry.field(resolver, description=" ".join(text.split()))


First = Annotated[
    int | None, strawberry.argument(description="How many nodes the page has at most, from the start: 0 to 100.")
]
After = Annotated[str | None, strawberry.argument(description="The cursor that the page follows.")]
Last = Annotated[
    int | None, strawberry.argument(description="How many nodes the page has at most, from the end: 0 to 100.")
]
Before = Annotated[str | None, strawberry.argument(description="The cursor that the page comes before.")]
