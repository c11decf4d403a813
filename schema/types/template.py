"""Templates as clients see them."""

from typing import TYPE_CHECKING, Annotated, cast

import strawberry

from graph import settings
from graph.database import Row
from graph.ids import Kind
from resolvers import structure
from schema.fields import Info, described
from schema.scalars import JSON, DateTime
from schema.types.node import Node, node_of, register

if TYPE_CHECKING:
    from schema.types.group import Group


@strawberry.type(
    description="Settings that accounts share: an account made from a template reads its settings live, under its own"
    " and over its ancestors'."
)
class Template(Node):
    """A template, from its node's properties."""

    row: strawberry.Private[Row]
    name: str = strawberry.field(description="The name, which need not be unique.")

    @described
    async def parent(self, info: Info) -> Annotated["Group", strawberry.lazy("schema.types.group")] | None:
        """The group that defines it; null where the viewer may not see that."""
        found = await structure.parent(info.context, self.id)
        return None if found is None else cast("Group", node_of(Kind.GROUP, found))

    @described
    def settings(self) -> JSON:
        """The values that it sets, by key."""
        return JSON({key: value["value"] for key, value in settings.loads(self.row["settings"]).items()})

    version: int = strawberry.field(description="Grows by one with every change of it.")
    created_at: DateTime = strawberry.field(description="When it was created.")
    updated_at: DateTime = strawberry.field(description="When it was last changed.")


def template(row: Row) -> Template:
    """The template with these properties."""
    return Template(
        id=row["id"],
        row=row,
        name=row["name"],
        version=row["version"],
        created_at=row["createdAt"],
        updated_at=row["updatedAt"],
    )


register(Kind.TEMPLATE, Template, template)
