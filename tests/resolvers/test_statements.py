"""Statements over any history: what they show of back-dated entries, and that a long history costs no more."""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from graph import period_totals
from graph.filters import EntryTest
from graph.listing import Window, page_query
from graph.reads_statements import BALANCES, balances
from resolvers import transactions
from services import checks
from services.findings import Report
from services.ledger import Deposit, Withdraw
from services.market.paper import PaperBroker
from services.market.prices import shipped_prices
from services.market.store import MemoryStore
from services.order_checks import OrderCheck
from services.pipeline import Pipeline
from services.posting import EntryKind, Outside, PostingSet
from services.prices import PriceBook
from tests.support.backdating import Backdated, Entry, booked, days_from, long_history
from tests.support.house import Address, House, op
from tests.support.profiling import db_hits
from tests.support.reads import ask, place

pytestmark = pytest.mark.anyio

STATEMENT = """
query($id: ID!, $from: Date!, $to: Date!) {
  account(id: $id) {
    statement(from: $from, to: $to) {
      opening { amount } closing { amount } entries(first: 100) { totalCount nodes { id } }
    }
  }
}"""
ENTRIES = """
query($id: ID!, $after: String, $where: TransactionFilter) {
  account(id: $id) {
    transactions(first: 9, after: $after, where: $where) {
      totalCount nodes { id } pageInfo { hasNextPage hasPreviousPage endCursor }
    }
  }
}"""
DAYS = [*days_from("2023-12-20", 60), "2024-02-29", "2024-03-01", "2026-07-31"]


@pytest.fixture
async def history(house: House) -> Backdated:
    """An account with entries whose value dates go back and forth."""
    grown = Backdated(house, await place(house), random.Random(11), DAYS)
    await grown.grow(90)
    return grown


async def test_a_period_shows_what_a_plain_model_does(history: Backdated) -> None:
    ends = [*DAYS[::7], *DAYS[-3:], "2023-12-31", "2024-01-01", "0001-01-01", "9999-12-31"]
    periods = [sorted(history.chance.choices(ends, k=2)) for _ in range(30)]
    for first, last in [*periods, ["0001-01-01", "9999-12-31"], ["2024-01-01", "2024-01-31"]]:
        given = {"id": history.account, "from": first, "to": last}
        found = (await ask(history.house, STATEMENT, **given))["account"]["statement"]
        opening, closing = history.balance(first, inside=False), history.balance(last, inside=True)
        assert (minor(found["opening"]), minor(found["closing"])) == (opening, closing), given
        shown = history.shown(lambda entry, a=first, b=last: entry.state == "POSTED" and a <= entry.day <= b)
        assert [node["id"] for node in found["entries"]["nodes"]] == shown[:100]
        assert found["entries"]["totalCount"] == len(shown)


async def test_every_filter_passes_what_it_does_in_a_plain_model(history: Backdated) -> None:
    for _ in range(20):
        first, last = sorted(history.chance.choices(DAYS, k=2))
        cases: list[tuple[dict[str, Any], Callable[[Entry], bool]]] = [
            ({"from": first}, lambda entry, a=first: entry.day >= a),
            ({"to": last}, lambda entry, b=last: entry.day <= b),
            ({"state": ["PENDING", "VOIDED"]}, lambda entry: entry.state != "POSTED"),
            ({"kind": ["FEE", "TRADE"]}, lambda entry: entry.kind in {"FEE", "TRADE"}),
            ({"symbol": "MSFT"}, lambda entry: entry.symbol == "MSFT"),
            ({"minAmount": "0"}, lambda entry: entry.amount >= 0),
        ]
        chosen = history.chance.sample(cases, history.chance.randint(1, 4))
        where = {name: value for case, _ in chosen for name, value in case.items()}
        passing = history.shown(lambda entry, tests=chosen: all(test(entry) for _, test in tests))
        assert await walked(history, where) == passing, where


