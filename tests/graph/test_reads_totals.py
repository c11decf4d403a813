"""Totals of groups: what the fold tells is what a walk through all accounts finds, and all of one moment."""

import asyncio
import random
from typing import Any

import neo4j
import pytest

from graph import folding, reads_totals, total_rows
from graph.database import Database
from graph.reads_rollups import CurrencySum
from graph.totals import Cursor, Kept, cash_key
from services.ledger import Deposit, Transfer
from tests.support.engines import chosen_engine
from tests.support.folding import History, Silent, require_folded
from tests.support.graphs import connected
from tests.support.house import Address, House, op
from tests.support.proxy import Cut, proxied
from tests.support.reads import chain, hold, place
from tests.support.tree import account, beside, counted, move

pytestmark = pytest.mark.anyio


async def caught_up(house: House) -> None:
    """Folds all that there is."""
    assert await reads_totals.catch_up(house.desk.database, house.root, 100)


async def cash(database: Database, group: str) -> list[CurrencySum]:
    """The cash below a group."""
    return [*(await reads_totals.read(database, [group], held=False))[group].cash]


@pytest.mark.parametrize(("chosen", "records", "sums"), [(1, folding.MOST_RECORDS, folding.MOST_SUMS), (2, 7, 3)])
async def test_random_histories_are_folded_to_what_a_walk_finds(
    house: House, monkeypatch: pytest.MonkeyPatch, chosen: int, records: int, sums: int
) -> None:
    monkeypatch.setattr(folding, "MOST_RECORDS", records)
    monkeypatch.setattr(folding, "MOST_SUMS", sums)
    monkeypatch.setattr(total_rows, "MOST_COUNTED", sums)
    history = History(house, random.Random(chosen))
    for _ in range(3):
        await history.change(25)
        await require_folded(house, history.groups)
    assert set(history.done) >= {"found", "open", "buy", "end", "move_account", "move_group"}


async def test_what_is_caught_up_is_told_by_one_statement_however_large_it_is(house: House) -> None:
    group = await house.group("Group")
    for accounts in (1, 40):
        for _ in range(accounts):
            await place(house, group, cash=1)
        await caught_up(house)
        with counted(house) as names:
            (total,) = await cash(house.desk.database, house.root)
            assert total.accounts == total.cash
        assert names == ["totals.cash"]
    assert total.accounts == 41


async def test_a_root_s_totals_cost_the_database_the_same_however_many_accounts_there_are(
    house: House, engine: Address
) -> None:
    costs: list[int] = []
    for accounts in (2, 60):
        group = await house.group("Group")
        for _ in range(accounts):
            await hold(house, await place(house, group, cash=1), "AAPL", 10**8)
        await caught_up(house)
        costs.append(await touched(engine, house.root))
    # A longer number may take a record more.
    assert costs[1] <= costs[0] + 2 < 100


async def touched(engine: Address, root: str) -> int:
    """How often the database touches something for a root's totals, which ArcadeDB does not count."""
    if chosen_engine() != "neo4j":
        return 0
    text: Any = f"PROFILE {reads_totals.ALL_BELOW.text}"
    async with neo4j.AsyncGraphDatabase.driver(engine.uri, auth=(engine.username, engine.password)) as driver:
        summary = await driver.execute_query(
            text, ids=[root], database_=engine.database, result_transformer_=neo4j.AsyncResult.consume
        )
    assert summary.profile is not None
    return hits(summary.profile)


def hits(plan: dict[str, Any]) -> int:
    """What the database touched for a plan and those below it."""
    return plan["dbHits"] + sum(hits(child) for child in plan.get("children", ()))


async def test_who_reads_after_a_write_folds_it_and_those_after_need_not(house: House) -> None:
    await caught_up(house)
    await place(house, cash=5)
    with counted(house) as first:
        assert await cash(house.desk.database, house.root) == [CurrencySum("USD", 1, 5)]
    assert folding.ADVANCE.name in first
    # The first one's turn is known to be there wholly once another one has begun.
    assert await cash(house.desk.database, house.root) == [CurrencySum("USD", 1, 5)]
    with counted(house) as third:
        assert await cash(house.desk.database, house.root) == [CurrencySum("USD", 1, 5)]
    assert third == ["totals.cash"]


def group_row(group: str, cursor: Cursor, *sums: Kept, head: int = 9) -> dict[str, Any]:
    """What a statement tells of one group of a tenant."""
    told = [[cash_key(f"C{number}"), one.text] for number, one in enumerate(sums)]
    return {"id": group, "tenant": "t", "heads": [head], "cursors": [list(cursor)], "sums": told}


def counts(number: int) -> dict[str, int]:
    """One account with so much cash."""
    return {"accounts": 1, "cash": number}


def test_groups_that_were_read_in_different_turns_are_told_as_after_the_one_before_the_first() -> None:
    early = group_row("a", Cursor(5, 12, 9), Kept(5, counts(50), 3, counts(30)), Kept(4, counts(40), 0, {}))
    late = group_row("b", Cursor(6, 15, 12), Kept(6, counts(60), 2, counts(20)))
    found = reads_totals._settled([late, early])
    assert found is not None
    assert {group: [one.cash for one in below.cash] for group, below in found.items()} == {"a": [30, 40], "b": [20]}


