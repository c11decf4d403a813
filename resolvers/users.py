"""Users, and the roles that they hold on nodes."""

from collections.abc import Awaitable, Callable, Sequence

from graph import grants, users
from graph.database import Row
from resolvers import cursors, scope
from resolvers.context import Context
from resolvers.paging import PageArgs, Slice, window
from resolvers.refusals import NOT_FOUND, ReadRefused
from services import access
from services.permissions import Permission

Read = Callable[[str, int], Awaitable[list[Row]]]
FORBIDDEN = "FORBIDDEN"


async def page(context: Context, args: PageArgs) -> Slice[Row]:
    """Every user, in order of their names in lower case. Raises Refused for all but the administrator."""
    access.require_administrator(context.caller)

    async def read(after: str, limit: int) -> list[Row]:
        return await users.page(context.reading, after, limit)

    async def total() -> int:
        return await grants.users_total(context.reading)

    return await _slice(read, total, "key", cursors.mark_of("Query.users"), args)


async def granted_on(context: Context, node_id: str, args: PageArgs) -> Slice[Row]:
    """The roles that hold on a node: granted on it, or on a group above where the caller may read that too.

    Raises ReadRefused: NOT_FOUND where the caller sees no such node, FORBIDDEN without the right to grant or audit.
    """
    nodes = await _readable(context, node_id)

    async def read(after: str, limit: int) -> list[Row]:
        return await grants.page(context.reading, nodes, after, limit)

    async def total() -> int:
        return await grants.total(context.reading, nodes)

    return await _slice(read, total, "id", cursors.mark_of("Query.grants", node_id), args)


async def _readable(context: Context, node_id: str) -> Sequence[str]:
    place = await scope.place(context, node_id)
    if place is None:
        raise ReadRefused(NOT_FOUND, access.NOT_FOUND_MESSAGE, path=["nodeId"])
    allowed = {Permission.GRANT, Permission.AUDIT}
    path = place.path
    nodes = [node for index, node in enumerate(path) if allowed & context.caller.permissions(path[index:])]
    if node_id not in nodes:
        raise ReadRefused(FORBIDDEN, "your role here does not allow this", path=["nodeId"])
    return nodes


async def _slice(read: Read, total: Callable[[], Awaitable[int]], key: str, mark: str, args: PageArgs) -> Slice[Row]:
    """A forward page of rows that one text property sorts."""
    wanted = window(args, mark, (str,))
    after = str(wanted.after[0]) if wanted.after else ""
    found = await read(after, wanted.size + 1)
    rows = found[: wanted.size]

    async def has_next() -> bool:
        return len(found) > wanted.size

    async def has_previous() -> bool:
        first = await read("", 1) if after else []
        return bool(first) and first[0][key] <= after

    return Slice(rows, [cursors.write(mark, (row[key],)) for row in rows], has_next, has_previous, total)
