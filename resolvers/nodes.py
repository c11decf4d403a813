"""Any node by its id alone."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from graph.database import Row
from graph.ids import Kind, kind_of
from resolvers import accounts, groups, imports, operations, scope, transactions
from resolvers.context import Context

Found = tuple[Kind, Row]


async def template(context: Context, template_id: str) -> Row | None:
    """The template, or None where the caller sees none of this id."""
    return await scope.visible(context, template_id, Kind.TEMPLATE)


async def installation(context: Context, node_id: str | None = None) -> Row | None:
    """The installation itself, for its administrator; None for everybody else, and for another id."""
    own = context.desk.installation
    return {"id": own} if context.caller.administrator and node_id in {None, own} else None


_FINDERS: dict[Kind, Callable[[Context, str], Awaitable[Row | None]]] = {
    Kind.ACCOUNT: accounts.find,
    Kind.GROUP: groups.find,
    Kind.TEMPLATE: template,
    Kind.OPERATION: operations.find,
    Kind.ENTRY: transactions.find,
    Kind.IMPORT: imports.find,
    Kind.INSTALLATION: installation,
}


async def find(context: Context, node_id: str) -> Found | None:
    """The node of this id with its kind; None where the caller sees none, whatever the id looks like."""
    kind = kind_of(node_id)
    finder = _FINDERS.get(kind) if kind is not None else None
    row = await finder(context, node_id) if finder is not None else None
    return None if kind is None or row is None else (kind, row)


async def find_all(context: Context, node_ids: Sequence[str]) -> list[Found | None]:
    """The nodes of these ids, in this order."""
    return list(await asyncio.gather(*(find(context, node_id) for node_id in node_ids)))
