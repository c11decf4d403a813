"""Page arguments, and the slices of lists that they ask for."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from graph.database import Row
from graph.listing import Keys, Listing, Window
from resolvers import cursors
from resolvers.context import Context
from resolvers.refusals import bad_input

MAX_PAGE = 100
T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageArgs:
    """What a client says of the page that it wants; `size` where it says no number."""

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None
    size: int = MAX_PAGE


@dataclass(frozen=True, slots=True)
class Slice(Generic[T]):
    """A page of a list, with what can be asked about the rest; that is read when it is asked for."""

    rows: Sequence[T]
    cursors: Sequence[str]
    has_next: Callable[[], Awaitable[bool]]
    has_previous: Callable[[], Awaitable[bool]]
    total: Callable[[], Awaitable[int]]

    @classmethod
    def empty(cls) -> "Slice[T]":
        """The page of a list that has nothing in it."""
        return cls((), (), _no, _no, _none)

    def map(self, make: Callable[[T], U]) -> "Slice[U]":
        """The same slice of something else."""
        rows = [make(row) for row in self.rows]
        return Slice(rows, self.cursors, self.has_next, self.has_previous, self.total)


async def _no() -> bool:
    return False


async def _none() -> int:
    return 0


def window(args: PageArgs, mark: str, types: Sequence[type]) -> Window:
    """The window that the arguments ask for. Raises ReadRefused for a number or a cursor out of bounds."""
    if args.first is not None and args.last is not None:
        raise bad_input("a page is asked for by first or by last, not by both", "last")
    backward = args.last is not None
    given = args.last if backward else args.first
    size = args.size if given is None else given
    name = "last" if backward else "first"
    if not 0 <= size <= MAX_PAGE:
        raise bad_input(f"{name} must be from 0 to {MAX_PAGE}", name)
    return Window(size, _keys(args.after, mark, types, "after"), _keys(args.before, mark, types, "before"), backward)


def _keys(cursor: str | None, mark: str, types: Sequence[type], argument: str) -> Keys | None:
    return None if cursor is None else cursors.read(cursor, mark, types, argument)


async def listed(context: Context, listing: Listing, field: str, parent: str, args: PageArgs) -> Slice[Row]:
    """The slice of a parent's list that `field` of the schema shows."""
    mark = cursors.mark_of(field, parent, listing.ordering.name)
    wanted = window(args, mark, listing.ordering.types)
    page = await context.loaders.pages.load((listing, wanted, parent))

    async def beyond(keys: Keys | None, *, backward: bool) -> bool:
        if keys is None:
            return False
        probe = Window(0, before=keys, backward=True, closed=True) if backward else Window(0, after=keys, closed=True)
        return (await context.loaders.pages.load((listing, probe, parent))).more

    async def has_next() -> bool:
        return (page.more and not wanted.backward) or await beyond(wanted.before, backward=False)

    async def has_previous() -> bool:
        return (page.more and wanted.backward) or await beyond(wanted.after, backward=True)

    async def total() -> int:
        return await context.loaders.totals.load((listing, parent))

    marks = [cursors.write(mark, row.keys) for row in page.rows]
    return Slice([row.node for row in page.rows], marks, has_next, has_previous, total)