def test_what_cannot_be_told_of_one_moment_is_folded_first() -> None:
    fine = group_row("a", Cursor(5, 12, 9), Kept(4, counts(40), 0, {}))
    assert reads_totals._settled([fine]) is not None
    assert reads_totals._settled([group_row("a", Cursor(5, 12, 8), Kept(4, counts(40), 0, {}))]) is None
    changed_twice = group_row("b", Cursor(7, 18, 15), Kept(6, counts(60), 5, counts(50)))
    assert reads_totals._settled([fine, changed_twice]) is None
    assert reads_totals._settled([{**fine, "cursors": []}]) is None


async def test_what_is_far_behind_is_walked_and_folded_afterwards(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reads_totals, "MOST_BEHIND", 2)
    for _ in range(3):
        await place(house, cash=5)
    house.desk.database.stirred()
    with counted(house) as names:
        assert await cash(house.desk.database, house.root) == [CurrencySum("USD", 3, 15)]
    assert names == ["totals.cash", "rollups.cash"]
    assert house.desk.database.stirred() == {house.root}
    await caught_up(house)
    await require_folded(house, [house.root])


async def test_moves_that_do_not_tell_what_they_took_along_are_folded_too(house: House) -> None:
    one, two, three = [await house.group(name) for name in ("One", "Two", "Three")]
    node = await account(house, one)
    silent = Silent(house)
    await house.do(Deposit(operation_id=op(), account_id=node, amount="1000"))
    await silent.move(node, two)
    await house.do(Deposit(operation_id=op(), account_id=node, amount="2000"))
    await hold(house, node, "AAPL", 3 * 10**8)
    await hold(house, node, "MSFT", 10**8)
    await silent.move(node, three)
    found = await require_folded(house, [house.root, one, two, three])
    assert [len(found[group].held) for group in (one, two, three)] == [0, 0, 2]
    assert [one.cash for one in found[three].cash] == [300_000]


async def test_many_different_quantities_are_counted_in_parts(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(total_rows, "MOST_COUNTED", 3)
    one, two = await house.group("One"), await house.group("Two")
    inner = await house.group("Inner", one)
    for quantity in (5, 6, 7, 8, 9, 9):
        await hold(house, await place(house, inner), "AAPL", quantity)
        await require_folded(house, [house.root, one, inner])
    node = await account(house, inner)
    for _ in range(2):
        await hold(house, node, "AAPL", 10)
    await house.do(move(inner, two))
    await house.do(move(node, one))
    found = await require_folded(house, [house.root, one, two, inner])
    assert [sum(held.times for held in found[group].held) for group in (house.root, one, two, inner)] == [8, 2, 6, 6]


async def test_a_deep_tree_is_folded_and_its_middle_moves(house: House) -> None:
    groups = await chain(house, 1_000)
    for depth in (999, 500, 0):
        await place(house, groups[depth], cash=10)
    await caught_up(house)
    aside = await house.group("Aside")
    await house.do(move(groups[500], aside))
    some = [house.root, aside, groups[0], groups[499], groups[500], groups[999]]
    found = await require_folded(house, some)
    assert [sum(one.cash for one in found[group].cash) for group in some] == [30, 20, 10, 0, 20, 10]


async def test_reads_are_of_one_moment_while_others_write_move_and_fold(house: House, engine: Address) -> None:
    one, two = await house.group("One"), await house.group("Two")
    moved = await house.group("Moved", one)
    payer, payee = await account(house, moved), await account(house, two)
    for node in (payer, payee):
        await house.do(Deposit(operation_id=op(), account_id=node, amount="1000"))
    async with beside(house, engine) as other:

        async def write() -> None:
            for number in range(12):
                ends = (payer, payee) if number % 2 else (payee, payer)
                await other.do(Transfer(operation_id=op(), from_id=ends[0], to_id=ends[1], amount=f"{number + 1}"))
                await other.do(move(moved, two if number % 2 else one)) if number % 3 == 0 and number else None

        async def read(database: Database) -> int:
            times = 0
            while not writing.done():
                found = await reads_totals.read(database, [house.root, one, two], held=True)
                sums = {group: sum(each.cash for each in below.cash) for group, below in found.items()}
                assert sums[house.root] == sums[one] + sums[two] == 200_000
                times += 1
            return times

        with counted(house) as names:
            writing = asyncio.create_task(write())
            times = await asyncio.gather(*(read(each.desk.database) for each in (house, other, house)))
            await writing
    assert min(times) > 0
    assert not {name for name in names if name.startswith("rollups.")}
    await require_folded(house, [house.root, one, two, moved])


@pytest.mark.parametrize("cut", Cut)
async def test_a_fold_whose_commit_is_not_answered_counts_once(house: House, engine: Address, cut: Cut) -> None:
    await place(house, cash=5)
    async with proxied(engine) as (proxy, address), connected(address) as far:
        assert await far.ready()
        proxy.cut(cut, cut)
        assert await cash(far, house.root) == [CurrencySum("USD", 1, 5)]
        assert proxy.done == [cut, cut]
    await require_folded(house, [house.root])
