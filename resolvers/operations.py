"""Operations: seen by whoever sees a node that they name."""

from dataclasses import dataclass

from graph import reads_lists
from graph.database import Row
from graph.ids import Kind, kind_of
from graph.listing import Condition, Listing
from graph.operations import loaded
from graph.structure import Located
from resolvers import scope
from resolvers.context import Context
from resolvers.paging import PageArgs, Slice, listed
from services.permissions import Permission


@dataclass(frozen=True, slots=True)
class OperationTest:
    """What an operation must fulfil: every part that is not None."""

    states: tuple[str, ...] | None = None
    kinds: tuple[str, ...] | None = None


async def find(context: Context, node_id: str) -> Row | None:
    """The operation of this node id, or None where the caller sees none of the nodes that it names."""
    if kind_of(node_id) is not Kind.OPERATION:
        return None
    found = await context.loaders.operations.load(node_id)
    if found is None or context.caller.administrator:
        return found
    return found if await scope.seen_of(context, found["nodes"]) else None


async def concerns(context: Context, operation: Row) -> bool:
    """Whether the caller asked for the operation, or may decide everything that it names."""
    caller = context.caller
    if caller.administrator or operation["user"] == caller.user_id:
        return True
    places = await context.loaders.places.load_many(operation["nodes"])
    return all(found is not None and Permission.DECIDE in caller.permissions(found.path) for found in places)


async def listing_of(context: Context, test: OperationTest, within: Located | None) -> Listing:
    """The list of the operations that the caller sees and that name a node in the subtree of `within`."""
    condition = _condition(test)
    if within is not None:
        named = Condition() if within.id == within.root else reads_lists.names_in_scope([within.id])
        roots = (("roots", (within.root,)),)
        return Listing(reads_lists.OPERATIONS_OF_ROOTS, reads_lists.NEWEST_ID_FIRST, condition.both(named), roots)
    if context.caller.administrator:
        return Listing(reads_lists.OPERATIONS, reads_lists.NEWEST_ID_FIRST, condition)
    highest = await scope.roots(context)
    places = [found for found in await context.loaders.places.load_many(highest) if found is not None]
    roots = (("roots", tuple(sorted({found.root for found in places}))),)
    named = reads_lists.names_in_scope([found.id for found in places])
    return Listing(reads_lists.OPERATIONS_OF_ROOTS, reads_lists.NEWEST_ID_FIRST, condition.both(named), roots)


async def page(context: Context, test: OperationTest, within: Located | None, args: PageArgs) -> Slice[Row]:
    """The operations that the caller sees, newest first."""
    listing = await listing_of(context, test, within)
    found = await listed(context, listing, "Query.operations", within.id if within else "", args)
    return found.map(loaded)


def _condition(test: OperationTest) -> Condition:
    texts: list[str] = []
    values: list[tuple[str, tuple[str, ...]]] = []
    for field, name, wanted in (("n.state", "states", test.states), ("n.kind", "kinds", test.kinds)):
        if wanted is not None:
            texts.append(f"{field} IN ${name}")
            values.append((name, wanted))
    return Condition(" AND ".join(texts), tuple(values))
