"""Nodes of lists, which come without what is long and rarely asked for."""

from graph.database import Row
from resolvers.context import Context


async def whole(context: Context, row: Row) -> Row:
    """The account or group of this row with all its properties: those of all rows of a request by one statement."""
    if not row.get("partial"):
        return row
    found = await context.loaders.nodes.load(row["id"])
    assert found is not None, "accounts and groups are closed, and never deleted"
    return found
