"""Accounts: their lists, their money, and what they hold."""

import asyncio
from dataclasses import dataclass, replace
from decimal import Decimal

from graph import reads_lists
from graph.database import Row
from graph.filters import AccountTest
from graph.filters import accounts as account_condition
from graph.ids import Kind
from graph.listing import Condition, Listing, Ordering
from graph.reads_holdings import Funds, Holding
from resolvers import cursors, scope
from resolvers.context import Context
from resolvers.paging import PageArgs, Slice, listed, window
from resolvers.refusals import PRICE_UNKNOWN, ReadRefused
from services.worth import PriceUnknown, average_price, holdings_value, position_value

ORDERINGS: dict[tuple[str, str], Ordering] = {
    ("CREATED_AT", "ASC"): reads_lists.BY_CREATION,
    ("CREATED_AT", "DESC"): reads_lists.BY_CREATION_DESCENDING,
    ("NAME", "ASC"): reads_lists.BY_NAME,
    ("NAME", "DESC"): reads_lists.BY_NAME_DESCENDING,
    ("CASH", "ASC"): reads_lists.BY_CASH,
    ("CASH", "DESC"): reads_lists.BY_CASH_DESCENDING,
}


@dataclass(frozen=True, slots=True)
class Position:
    """One symbol that an account holds, and whose it is."""

    account: Row
    holding: Holding

    @property
    def average_price(self) -> Decimal:
        """What one cost on average, in the account's currency."""
        return average_price(self.holding)


async def find(context: Context, account_id: str) -> Row | None:
    """The account, or None where the caller sees none of this id."""
    return await scope.visible(context, account_id, Kind.ACCOUNT)


async def reachable(context: Context, test: AccountTest, ordering: Ordering, args: PageArgs) -> Slice[Row]:
    """The accounts that the caller can reach and that pass the test."""
    if test.within is None and context.caller.administrator:
        listing = Listing(reads_lists.HOSTED_ACCOUNTS, ordering, account_condition(test))
    else:
        # What the test stays within is visible, so the list can begin there.
        roots = tuple(await scope.roots(context)) if test.within is None else (test.within,)
        condition = account_condition(replace(test, within=None))
        listing = Listing(reads_lists.REACHABLE_ACCOUNTS, ordering, condition, (("roots", roots),))
    return await listed(context, listing, "Query.accounts", context.desk.installation, args)


async def components(context: Context, account_id: str, args: PageArgs) -> Slice[Row]:
    """The components of a COMPOSITE account that the caller sees."""
    listing = Listing(reads_lists.COMPONENTS, reads_lists.BY_CREATION, seen_condition(context))
    return await listed(context, listing, "Account.components", account_id, args)


def seen_condition(context: Context) -> Condition:
    """That the caller sees the group or account now."""
    return Condition() if context.caller.administrator else reads_lists.in_scope(context.scope)


async def funds(context: Context, account: Row) -> Funds:
    """Posted and held cash; a COMPOSITE account's are the sums of all its components."""
    if account["kind"] != "COMPOSITE":
        return Funds(account["cash"], account["held"])
    return await context.loaders.component_funds.load(account["id"]) or Funds(0, 0)


async def market_value(context: Context, account: Row) -> int:
    """What the account's positions are worth, in minor units. Raises ReadRefused where a price was never known."""
    held = await context.loaders.holdings.load(account["id"]) or []
    prices = await context.loaders.prices.of([holding.symbol for holding in held])
    try:
        return holdings_value(held, prices, account["currency"])
    except PriceUnknown as unknown:
        raise price_unknown(unknown) from None


async def total_value(context: Context, account: Row) -> int:
    """Posted cash and market value together, in minor units. Raises ReadRefused where a price was never known."""
    cash, value = await asyncio.gather(funds(context, account), market_value(context, account))
    return cash.cash + value


async def position_worth(context: Context, position: Position) -> int:
    """What a position is worth, in minor units. Raises ReadRefused where its price was never known."""
    prices = await context.loaders.prices.of([position.holding.symbol])
    try:
        return position_value(position.holding, prices, position.account["currency"])
    except PriceUnknown as unknown:
        raise price_unknown(unknown) from None


def price_unknown(unknown: PriceUnknown) -> ReadRefused:
    """The error beside a value that has no price."""
    return ReadRefused(PRICE_UNKNOWN, f"{unknown}, so this has no value", symbols=sorted(unknown.symbols))


async def positions(context: Context, account: Row, args: PageArgs) -> Slice[Position]:
    """What the account holds, in order of symbol."""
    owner: str = account["id"]
    mark = cursors.mark_of("Account.positions", owner)
    wanted = window(args, mark, (str,))
    after = str(wanted.after[0]) if wanted.after else ""
    found = await context.loaders.holdings_pages.load((after, wanted.size + 1, owner))
    shown = found[: wanted.size]

    async def has_next() -> bool:
        return len(found) > wanted.size

    async def has_previous() -> bool:
        first = await context.loaders.holdings_pages.load(("", 1, owner)) if after else []
        return bool(first) and first[0].symbol <= after

    async def total() -> int:
        return await context.loaders.holdings_totals.load(owner) or 0

    marks = [cursors.write(mark, (holding.symbol,)) for holding in shown]
    rows = [Position(account, holding) for holding in shown]
    return Slice(rows, marks, has_next, has_previous, total)


async def open_orders(context: Context, account_id: str, args: PageArgs) -> Slice[Row]:
    """The account's orders that may still trade, oldest first."""
    listing = Listing(reads_lists.OPEN_ORDERS, reads_lists.OLDEST_ID_FIRST)
    return await listed(context, listing, "Account.openOrders", account_id, args)


async def template(context: Context, account_id: str) -> Row | None:
    """The template that the account uses, or None where it uses none that the caller sees."""
    found = await context.loaders.templates.load(account_id)
    if found is None or await scope.place(context, found["id"]) is None:
        return None
    return found
