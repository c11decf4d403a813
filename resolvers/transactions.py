"""The entries of an account's statement."""

import asyncio
from dataclasses import dataclass
from datetime import date

from graph import period_totals, reads_lists
from graph.database import Row
from graph.filters import EntryTest
from graph.filters import entries as entry_condition
from graph.ids import Kind, kind_of
from graph.listing import Listing
from graph.reads_statements import Balances
from resolvers import accounts, scope
from resolvers.context import Context
from resolvers.paging import PageArgs, Slice, listed
from resolvers.refusals import bad_input


@dataclass(frozen=True, slots=True)
class Period:
    """The days of a statement, both inclusive, as ISO text."""

    first: str
    last: str


async def find(context: Context, entry_id: str) -> Row | None:
    """The entry, or None where the caller sees no account's entry of this id."""
    if kind_of(entry_id) is not Kind.ENTRY:
        return None
    entry = await context.loaders.nodes.load(entry_id)
    return entry if entry is not None and await scope.place(context, entry["ledger"]) is not None else None


async def of_account(context: Context, account_id: str, test: EntryTest | None, args: PageArgs) -> Slice[Row]:
    """The account's entries that pass the test, newest first."""
    return await listed(context, listing_of(test or EntryTest()), "Account.transactions", account_id, args)


def listing_of(test: EntryTest) -> Listing:
    """The list of an account's entries that pass the test: those of some days are looked for around these alone."""
    ordering, condition = reads_lists.NEWEST_ENTRY_FIRST, entry_condition(test)
    if test.first_day is None and test.last_day is None:
        return Listing(reads_lists.ENTRIES, ordering, condition)
    spans = period_totals.between(test.first_day or date.min.isoformat(), test.last_day or date.max.isoformat())
    given = (("spans", tuple(tuple(span) for span in spans)),)
    return Listing(reads_lists.ENTRIES_OF_PERIOD, ordering, condition, given)


async def balances(context: Context, account_id: str, period: Period) -> Balances:
    """The account's balance before the period and at its end. Raises ReadRefused where the period ends too early."""
    if period.last < period.first:
        raise bad_input("to must not come before from", "to")
    return await context.loaders.balances.load((period.first, period.last, account_id))


async def counterparty(context: Context, entry: Row) -> Row | None:
    """The account on the other side, or None where there is none that the caller sees."""
    other = entry.get("counterparty")
    return await accounts.find(context, other) if other is not None else None


async def corrected(context: Context, entry: Row) -> Row | None:
    """The entry that this one corrects, or None where there is none that the caller sees."""
    earlier = entry.get("corrects")
    return await find(context, earlier) if earlier is not None else None


async def of_ids(context: Context, entry_ids: list[str]) -> list[Row]:
    """The entries of these ids that the caller sees, in this order."""
    found = await asyncio.gather(*(find(context, entry_id) for entry_id in entry_ids))
    return [entry for entry in found if entry is not None]
