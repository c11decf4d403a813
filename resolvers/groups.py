"""Groups: their lists, now and in the past, and the totals over their subtrees."""

from collections.abc import Sequence

from graph import clock, reads_lists
from graph.database import Row
from graph.filters import AccountTest
from graph.filters import accounts as account_condition
from graph.ids import Kind
from graph.listing import Listing
from graph.reads_rollups import CurrencySum
from graph.reads_totals import Below
from resolvers import scope
from resolvers.accounts import price_unknown, seen_condition
from resolvers.context import Context
from resolvers.paging import PageArgs, Slice, listed
from resolvers.refusals import bad_input
from services.worth import CurrencyTotal, PriceUnknown, subtree_totals, subtree_values


async def find(context: Context, group_id: str) -> Row | None:
    """The group, or None where the caller sees none of this id."""
    return await scope.visible(context, group_id, Kind.GROUP)


async def highest(context: Context, args: PageArgs) -> Slice[Row]:
    """The highest groups that the caller can reach."""
    installation = context.desk.installation
    if context.caller.administrator:
        listing = Listing(reads_lists.HOSTED_GROUPS, reads_lists.BY_CREATION)
    else:
        roots = (("roots", tuple(await scope.roots(context))),)
        listing = Listing(reads_lists.REACHABLE_GROUPS, reads_lists.BY_CREATION, given=roots)
    return await listed(context, listing, "Query.groups", installation, args)


async def groups(context: Context, group_id: str, at: str | None, args: PageArgs) -> Slice[Row]:
    """The groups directly in a visible group, now or at an instant."""
    if at is None:
        listing = Listing(reads_lists.CHILD_GROUPS, reads_lists.BY_CREATION)
    else:
        condition = seen_condition(context)
        listing = Listing(reads_lists.PAST_CHILD_GROUPS, reads_lists.BY_CREATION, condition, _past(at))
    return await listed(context, listing, "Group.groups", group_id, args)


async def accounts(
    context: Context, group_id: str, test: AccountTest, at: str | None, args: PageArgs, *, subtree: bool
) -> Slice[Row]:
    """The accounts directly in a visible group, or in its whole subtree, now or at an instant."""
    condition = account_condition(test)
    given = ()
    if at is None:
        source = reads_lists.SUBTREE_ACCOUNTS if subtree else reads_lists.CHILD_ACCOUNTS
    else:
        source = reads_lists.PAST_SUBTREE_ACCOUNTS if subtree else reads_lists.PAST_CHILD_ACCOUNTS
        condition = condition.both(seen_condition(context))
        given = _past(at)
    field = "Group.accounts.subtree" if subtree else "Group.accounts"
    return await listed(context, Listing(source, reads_lists.BY_CREATION, condition, given), field, group_id, args)


async def templates(context: Context, group_id: str, args: PageArgs) -> Slice[Row]:
    """The templates that a visible group defines."""
    listing = Listing(reads_lists.TEMPLATES, reads_lists.BY_CREATION)
    return await listed(context, listing, "Group.templates", group_id, args)


def _past(at: str) -> tuple[tuple[str, str]]:
    if at > clock.to_text(clock.now()):
        raise bad_input("asOf must not lie in the future", "asOf")
    return (("at", at),)


async def cash(context: Context, group_id: str) -> Sequence[CurrencySum]:
    """The cash below a group and how many accounts have it, for each currency."""
    return (await _below(context, group_id, held=False)).cash


async def market_values(context: Context, group_id: str) -> Sequence[CurrencyTotal]:
    """What the positions below a group are worth. Raises ReadRefused where a price was never known."""
    return await _values(context, await _below(context, group_id, held=True))


async def total_values(context: Context, group_id: str) -> Sequence[CurrencyTotal]:
    """Cash and market value below a group together. Raises ReadRefused where a price was never known."""
    below = await _below(context, group_id, held=True)
    return subtree_totals(below.cash, await _values(context, below))


async def _values(context: Context, below: Below) -> Sequence[CurrencyTotal]:
    prices = await context.loaders.prices.of(sorted({row.symbol for row in below.held}))
    try:
        return subtree_values(below.cash, below.held, prices)
    except PriceUnknown as unknown:
        raise price_unknown(unknown) from None


async def _below(context: Context, group_id: str, *, held: bool) -> Below:
    return await context.loaders.below.load((group_id, held)) or Below((), ())
