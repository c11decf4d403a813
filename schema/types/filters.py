"""Filters and orders of lists, as clients write them."""

from __future__ import annotations

import strawberry

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
from schema.scalars import Date, Decimal


@strawberry.input(
    description="What accounts must fulfil: every field that is given. An empty `or` lets nothing pass; `not` keeps"
    " accounts that have no value for what it names."
)
class AccountFilter:
    """A filter of accounts."""

    kind: list[AccountKind] | None = strawberry.field(description="One of these kinds.", default=None)
    tier: list[Tier] | None = strawberry.field(description="One of these tiers.", default=None)
    status: list[AccountStatus] | None = strawberry.field(description="One of these states.", default=None)
    simulated: bool | None = strawberry.field(description="Paper copies alone, or real accounts alone.", default=None)
    name_contains: str | None = strawberry.field(
        description="The name has this literal text in it; capitals and small letters are the same.", default=None
    )
    symbol: str | None = strawberry.field(description="The account holds this symbol now.", default=None)
    min_cash: Decimal | None = strawberry.field(
        description="At least this much posted cash, whatever its currency.", default=None
    )
    max_cash: Decimal | None = strawberry.field(
        description="At most this much posted cash, whatever its currency.", default=None
    )
    within: strawberry.ID | None = strawberry.field(
        description="In the subtree of this group; an account is within itself.", default=None
    )
    and_: list[AccountFilter] | None = strawberry.field(name="and", description="All of these.", default=None)
    or_: list[AccountFilter] | None = strawberry.field(name="or", description="At least one of these.", default=None)
    not_: AccountFilter | None = strawberry.field(name="not", description="Not this.", default=None)


@strawberry.input(description="The order of a list of accounts.")
class AccountOrder:
    """The order of accounts."""

    field: AccountOrderField = strawberry.field(description="What they are sorted by; ties are sorted by id.")
    order: Order = strawberry.field(description="The direction.", default=Order.ASC)


@strawberry.input(description="What entries must fulfil: every field that is given.")
class TransactionFilter:
    """A filter of entries."""

    kind: list[TransactionKind] | None = strawberry.field(description="One of these kinds.", default=None)
    state: list[TransactionState] | None = strawberry.field(description="One of these states.", default=None)
    symbol: str | None = strawberry.field(description="About this symbol.", default=None)
    from_: Date | None = strawberry.field(name="from", description="The value date is this or later.", default=None)
    to: Date | None = strawberry.field(description="The value date is this or earlier.", default=None)
    min_amount: Decimal | None = strawberry.field(
        description="The signed amount is this or more, whatever its currency.", default=None
    )
    max_amount: Decimal | None = strawberry.field(
        description="The signed amount is this or less, whatever its currency.", default=None
    )


@strawberry.input(description="What operations must fulfil: every field that is given.")
class OperationFilter:
    """A filter of operations."""

    within: strawberry.ID | None = strawberry.field(
        description="It names a node in the subtree of this group or account.", default=None
    )
    state: list[OperationState] | None = strawberry.field(description="One of these states.", default=None)
    kind: list[str] | None = strawberry.field(description="Asked for by one of these mutations.", default=None)


def ordering(order_by: AccountOrder | None) -> Ordering:
    """The order asked for; by creation where none is."""
    return BY_CREATION if order_by is None else ORDERINGS[order_by.field.value, order_by.order.value]


async def account_test(context: Context, where: AccountFilter) -> AccountTest:
    """The test that a filter of accounts stands for. Raises ReadRefused for what it may not hold."""
    return await _account_test(context, where, filters.Budget(), 1)


async def _account_test(context: Context, where: AccountFilter, budget: filters.Budget, depth: int) -> AccountTest:
    budget.spend(depth)

    async def each(parts: list[AccountFilter]) -> tuple[AccountTest, ...]:
        return tuple([await _account_test(context, part, budget, depth + 1) for part in parts])

    within = await filters.subtree(context, where.within) if where.within is not None else None
    return AccountTest(
        kinds=filters.choices(_values(where.kind), "kind"),
        tiers=filters.choices(_values(where.tier), "tier"),
        statuses=filters.choices(_values(where.status), "status"),
        simulated=where.simulated,
        name_contains=filters.text(where.name_contains, "nameContains"),
        symbol=filters.text(where.symbol, "symbol"),
        min_cash=filters.at_least(where.min_cash, "minCash"),
        max_cash=filters.at_most(where.max_cash, "maxCash"),
        within=None if within is None else within.id,
        nothing=where.within is not None and within is None,
        all_of=await each(where.and_ or []),
        any_of=None if where.or_ is None else await each(where.or_),
        none_of=(await each([where.not_]))[0] if where.not_ is not None else None,
    )


def transaction_test(where: TransactionFilter | None) -> EntryTest | None:
    """The test that a filter of entries stands for. Raises ReadRefused for what it may not hold."""
    if where is None:
        return None
    return EntryTest(
        kinds=filters.choices(_values(where.kind), "kind"),
        states=filters.choices(_values(where.state), "state"),
        symbol=filters.text(where.symbol, "symbol"),
        first_day=where.from_,
        last_day=where.to,
        min_amount=filters.at_least(where.min_amount, "minAmount"),
        max_amount=filters.at_most(where.max_amount, "maxAmount"),
    )


async def operation_test(
    context: Context, where: OperationFilter | None
) -> tuple[OperationTest, Located | None] | None:
    """The test that a filter of operations stands for, and its subtree; None where nothing can fulfil it."""
    if where is None:
        return OperationTest(), None
    within = await filters.subtree(context, where.within) if where.within is not None else None
    if where.within is not None and within is None:
        return None
    kinds = None if where.kind is None else [filters.text(kind, "kind") or "" for kind in where.kind]
    states = filters.choices(_values(where.state), "state")
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
