"""Where nodes stand: parents, ancestors, and the settings that come down to them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from graph.database import Row
from graph.ids import Kind
from resolvers import scope
from resolvers.context import Context


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting in force, and the node that it comes from where the caller sees that."""

    key: str
    value: Any
    source: tuple[Kind, Row] | None


async def parent(context: Context, node_id: str) -> Row | None:
    """The group that a visible group, account or template stands in; None at the top, and where it is hidden."""
    above = await context.loaders.parents.load(node_id)
    if above is None:
        return None
    # A node is seen through a grant on itself or above it; only in the first case can its group be hidden.
    if not context.caller.administrator and node_id in context.scope:
        return await scope.visible(context, above, Kind.GROUP)
    return await context.loaders.nodes.load(above)


async def ancestors(context: Context, node_id: str) -> Sequence[Row]:
    """The groups above a visible node that the caller sees, from its parent up."""
    found = await context.loaders.places.load(node_id)
    if found is None:
        return ()
    rows = await context.loaders.nodes.load_many(scope.seen_above(context, found))
    return [row for row in rows if row is not None]


async def settings(context: Context, node_id: str) -> Sequence[Setting]:
    """Every setting in force on a visible group or account, in order of key."""
    force = await context.loaders.in_force.load(node_id)
    if force is None:
        return ()
    wanted = sorted({value.source_id for value in force.values.values() if value.source_id is not None})
    found = await asyncio.gather(*(_source(context, source) for source in wanted))
    sources = dict(zip(wanted, found, strict=True))
    return [
        Setting(key, value.value, sources[value.source_id] if value.source_id is not None else None)
        for key, value in force.values.items()
    ]


async def _source(context: Context, node_id: str) -> tuple[Kind, Row] | None:
    found = await scope.place(context, node_id)
    row = await context.loaders.nodes.load(node_id) if found is not None else None
    return None if found is None or row is None else (found.kind, row)
