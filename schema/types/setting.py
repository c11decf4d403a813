"""Settings in force, as clients see them."""

from collections.abc import Sequence

import strawberry

from resolvers import structure
from schema.scalars import JSON
from schema.types.node import Node, node_of


@strawberry.type(
    description="One effective setting and the node that it comes from; null where that is a tier, the catalogue, or"
    " a node that the viewer may not see."
)
class Setting:
    """One effective setting."""

    key: str = strawberry.field(description="The dotted name.")
    value: JSON = strawberry.field(description="The value in force.")
    source: Node | None = strawberry.field(
        description="The account, template or group that sets it; null for a tier's or the catalogue's default, and"
        " where the viewer may not see the node."
    )


def settings(found: Sequence[structure.Setting]) -> list[Setting]:
    """The settings in force."""
    return [
        Setting(key=one.key, value=JSON(one.value), source=node_of(*one.source) if one.source else None)
        for one in found
    ]
