"""Operations: seen by whoever sees a node that they name."""

from dataclasses import dataclass
from typing import LiteralString

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

UNFINISHED = frozenset({"PENDING", "AWAITING_APPROVAL", "RUNNING", "UNKNOWN"})


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
    if within is not None:
        named = Condition() if within.id == within.root else reads_lists.names_in_scope([within.id])
        return _listing(test, named, (within.root,))
    if context.caller.administrator:
        return _listing(test, Condition(), None)
    highest = await scope.roots(context)
    places = [found for found in await context.loaders.places.load_many(highest) if found is not None]
    named = reads_lists.names_in_scope([found.id for found in places])
    return _listing(test, named, tuple(sorted({found.root for found in places})))


async def page(context: Context, test: OperationTest, within: Located | None, args: PageArgs) -> Slice[Row]:
    """The operations that the caller sees, newest first."""
    listing = await listing_of(context, test, within)
    found = await listed(context, listing, "Query.operations", within.id if within else "", args)
    return found.map(loaded)


def _listing(test: OperationTest, named: Condition, roots: tuple[str, ...] | None) -> Listing:
    """The operations of these tenants, or of all, that pass the tests."""
    given: tuple[tuple[str, tuple[str, ...]], ...] = () if roots is None else (("roots", roots),)
    conditions = _among("kind", "kinds", test.kinds).both(named)
    if test.states is not None and set(test.states) <= UNFINISHED:
        # Few are in these states, however many have finished.
        source = reads_lists.OPERATIONS_IN_STATES if roots is None else reads_lists.OPERATIONS_OF_ROOTS_IN_STATES
        given += (("states", tuple(sorted(set(test.states)))),)
    else:
        source = reads_lists.OPERATIONS if roots is None else reads_lists.OPERATIONS_OF_ROOTS
        conditions = _among("state", "states", test.states).both(conditions)
    return Listing(source, reads_lists.NEWEST_ID_FIRST, conditions, given)


def _among(field: LiteralString, name: LiteralString, wanted: tuple[str, ...] | None) -> Condition:
    return Condition() if wanted is None else Condition(f"n.{field} IN ${name}", ((name, wanted),))
