"""What many fields share: descriptions from docstrings, page arguments, and the request that a resolver serves."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any, TypeAlias, TypeVar

import strawberry

from resolvers.context import Context
from resolvers.paging import MAX_PAGE, PageArgs

T = TypeVar("T")
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


def given(value: T | None) -> T | None:
    """The value of an argument or an input field; None where it is absent."""
    return None if value is strawberry.UNSET else value


def page_args(
    first: int | None,
    after: str | None,
    last: int | None = None,
    before: str | None = None,
    *,
    size: int = MAX_PAGE,
) -> PageArgs:
    """The page that these arguments ask for; of `size` nodes where they say no number."""
    return PageArgs(first=given(first), after=given(after), last=given(last), before=given(before), size=size)
