"""Folds a tenant's feed into the totals of its groups: one bounded turn at a time, each in a transaction of its own.

A turn takes the next records after the cursor, works out what they add to each group at the place where its accounts
stood then, and writes the new sums with the cursor. It has a lock of its own: no writer of the feed waits for it.
"""

import secrets
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from graph import total_rows
from graph.branches import Branches
from graph.database import Transaction
from graph.effects import Branched, Carried, Changed, Effect, Opened, effects, foldable
from graph.query import Query
from graph.stood import Standing, Told, standing, with_what_moved
from graph.totals import Cursor

MOST_RECORDS = 500
MOST_SUMS = 5_000
"""About how many sums one turn changes, but for those of its last record."""

TAKE = Query(
    "folding.take",
    "MERGE (k:Fold {id: $root}) ON CREATE SET k.state = [0, 0, -1] SET k.lock = $token RETURN k.state AS state",
)
RECORDS = Query(
    "folding.records",
    "MATCH (c:Change) WHERE c.feed = $feed AND c.number > $after AND c.number <= $until "
    "RETURN c.number AS number, c.at AS at, c.kind AS kind, c.nodes AS nodes, c.payload AS payload ORDER BY c.number",
)
ADVANCE = Query("folding.advance", "MATCH (k:Fold {id: $root}) SET k.state = $state")


class Turned(NamedTuple):
    """How far a turn came, and whether it left records that were there."""

    cursor: Cursor
    more: bool


async def turn(transaction: Transaction, root: str) -> Turned:
    """Folds the next records of a tenant, which may be none. Raises NotThereYet, Unfoldable."""
    token = secrets.token_hex(8)
    cursor = Cursor(*(await transaction.run(TAKE, root=root, token=token))[0]["state"])
    told = await _told(transaction, root, cursor.number)
    number = await _fold(transaction, root, told, cursor.turn + 1) if told else cursor.number
    reached = Cursor(cursor.turn + 1, number, cursor.number)
    await transaction.run(ADVANCE, root=root, state=list(reached))
    return Turned(reached, bool(told) and (len(told) >= MOST_RECORDS or told[-1].number > number))


async def _told(transaction: Transaction, root: str, after: int) -> list[Told]:
    """What follows, as far as all of it is there: an engine shows a commit part by part."""
    told: list[Told] = []
    for row in await transaction.run(RECORDS, feed=root, after=after, until=after + MOST_RECORDS):
        if row["number"] != after + len(told) + 1:
            break
        with foldable(root, row["number"]):
            told.append(Told(row["number"], row["at"], effects(row)))
    return await with_what_moved(transaction, root, told)


async def _fold(transaction: Transaction, root: str, told: Sequence[Told], turn_number: int) -> int:
    """Folds the records, or as many of them as a turn takes; the number of the last one."""
    stood = await standing(transaction, told)
    branches = Branches(transaction)
    await branches.read(_named(told, stood))
    number = 0
    for record in told:
        with foldable(root, record.number):
            for effect in record.effects:
                await _apply(branches, stood, effect)
        number = record.number
        if branches.weight > MOST_SUMS:
            break
    branches.push()
    await branches.write()
    await total_rows.write(transaction, branches.totals, turn_number)
    return number


def _named(told: Sequence[Told], stood: Mapping[str, Standing]) -> set[str]:
    """The groups that the records are about."""
    named = {one.parent for one in stood.values()}
    for effect in (one for record in told for one in record.effects):
        if isinstance(effect, Opened | Carried):
            named.add(effect.parent)
        elif isinstance(effect, Branched):
            named |= {effect.group, effect.parent}
    return {one for one in named if one is not None}


async def _apply(branches: Branches, stood: dict[str, Standing], effect: Effect) -> None:
    match effect:
        case Branched(group, parent, new):
            if new:
                branches.create(group, parent)
            elif parent is not None:
                await branches.move(group, parent)
        case Opened(account, parent, currency, counted, cash):
            stood[account] = Standing(parent, currency, counted)
            _add(branches, stood[account], Changed(account, cash=cash, opened=1))
        case Carried(account, parent, cash, positions):
            whole = Changed(account, cash=cash or 0, opened=1, come=tuple(positions))
            _add(branches, stood[account], whole, -1)
            stood[account] = stood[account].moved(parent)
            _add(branches, stood[account], whole)
        case Changed(account):
            _add(branches, stood[account], effect)


def _add(branches: Branches, standing: Standing, changed: Changed, sign: int = 1) -> None:
    if standing.counted and standing.parent is not None:
        branches.add(standing.parent, standing.sums(changed), sign)
