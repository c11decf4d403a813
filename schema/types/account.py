"""Accounts as clients see them."""

from typing import TYPE_CHECKING, Annotated, cast

import orjson
import strawberry
from strawberry import UNSET

from graph.database import Row
from graph.ids import Kind
from resolvers import accounts, structure, transactions
from resolvers.whole import whole
from schema.enums import AccountKind, AccountStatus, Tier
from schema.fields import After, First, Info, described, given, page_args
from schema.scalars import JSON, Date, DateTime
from schema.types.filters import TransactionFilter, transaction_test
from schema.types.money import Money, money
from schema.types.node import Node, node_of, register
from schema.types.open_order import OpenOrder, open_order
from schema.types.page import Connection, connection
from schema.types.position import Position, position
from schema.types.setting import Setting, settings
from schema.types.statement import Statement
from schema.types.template import Template, template
from schema.types.transaction import Transaction, transaction

if TYPE_CHECKING:
    from schema.types.group import Group

Where = Annotated[TransactionFilter | None, strawberry.argument(description="Only entries that fulfil this.")]
From = Annotated[Date, strawberry.argument(name="from", description="The first day, by value date.")]
To = Annotated[Date, strawberry.argument(description="The last day, by value date.")]


@strawberry.type(description="Cash and positions of one owner or strategy, or a COMPOSITE over other accounts.")
class Account(Node):
    """An account, from its node's properties."""

    row: strawberry.Private[Row]
    name: str = strawberry.field(description="The name, which need not be unique.")
    description: str | None = strawberry.field(description="What it is for, in its owner's words.")
    kind: AccountKind = strawberry.field(description="What it is.")
    tier: Tier | None = strawberry.field(description="Its policy tier; null where it has no tier policy.")
    status: AccountStatus = strawberry.field(description="Where it is in its life.")
    currency: str = strawberry.field(description="The ISO 4217 code of its only currency.")
    simulated: bool = strawberry.field(description="True for a paper copy: it never counts in a total of real money.")
    version: int = strawberry.field(
        description="Grows by one with every update, status change, move, configuration, fork and merge, not with"
        " postings; updates name the version they saw."
    )
    created_at: DateTime = strawberry.field(description="When it was created.")
    updated_at: DateTime = strawberry.field(description="When its version last grew.")

    @described
    async def cash(self, info: Info) -> Money:
        """Posted cash."""
        return money((await accounts.funds(info.context, self.row)).cash, self.currency)

    @described
    async def available(self, info: Info) -> Money:
        """Posted cash less what is held for open work."""
        found = await accounts.funds(info.context, self.row)
        return money(found.cash - found.held, self.currency)

    @described
    async def market_value(self, info: Info) -> Money | None:
        """Positions at the last known prices; null, with an error, where a price was never known."""
        return money(await accounts.market_value(info.context, self.row), self.currency)

    @described
    async def total_value(self, info: Info) -> Money | None:
        """Cash plus market value; null, with an error, where a price was never known."""
        return money(await accounts.total_value(info.context, self.row), self.currency)

    @described
    async def positions(self, info: Info, first: First = 50, after: After = UNSET) -> Connection[Position]:
        """What it holds now, in order of symbol."""
        page = page_args(first, after, size=50)
        return connection(await accounts.positions(info.context, self.row, page), position)

    @described
    async def open_orders(self, info: Info, first: First = 50, after: After = UNSET) -> Connection[OpenOrder]:
        """Its orders that may still trade, oldest first."""
        page = page_args(first, after, size=50)
        return connection(await accounts.open_orders(info.context, self.id, page), open_order)

    @described
    async def parent(self, info: Info) -> Annotated["Group", strawberry.lazy("schema.types.group")] | None:
        """The group that it stands in; null at the top, and where the viewer may not see the group."""
        found = await structure.parent(info.context, self.id)
        return None if found is None else cast("Group", node_of(Kind.GROUP, found))

    @described
    async def ancestors(self, info: Info) -> list[Annotated["Group", strawberry.lazy("schema.types.group")]]:
        """From the parent up to the root, as far as the viewer may see."""
        found = await structure.ancestors(info.context, self.id)
        return [cast("Group", node_of(Kind.GROUP, row)) for row in found]

    @described
    async def components(self, info: Info, first: First = 50, after: After = UNSET) -> Connection["Account"]:
        """Underlying accounts of a COMPOSITE account, as far as the viewer sees them."""
        page = page_args(first, after, size=50)
        return connection(await accounts.components(info.context, self.id, page), account)

    @described
    async def template(self, info: Info) -> Template | None:
        """The template whose settings it reads; null where there is none that the viewer may see."""
        found = await accounts.template(info.context, self.id)
        return None if found is None else template(found)

    @described
    async def settings(self, info: Info) -> list[Setting]:
        """Every setting in force on it, in order of key."""
        return settings(await structure.settings(info.context, self.id))

    @described
    async def metadata(self, info: Info) -> JSON:
        """What its owner keeps with it."""
        return JSON(orjson.loads((await whole(info.context, self.row))["metadata"]))

    @described
    async def transactions(
        self, info: Info, first: First = 50, after: After = UNSET, where: Where = UNSET
    ) -> Connection[Transaction]:
        """Its entries, newest first by the instant of posting."""
        page = page_args(first, after, size=50)
        found = await transactions.of_account(info.context, self.id, transaction_test(given(where)), page)
        return connection(found, transaction)

    @described
    async def statement(self, info: Info, first_day: From, to: To) -> Statement | None:
        """A period's statement, by value date; null for a COMPOSITE account, whose components have statements."""
        if self.kind is AccountKind.COMPOSITE:
            return None
        period = transactions.Period(first_day, to)
        return Statement.over(self.row, period, await transactions.balances(info.context, self.id, period))


def account(row: Row) -> Account:
    """The account with these properties."""
    return Account(
        id=row["id"],
        row=row,
        name=row["name"],
        description=row.get("description"),
        kind=AccountKind(row["kind"]),
        tier=Tier(row["tier"]) if row.get("tier") else None,
        status=AccountStatus(row["status"]),
        currency=row["currency"],
        simulated=row["simulated"],
        version=row["version"],
        created_at=row["createdAt"],
        updated_at=row["updatedAt"],
    )


register(Kind.ACCOUNT, Account, account)
