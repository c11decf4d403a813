"""Every list that the API reads, compiled in every form."""

from collections.abc import Iterator
from typing import Any

from graph import reads_lists
from graph.filters import AccountTest, Amount, EntryTest, accounts, entries
from graph.ids import Kind, new_id
from graph.listing import Condition, Listing, Ordering, Source, Window, page_query, total_query
from graph.query import Query

SCOPE = [new_id(Kind.GROUP), new_id(Kind.ACCOUNT)]
AT = "2026-01-01T00:00:00.000000Z"
GIVEN: dict[str, tuple[tuple[str, Any], ...]] = {
    "lists.reachable_accounts": (("roots", tuple(SCOPE)),),
    "lists.reachable_groups": (("roots", tuple(SCOPE)),),
    "lists.operations_of_roots": (("roots", tuple(SCOPE)),),
    "lists.operations_in_states": (("states", ("AWAITING_APPROVAL", "PENDING")),),
    "lists.operations_of_roots_in_states": (("roots", tuple(SCOPE)), ("states", ("AWAITING_APPROVAL",))),
    "lists.past_child_accounts": (("at", AT),),
    "lists.past_subtree_accounts": (("at", AT),),
    "lists.past_child_groups": (("at", AT),),
    "lists.entries_of_period": (("spans", (("D2026-01-01", "D2026-01~"), ("M2026-01~", "M2026~"))),),
}
ACCOUNT_TESTS = [
    AccountTest(),
    AccountTest(min_cash=Amount(1, 0), max_cash=Amount(5, 5_000)),
    AccountTest(kinds=("INDIVIDUAL",), tiers=("GEN",), statuses=("ACTIVE",), simulated=False, name_contains="a"),
    AccountTest(symbol="AAPL", within=SCOPE[0]),
    AccountTest(any_of=(AccountTest(tiers=("GEN",)), AccountTest(nothing=True)), none_of=AccountTest(symbol="A")),
]
ENTRY_TESTS = [
    EntryTest(),
    EntryTest(kinds=("FEE",), states=("POSTED",), symbol="A", first_day="2026-01-01", last_day="2026-12-31"),
    EntryTest(min_amount=Amount(0, -1), max_amount=Amount(1, 0)),
]


def listings() -> Iterator[Listing]:
    """Every list of the API, with every filter and order that it may have."""
    named = reads_lists.names_in_scope(SCOPE)
    seen = reads_lists.in_scope(SCOPE)
    by_name = {value.name: value for value in vars(reads_lists).values() if isinstance(value, Source)}
    orders = [
        value
        for value in vars(reads_lists).values()
        if isinstance(value, Ordering) and value.name in {"CREATED_AT", "NAME", "CASH"}
    ]
    for source in by_name.values():
        given = GIVEN.get(source.name, ())
        if "operations" in source.name:
            for condition in (Condition(), named):
                yield Listing(source, reads_lists.NEWEST_ID_FIRST, condition, given)
        elif "orders" in source.name:
            yield Listing(source, reads_lists.OLDEST_ID_FIRST)
        elif "entries" in source.name:
            for test in ENTRY_TESTS:
                yield Listing(source, reads_lists.NEWEST_ENTRY_FIRST, entries(test), given)
        elif "accounts" in source.name or "components" in source.name:
            for order in orders if source is reads_lists.REACHABLE_ACCOUNTS else orders[:1]:
                yield Listing(source, order, Condition(), given)
            for test in ACCOUNT_TESTS if source is reads_lists.SUBTREE_ACCOUNTS else ACCOUNT_TESTS[:1]:
                yield Listing(source, reads_lists.BY_CREATION, accounts(test).both(seen), given)
        else:
            yield Listing(source, reads_lists.BY_CREATION, Condition(), given)


def statements() -> Iterator[tuple[Query, dict[str, Any]]]:
    """Every statement of every list, with values for all its parameters."""
    for listing in listings():
        keys = tuple("" if kind is str else 0 for kind in listing.ordering.types)
        for window in (Window(2), Window(2, keys, keys, backward=True)):
            query, values = page_query(listing, window)
            yield query, {**values, "parents": SCOPE}
        query, values = total_query(listing)
        yield query, {**values, "parents": SCOPE}
