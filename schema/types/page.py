"""Connections: pages of lists, with what lies around them."""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import strawberry

from resolvers.paging import Slice

T = TypeVar("T")
Ask = Callable[[], Awaitable[bool]]


@strawberry.type(description="What lies around a page.")
class PageInfo:
    """What lies around a page."""

    next: strawberry.Private[Ask]
    previous: strawberry.Private[Ask]

    @strawberry.field(description="Whether the list goes on after this page.")
    async def has_next_page(self) -> bool:
        """Whether the list goes on after this page."""
        return await self.next()

    @strawberry.field(description="Whether the list has something before this page.")
    async def has_previous_page(self) -> bool:
        """Whether the list has something before this page."""
        return await self.previous()

    start_cursor: str | None = strawberry.field(
        description="The cursor of the page's first node; null on an empty page."
    )
    end_cursor: str | None = strawberry.field(description="The cursor of the page's last node; null on an empty page.")


@strawberry.type(description="A node of a list, with its place there.")
class Edge(Generic[T]):
    """A node of a list, with its place there."""

    cursor: str = strawberry.field(
        description="The node's place, for `after` and `before`. Opaque; of this list alone."
    )
    node: T = strawberry.field(description="The node itself.")


@strawberry.type(description="A page of a list. It stays right while nodes come and go.")
class Connection(Generic[T]):
    """A page of a list."""

    edges: list[Edge[T]] = strawberry.field(description="The page's nodes with their cursors.")
    nodes: list[T] = strawberry.field(description="The page's nodes by themselves.")
    page_info: PageInfo = strawberry.field(description="What lies around the page.")
    total: strawberry.Private[Callable[[], Awaitable[int]]]

    @strawberry.field(description="How many nodes the whole list has now, as far as the viewer sees them.")
    async def total_count(self) -> int:
        """How many nodes the whole list has."""
        return await self.total()


U = TypeVar("U")


def connection(found: Slice[U], make: Callable[[U], T]) -> Connection[T]:
    """A slice as a connection of what `make` makes of its rows."""
    nodes = [make(row) for row in found.rows]
    edges = [Edge(cursor=cursor, node=node) for cursor, node in zip(found.cursors, nodes, strict=True)]
    info = PageInfo(
        next=found.has_next,
        previous=found.has_previous,
        start_cursor=found.cursors[0] if found.cursors else None,
        end_cursor=found.cursors[-1] if found.cursors else None,
    )
    return Connection(edges=edges, nodes=nodes, page_info=info, total=found.total)
