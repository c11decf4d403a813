"""The reads of the API."""

from typing import Annotated

import strawberry
from strawberry import UNSET

from resolvers import accounts, groups, imports, nodes, operations, quotes
from resolvers.paging import MAX_PAGE, Slice
from resolvers.refusals import bad_input
from schema.fields import After, Before, First, Info, Last, described, given, page_args
from schema.markets import MarketQueries
from schema.types.account import Account, account
from schema.types.bulk_import import BulkImport, bulk_import
from schema.types.filters import (
    AccountFilter,
    AccountOrder,
    OperationFilter,
    account_test,
    operation_test,
    ordering,
)
from schema.types.group import Group, group
from schema.types.installation import Installation, installation
from schema.types.node import Node, node_of
from schema.types.operation import Operation, operation
from schema.types.page import Connection, connection
from schema.types.quote import Quote, quote
from schema.types.viewer import Viewer
from schema.users import UserQueries

Id = Annotated[strawberry.ID, strawberry.argument(description="The id.")]
AccountWhere = Annotated[AccountFilter | None, strawberry.argument(description="Only accounts that fulfil this.")]
OrderBy = Annotated[
    AccountOrder | None, strawberry.argument(description="The order; by creation where it is not given.")
]
OperationWhere = Annotated[OperationFilter | None, strawberry.argument(description="Only operations that fulfil this.")]


@strawberry.type(description="What can be read. What the viewer may not see is answered like what does not exist.")
class Query(UserQueries, MarketQueries):
    """What can be read."""

    @described
    def viewer(self, info: Info) -> Viewer:
        """Who asks, and what they may do where."""
        caller = info.context.caller
        return Viewer(id=strawberry.ID(caller.user_id), username=caller.username, administrator=caller.administrator)

    @described
    async def node(self, info: Info, id: Id) -> Node | None:  # noqa: A002
        """The node of this id; null where the viewer sees none."""
        found = await nodes.find(info.context, id)
        return None if found is None else node_of(*found)

    @described
    async def nodes(
        self,
        info: Info,
        ids: Annotated[list[strawberry.ID], strawberry.argument(description="The ids, at most 100.")],
    ) -> list[Node | None]:
        """The nodes of these ids, in this order; null for each that the viewer does not see."""
        if len(ids) > MAX_PAGE:
            raise bad_input(f"ids must list at most {MAX_PAGE}", "ids")
        found = await nodes.find_all(info.context, ids)
        return [None if one is None else node_of(*one) for one in found]

    @described
    async def account(self, info: Info, id: Id) -> Account | None:  # noqa: A002
        """The account of this id; null where the viewer sees none."""
        found = await accounts.find(info.context, id)
        return None if found is None else account(found)

    @described
    async def group(self, info: Info, id: Id) -> Group | None:  # noqa: A002
        """The group of this id; null where the viewer sees none."""
        found = await groups.find(info.context, id)
        return None if found is None else group(found)

    @described
    async def accounts(
        self,
        info: Info,
        where: AccountWhere = UNSET,
        order_by: OrderBy = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> Connection[Account]:
        """All accounts that the viewer can reach, forwards by first or backwards by last."""
        test = await account_test(info.context, given(where))
        page = page_args(first, after, last, before)
        return connection(await accounts.reachable(info.context, test, ordering(given(order_by)), page), account)

    @described
    async def groups(self, info: Info, first: First = UNSET, after: After = UNSET) -> Connection[Group]:
        """The highest groups that the viewer can reach, in order of creation."""
        return connection(await groups.highest(info.context, page_args(first, after)), group)

    @described
    async def operation(self, info: Info, id: Id) -> Operation | None:  # noqa: A002
        """The operation of this id (not the caller's operationId); null where the viewer sees none."""
        found = await operations.find(info.context, id)
        return None if found is None else operation(found)

    @described
    async def operations(
        self, info: Info, where: OperationWhere = UNSET, first: First = 50, after: After = UNSET
    ) -> Connection[Operation]:
        """Newest first; with state AWAITING_APPROVAL the inbox of those who decide."""
        asked = await operation_test(info.context, given(where))
        page = page_args(first, after, size=50)
        found = await operations.page(info.context, *asked, page) if asked is not None else Slice.empty()
        return connection(found, operation)

    @described
    async def bulk_import(self, info: Info, id: Id) -> BulkImport | None:  # noqa: A002
        """The import of this id; null for all but who asked for it and who may decide about its group."""
        found = await imports.find(info.context, id)
        return None if found is None else bulk_import(found)

    @described
    async def installation(self, info: Info) -> Installation | None:
        """The installation itself; null for everybody but its administrator."""
        found = await nodes.installation(info.context)
        return None if found is None else installation(found)

    @described
    async def quotes(
        self,
        info: Info,
        symbols: Annotated[list[str], strawberry.argument(description="The symbols, at most 100.")],
    ) -> list[Quote]:
        """The last prices of the symbols that the market knows, in this order."""
        return [quote(found) for found in await quotes.quotes(info.context, symbols)]