async def walked(history: Backdated, where: Mapping[str, Any]) -> list[str]:
    """The ids on all pages of the account's entries that pass."""
    found: list[str] = []
    after = None
    while True:
        given = {"id": history.account, "where": where, "after": after}
        page = (await ask(history.house, ENTRIES, **given))["account"]["transactions"]
        assert page["pageInfo"]["hasPreviousPage"] is bool(found)
        found += [node["id"] for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            assert page["totalCount"] == len(found)
            return found
        after = page["pageInfo"]["endCursor"]


async def test_what_a_market_of_an_earlier_date_books_counts_from_that_date(house: House) -> None:
    account = await place(house)
    for day, amount in (("2022-03-01", "100"), ("2022-02-25", "5"), ("2022-03-02", "100")):
        async with on_day(house, day) as dated:
            deposits = [Deposit(operation_id=op(), account_id=account, amount=amount) for _ in range(5)]
            await asyncio.gather(*(dated.do(deposit) for deposit in deposits))
    async with on_day(house, "2022-02-25") as dated:
        await dated.do(Withdraw(operation_id=op(), account_id=account, amount="50"))
    for first, last, opening, closing in (
        ("2022-02-25", "2022-02-28", "0.00", "-25.00"),
        ("2022-03-01", "2022-03-01", "-25.00", "475.00"),
        ("2022-03-02", "2022-03-31", "475.00", "975.00"),
    ):
        found = (await ask(house, STATEMENT, **{"id": account, "from": first, "to": last}))["account"]["statement"]
        assert (found["opening"]["amount"], found["closing"]["amount"]) == (opening, closing)
    report = Report()
    await checks.check_tenant(house.desk, house.root, report, OrderCheck(house.desk, report))
    assert report.findings == []


@asynccontextmanager
async def on_day(house: House, day: str) -> AsyncGenerator[House]:
    """The same tenant, served where the market's date is this one."""
    market = await PaperBroker.open(MemoryStore(), shipped_prices(), date.fromisoformat(day))
    desk = replace(house.desk, market=market, prices=PriceBook(market, house.desk.database))
    yield replace(house, desk=desk, pipeline=Pipeline(desk), market=market)
    await desk.prices.aclose()


@pytest.fixture
async def short_and_long(house: House) -> tuple[str, str]:
    """An account with a month of single entries, and one with three entries on each day of three years."""
    short, long = await place(house), await place(house)
    await long_history(house, short, days_from("2022-06-01", 30), 1)
    await long_history(house, long, days_from("2021-07-01", 365 * 3), 3)
    return short, long


async def test_the_balances_of_a_period_cost_the_same_for_a_long_history(
    house: House, engine: Address, short_and_long: tuple[str, str]
) -> None:
    first, last = "2022-06-10", "2022-06-12"
    opening = [["opening", *span] for span in period_totals.before(first)]
    closing = [["closing", *span] for span in period_totals.until(last)]
    hits: list[int] = []
    for account, daily in zip(short_and_long, (1, 3), strict=True):
        found = (await balances(house.desk.database, [account], first, last))[account]
        assert found.closing - found.opening == 3 * daily
        hits.append(await db_hits(engine, BALANCES.text, {"ids": [account], "spans": [*opening, *closing]}))
    # A year, and a month of the asked year, are a total each, which both balances read; an entry is none.
    assert hits[1] - hits[0] <= 2 * 2 * (3 + 5)


@pytest.mark.parametrize(
    ("test", "window"),
    [
        (EntryTest(), Window(10)),
        (EntryTest(), Window(10, after=(21,))),
        (EntryTest(), Window(0, before=(21,), backward=True, closed=True)),
        (EntryTest(first_day="2022-06-10", last_day="2022-06-12", states=("POSTED",)), Window(2)),
        (EntryTest(first_day="2022-06-01", last_day="2022-06-20"), Window(10)),
        (EntryTest(first_day="2022-06-01"), Window(10)),
        (EntryTest(last_day="2022-06-25"), Window(10)),
    ],
)
async def test_a_page_of_entries_costs_the_same_for_a_long_history(
    house: House, engine: Address, short_and_long: tuple[str, str], test: EntryTest, window: Window
) -> None:
    query, values = page_query(transactions.listing_of(test), window)
    hits: list[int] = []
    for account in short_and_long:
        (row,) = await house.desk.database.run(query, **values, parents=[account])
        assert len(row["page"]) == window.size + 1
        hits.append(await db_hits(engine, query.text, {**values, "parents": [account]}))
    # Besides the totals of years and months: what a page and its nearest piece have at most.
    assert hits[1] - hits[0] <= 3 * (3 + 12) + 4 * values["reach"]


async def test_rare_entries_are_found_beyond_the_nearest_piece(house: House) -> None:
    account = await place(house)
    await long_history(house, account, days_from("2024-01-01", 60), 10)
    await booked(house, account, "2024-03-05", lambda book: fee(book, account))
    await long_history(house, other := await place(house), days_from("2024-01-01", 60), 10)
    for where in ({"kind": ["FEE"]}, {"kind": ["FEE"], "to": "2024-03-05"}):
        found = await ask(house, ENTRIES, id=account, where=where)
        assert found["account"]["transactions"]["totalCount"] == 1
        assert len(found["account"]["transactions"]["nodes"]) == 1
        assert (await ask(house, ENTRIES, id=other, where=where))["account"]["transactions"]["nodes"] == []
    first = {"from": "2024-01-01", "to": "2024-01-01"}
    assert len((await ask(house, ENTRIES, id=account, where=first))["account"]["transactions"]["nodes"]) == 9


def fee(book: PostingSet, account: str) -> None:
    """One fee."""
    book.book(account, -1, EntryKind.FEE)
    book.outside(Outside.FEES, 1, EntryKind.FEE)


def minor(money: Mapping[str, str]) -> int:
    """An amount of two decimals in minor units."""
    return int(Decimal(money["amount"]) * 100)
