"""Filters and orders of lists, as clients write them."""

from __future__ import annotations

import strawberry
from strawberry import UNSET

from graph.filters import AccountTest, EntryTest
from graph.listing import Ordering
from graph.reads_lists import BY_CREATION
from graph.structure import Located
from resolvers import filters
from resolvers.accounts import ORDERINGS
from resolvers.context import Context
from resolvers.operations import OperationTest
from schema.enums import (
    AccountKind,
    AccountOrderField,
    AccountStatus,
    OperationState,
    Order,
    Tier,
    TransactionKind,
    TransactionState,
)
from schema.fields import given
from schema.scalars import Date, Decimal


@strawberry.input(
    description="What accounts must fulfil: every field that is given. An empty `or` lets nothing pass; `not` keeps"
    " accounts that have no value for what it names."
)
class AccountFilter:
    """A filter of accounts."""

    kind: list[AccountKind] | None = strawberry.field(description="One of these kinds.", default=UNSET)
    tier: list[Tier] | None = strawberry.field(description="One of these tiers.", default=UNSET)
    status: list[AccountStatus] | None = strawberry.field(description="One of these states.", default=UNSET)
    simulated: bool | None = strawberry.field(description="Paper copies alone, or real accounts alone.", default=UNSET)
    name_contains: str | None = strawberry.field(
        description="The name has this literal text in it; capitals and small letters are the same.", default=UNSET
    )
    symbol: str | None = strawberry.field(description="The account holds this symbol now.", default=UNSET)
    min_cash: Decimal | None = strawberry.field(
        description="At least this much posted cash, whatever its currency.", default=UNSET
    )
    max_cash: Decimal | None = strawberry.field(
        description="At most this much posted cash, whatever its currency.", default=UNSET
    )
    within: strawberry.ID | None = strawberry.field(
        description="In the subtree of this group; an account is within itself.", default=UNSET
    )
    and_: list[AccountFilter] | None = strawberry.field(name="and", description="All of these.", default=UNSET)
    or_: list[AccountFilter] | None = strawberry.field(name="or", description="At least one of these.", default=UNSET)
    not_: AccountFilter | None = strawberry.field(name="not", description="Not this.", default=UNSET)


@strawberry.input(description="The order of a list of accounts.")
class AccountOrder:
    """The order of accounts."""

    field: AccountOrderField = strawberry.field(description="What they are sorted by; ties are sorted by id.")
    order: Order | None = strawberry.field(description="The direction.", default=Order.ASC)


@strawberry.input(description="What entries must fulfil: every field that is given.")
class TransactionFilter:
    """A filter of entries."""

    kind: list[TransactionKind] | None = strawberry.field(description="One of these kinds.", default=UNSET)
    state: list[TransactionState] | None = strawberry.field(description="One of these states.", default=UNSET)
    symbol: str | None = strawberry.field(description="About this symbol.", default=UNSET)
    from_: Date | None = strawberry.field(name="from", description="The value date is this or later.", default=UNSET)
    to: Date | None = strawberry.field(description="The value date is this or earlier.", default=UNSET)
    min_amount: Decimal | None = strawberry.field(
        description="The signed amount is this or more, whatever its currency.", default=UNSET
    )
    max_amount: Decimal | None = strawberry.field(
        description="The signed amount is this or less, whatever its currency.", default=UNSET
    )


@strawberry.input(description="What operations must fulfil: every field that is given.")
class OperationFilter:
    """A filter of operations."""

    within: strawberry.ID | None = strawberry.field(
        description="It names a node in the subtree of this group or account.", default=UNSET
    )
    state: list[OperationState] | None = strawberry.field(description="One of these states.", default=UNSET)
    kind: list[str] | None = strawberry.field(description="Asked for by one of these mutations.", default=UNSET)


def ordering(order_by: AccountOrder | None) -> Ordering:
    """The order asked for; by creation where none is."""
    if order_by is None:
        return BY_CREATION
    return ORDERINGS[order_by.field.value, (order_by.order or Order.ASC).value]


async def account_test(context: Context, where: AccountFilter | None) -> AccountTest:
    """The test that a filter of accounts stands for. Raises ReadRefused for what it may not hold."""
    return AccountTest() if where is None else await _account_test(context, where, filters.Budget(), 1)


async def _account_test(context: Context, where: AccountFilter, budget: filters.Budget, depth: int) -> AccountTest:
    budget.spend(depth)

    async def each(parts: list[AccountFilter]) -> tuple[AccountTest, ...]:
        return tuple([await _account_test(context, part, budget, depth + 1) for part in parts])

    within_id, any_of, none_of = given(where.within), given(where.or_), given(where.not_)
    within = await filters.subtree(context, within_id) if within_id is not None else None
    return AccountTest(
        kinds=filters.choices(_values(given(where.kind)), "kind"),
        tiers=filters.choices(_values(given(where.tier)), "tier"),
        statuses=filters.choices(_values(given(where.status)), "status"),
        simulated=given(where.simulated),
        name_contains=filters.text(given(where.name_contains), "nameContains"),
        symbol=filters.text(given(where.symbol), "symbol"),
        min_cash=filters.at_least(given(where.min_cash), "minCash"),
        max_cash=filters.at_most(given(where.max_cash), "maxCash"),
        within=None if within is None else within.id,
        nothing=within_id is not None and within is None,
        all_of=await each(given(where.and_) or []),
        any_of=None if any_of is None else await each(any_of),
        none_of=(await each([none_of]))[0] if none_of is not None else None,
    )


def transaction_test(where: TransactionFilter | None) -> EntryTest | None:
    """The test that a filter of entries stands for. Raises ReadRefused for what it may not hold."""
    if where is None:
        return None
    return EntryTest(
        kinds=filters.choices(_values(given(where.kind)), "kind"),
        states=filters.choices(_values(given(where.state)), "state"),
        symbol=filters.text(given(where.symbol), "symbol"),
        first_day=given(where.from_),
        last_day=given(where.to),
        min_amount=filters.at_least(given(where.min_amount), "minAmount"),
        max_amount=filters.at_most(given(where.max_amount), "maxAmount"),
    )


async def operation_test(
    context: Context, where: OperationFilter | None
) -> tuple[OperationTest, Located | None] | None:
    """The test that a filter of operations stands for, and its subtree; None where nothing can fulfil it."""
    if where is None:
        return OperationTest(), None
    within_id, named = given(where.within), given(where.kind)
    within = await filters.subtree(context, within_id) if within_id is not None else None
    if within_id is not None and within is None:
        return None
    kinds = None if named is None else [filters.text(kind, "kind") or "" for kind in named]
    states = filters.choices(_values(given(where.state)), "state")
    return OperationTest(states, filters.choices(kinds, "kind")), within


def _values(
    members: list[AccountKind]
    | list[Tier]
    | list[AccountStatus]
    | list[TransactionKind]
    | list[TransactionState]
    | list[OperationState]
    | None,
) -> list[str] | None:
    return None if members is None else [member.value for member in members]
