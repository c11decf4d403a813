"""What of the graph the caller sees. What lies outside of it is answered like what does not exist."""

import asyncio
from collections.abc import Iterable, Sequence

from graph.database import Row
from graph.ids import Kind, kind_of
from graph.structure import Located
from resolvers.context import Context

_PLACED = {Kind.ACCOUNT, Kind.GROUP, Kind.TEMPLATE}


async def place(context: Context, node_id: str) -> Located | None:
    """Where a group, an account or a template stands; None where there is none that the caller sees."""
    if kind_of(node_id) not in _PLACED:
        return None
    found = await context.loaders.places.load(node_id)
    return found if found is not None and context.caller.sees(found.path) else None


async def visible(context: Context, node_id: str, kind: Kind) -> Row | None:
    """The properties of the group, account or template of this kind and id, or None where the caller sees none."""
    if kind_of(node_id) is not kind:
        return None
    if context.caller.administrator:
        return await context.loaders.nodes.load(node_id)
    found, row = await asyncio.gather(place(context, node_id), context.loaders.nodes.load(node_id))
    return None if found is None else row


async def seen_of(context: Context, node_ids: Iterable[str]) -> bool:
    """Whether the caller sees one of these nodes."""
    places = await context.loaders.places.load_many([node for node in node_ids if kind_of(node) in _PLACED])
    return any(found is not None and context.caller.sees(found.path) for found in places)


async def roots(context: Context) -> Sequence[str]:
    """The highest nodes that were granted to the caller: none of them lies below another one."""
    granted = context.scope
    places = await context.loaders.places.load_many(sorted(granted))
    return [found.id for found in places if found is not None and not granted.intersection(found.path[1:])]


def seen_above(context: Context, found: Located) -> Sequence[str]:
    """The ids of the groups above a visible node that the caller sees too, from its parent up."""
    above = found.path[1:]
    if context.caller.administrator:
        return above
    scope = context.scope
    highest = max((index for index, node in enumerate(above) if node in scope), default=-1)
    return above[: highest + 1]
