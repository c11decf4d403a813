"""Groups as clients see them."""

from typing import Annotated

import orjson
import strawberry
from strawberry import UNSET

from graph.database import Row
from graph.ids import Kind
from resolvers import groups, structure
from resolvers.whole import whole
from schema.fields import After, First, Info, described, given, page_args
from schema.scalars import JSON, DateTime
from schema.types.account import Account, account
from schema.types.filters import AccountFilter, account_test
from schema.types.node import Node, register
from schema.types.page import Connection, connection
from schema.types.rollup import Rollup
from schema.types.setting import Setting, settings
from schema.types.template import Template, template

AsOf = Annotated[
    DateTime | None,
    strawberry.argument(
        description="What was in the group at this instant and may be seen now; never in the future. Now where it is"
        " not given."
    ),
]
Where = Annotated[AccountFilter | None, strawberry.argument(description="Only accounts that fulfil this.")]
Subtree = Annotated[
    bool | None, strawberry.argument(description="Whether the groups below are searched too, all the way down.")
]


@strawberry.type(description="A tenant at the top, and a folder of groups and accounts below.")
class Group(Node):
    """A group, from its node's properties."""

    row: strawberry.Private[Row]
    name: str = strawberry.field(description="The name, which need not be unique.")

    @described
    async def parent(self, info: Info) -> "Group | None":
        """The group that it stands in; null at the top, and where the viewer may not see the group."""
        found = await structure.parent(info.context, self.id)
        return None if found is None else group(found)

    @described
    async def ancestors(self, info: Info) -> list["Group"]:
        """From the parent up to the root, as far as the viewer may see."""
        return [group(row) for row in await structure.ancestors(info.context, self.id)]

    @described
    async def groups(
        self, info: Info, first: First = 100, after: After = UNSET, as_of: AsOf = UNSET
    ) -> Connection["Group"]:
        """The groups directly in it, in order of creation."""
        return connection(await groups.groups(info.context, self.id, given(as_of), page_args(first, after)), group)

    @described
    async def accounts(
        self,
        info: Info,
        first: First = 100,
        after: After = UNSET,
        where: Where = UNSET,
        subtree: Subtree = False,
        as_of: AsOf = UNSET,
    ) -> Connection[Account]:
        """Accounts directly in the group, or in its whole subtree, in order of creation."""
        test = await account_test(info.context, given(where))
        page = page_args(first, after)
        found = await groups.accounts(info.context, self.id, test, given(as_of), page, subtree=bool(subtree))
        return connection(found, account)

    @described
    async def templates(self, info: Info, first: First = 50, after: After = UNSET) -> Connection[Template]:
        """The templates that it defines, in order of creation."""
        page = page_args(first, after, size=50)
        return connection(await groups.templates(info.context, self.id, page), template)

    @described
    async def settings(self, info: Info) -> list[Setting]:
        """Every setting in force on it, in order of key."""
        return settings(await structure.settings(info.context, self.id))

    @described
    async def metadata_schema(self, info: Info) -> JSON | None:
        """The JSON Schema that the metadata of accounts below it fit; null where it sets none."""
        schema = (await whole(info.context, self.row)).get("metadataSchema")
        return None if schema is None else JSON(orjson.loads(schema))

    locks: list[str] = strawberry.field(description="The keys that nothing below it may override, sorted.")

    @described
    def rollup(self) -> Rollup:
        """Totals over its whole subtree."""
        return Rollup(group_id=self.id)

    version: int = strawberry.field(description="Grows by one with every change of the group itself.")
    created_at: DateTime = strawberry.field(description="When it was created.")
    updated_at: DateTime = strawberry.field(description="When its version last grew.")
    closed_at: DateTime | None = strawberry.field(description="When it was closed for good; null while it is open.")


def group(row: Row) -> Group:
    """The group with these properties."""
    return Group(
        id=row["id"],
        row=row,
        name=row["name"],
        locks=sorted(row.get("locks") or ()),
        version=row["version"],
        created_at=row["createdAt"],
        updated_at=row["updatedAt"],
        closed_at=row.get("closedAt"),
    )


register(Kind.GROUP, Group, group)
