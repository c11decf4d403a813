"""The check of the books: silent on what the house wrote itself, one plain line for each thing that is altered."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from graph import checks as graph_checks
from graph.checks import PAGE
from graph.database import Transaction
from graph.query import Query
from services import checks
from services.desk import Desk
from services.findings import MAX_LINES, Report
from services.ledger import Deposit, Transfer, Withdraw
from services.market.port import LookupUnsupported, Market, MarketUnavailable, NotKnown, OrderReport
from services.order_checks import OrderCheck
from tests.support.house import House, op
from tests.support.reads import PLACE, account_row, write
from tests.support.trading import an_account, books, cancel, operation_of, order_of, place
from tests.support.tree import counted

pytestmark = pytest.mark.anyio

SET_ACCOUNT = Query("test.checks.account", "MATCH (n:Account {id: $id}) SET n += $to")
SET_ENTRY = Query("test.checks.entry", "MATCH (n:Entry {id: $id}) SET n += $to")
SET_POSITION = Query("test.checks.position", "MATCH (n:Position {id: $id}) SET n += $to")
SET_ORDER = Query("test.checks.order", "MATCH (n:Order {id: $id}) SET n += $to")
SET_OPERATION = Query("test.checks.operation", "MATCH (n:Operation {id: $id}) SET n += $to")
SET_FEED = Query("test.checks.feed", "MATCH (n:Feed {id: $id}) SET n += $to")
SET_RECORD = Query("test.checks.record", "MATCH (n:Change {feed: $id, number: 2}) SET n += $to")
DROP_RECORD = Query("test.checks.drop_record", "MATCH (n:Change {feed: $id, number: 2}) SET n.number = $to")
ADD_ENTRY = Query("test.checks.add_entry", "CREATE (n:Entry {id: $id}) SET n += $to")


async def look(house: House, market: Market | None = None) -> Report:
    """What the check says of the test's own tenant."""
    desk = house.desk
    if market is not None:
        desk = Desk(desk.database, desk.protocol, market, desk.prices, desk.installation)
    report = Report()
    await checks.check_tenant(desk, house.root, report, OrderCheck(desk, report))
    return report


async def alter(house: House, query: Query, node: str, to: Any) -> None:
    """Changes a node behind the house's back."""

    async def work(transaction: Transaction) -> None:
        await transaction.run(query, id=node, to=to)

    await house.desk.database.write(work, queue="test")


def only(report: Report, *parts: str) -> bool:
    """Whether there is one finding for these parts, and no other."""
    return len(report.findings) == 1 and all(part in report.findings[0] for part in parts)


async def a_busy_tenant(house: House) -> tuple[str, str]:
    """Two accounts with deposits, transfers, trades, an open order and a cancelled one; their ids."""
    one, other = await an_account(house), await an_account(house, "500")
    await house.do(Transfer(operation_id=op(), from_id=one, to_id=other, amount="250.25"))
    await house.do(Withdraw(operation_id=op(), account_id=other, amount="100"))
    await place(house, one, "BUY", "10")
    await place(house, one, "BUY", "2.5", "MSFT")
    await place(house, one, "SELL", "4")
    await place(house, one, "SELL", "3", limit_price="100000", time_in_force="GTC")
    await place(house, one, "BUY", "1", limit_price="1", time_in_force="GTC")
    await cancel(house, (await place(house, one, "BUY", "1", limit_price="2", time_in_force="GTC")).operation)
    return one, other


async def test_what_the_house_wrote_adds_up(house: House) -> None:
    await a_busy_tenant(house)
    paper = await an_account(house, simulated=True)
    await place(house, paper, "BUY", "1")
    report = await look(house)
    assert (report.findings, report.notes) == ([], [])
    assert report.clean
    assert report.accounts == 3
    assert report.orders == 6, "the SIMULATED order is not asked for"
    assert report.records > 10


async def test_cash_that_its_entries_do_not_make_is_found(house: House) -> None:
    account = await an_account(house, "12.50")
    await alter(house, SET_ACCOUNT, account, {"cash": 1251})
    assert only(await look(house), account, "12.51 USD", "12.50 USD")


async def test_a_closed_account_that_still_has_something_is_found(house: House) -> None:
    empty, full = await an_account(house, None), await an_account(house, "100")
    await place(house, full, "BUY", "0.1")
    await place(house, full, "BUY", "1", limit_price="1", time_in_force="GTC")
    ordering = await an_account(house, "0.01")
    await place(house, ordering, "BUY", "0.001", "MSFT", limit_price="10", time_in_force="GTC")
    await alter(house, SET_ACCOUNT, empty, {"status": "CLOSED"})
    assert (await look(house)).findings == []
    await alter(house, SET_ACCOUNT, full, {"status": "CLOSED"})
    assert only(await look(house), f"account {full}: it is CLOSED", "1.00 USD held, 1 positions", "open orders of AAPL")
    await alter(house, SET_ACCOUNT, full, {"status": "ACTIVE"})
    await alter(house, SET_ACCOUNT, ordering, {"status": "CLOSED"})
    assert only(await look(house), f"account {ordering}: it is CLOSED", "0 positions", "open orders of MSFT")


async def test_a_changed_entry_is_found_wherever_it_counts(house: House) -> None:
    account = await an_account(house, "12.50")
    entry = (await books(house, account)).entries[0]
    await alter(house, SET_ENTRY, entry["id"], {"amount": 1249})
    found = "\n".join((await look(house)).findings)
    for part in (f"account {account}:", f"entry {entry['id']}:", f"set {entry['set']}:", f"tenant {house.root}:"):
        assert part in found


async def test_a_wrong_running_balance_is_found(house: House) -> None:
    account = await an_account(house, "1")
    await house.do(Deposit(operation_id=op(), account_id=account, amount="2"))
    entry = (await books(house, account)).entries[0]
    await alter(house, SET_ENTRY, entry["id"], {"balanceAfter": 99})
    assert only(await look(house), entry["id"], "0.99 USD", "1.00 USD")


async def test_an_entry_that_no_statement_shows_is_found(house: House) -> None:
    account = await an_account(house, "1")
    entry = (await books(house, account)).entries[0]
    stray = {**entry, "id": op(), "set": op()}
    del stray["place"]
    await alter(house, ADD_ENTRY, stray["id"], stray)
    found = "\n".join((await look(house)).findings)
    assert "not on its statement" in found
    assert f"tenant {house.root}: all posted USD entries sum to 1.00 USD" in found


async def test_an_entry_of_the_outside_alone_is_found(house: House) -> None:
    account = await an_account(house, "1")
    entry = (await books(house, account)).entries[0]
    stray = {**entry, "id": op(), "set": op(), "ledger": f"{house.root}:USD:fees"}
    del stray["place"]
    await alter(house, ADD_ENTRY, stray["id"], stray)
    assert only(await look(house), f"tenant {house.root}: all posted USD entries sum to 1.00 USD")


async def test_paper_money_never_balances_real_money(house: House) -> None:
    account = await an_account(house, "1")
    await alter(house, SET_ACCOUNT, account, {"simulated": True})
    assert only(await look(house), f"tenant {house.root}: all posted SIMULATED USD entries sum to 1.00 USD")


async def test_cash_below_zero_is_found(house: House) -> None:
    account = await an_account(house, "1")
    entry = (await books(house, account)).entries[0]
    await alter(house, SET_ENTRY, entry["id"], {"amount": -100, "balanceAfter": -100})
    await alter(house, SET_ACCOUNT, account, {"cash": -100})
    assert any("below zero: -1.00 USD" in line for line in (await look(house)).findings)


async def test_holds_that_no_open_order_explains_are_found(house: House) -> None:
    account, _ = await a_busy_tenant(house)
    held = (await books(house, account)).account["held"]
    await alter(house, SET_ACCOUNT, account, {"held": held + 1})
    assert only(await look(house), account, "it holds back")
    await alter(house, SET_ACCOUNT, account, {"held": held})
    position = (await books(house, account)).positions["AAPL"]
    await alter(house, SET_POSITION, position["id"], {"held": position["held"] - 1})
    assert only(await look(house), position["id"], "open orders sell 3")


@pytest.mark.parametrize(("name", "to"), [("quantity", 1), ("cost", "1.5")])
async def test_a_position_that_its_lots_do_not_make_is_found(house: House, name: str, to: Any) -> None:
    account, _ = await a_busy_tenant(house)
    position = (await books(house, account)).positions["MSFT"]
    await alter(house, SET_POSITION, position["id"], {name: to})
    assert only(await look(house), position["id"], "MSFT", name)


async def test_a_journal_that_was_tampered_with_is_found(house: House) -> None:
    await an_account(house, "1")
    await alter(house, SET_RECORD, house.root, {"actor": "somebody else"})
    assert only(await look(house), house.root, "record 2", "own hash")


async def test_a_record_that_is_gone_is_found(house: House) -> None:
    await an_account(house, "1")
    await alter(house, DROP_RECORD, house.root, 1_000_000)
    assert only(await look(house), house.root, "record 2 is missing")


async def test_a_head_that_is_not_its_last_record_is_found(house: House) -> None:
    await an_account(house, "1")
    await alter(house, SET_FEED, house.root, {"hash": "0" * 64})
    assert only(await look(house), house.root, "head")


async def test_an_ended_operation_without_its_end_is_found(house: House) -> None:
    account = await an_account(house, None)
    done = await house.do(Deposit(operation_id=op(), account_id=account, amount="1"))
    await alter(house, SET_OPERATION, done.operation, {"finishedAt": None})
    assert only(await look(house), done.operation, "SUCCEEDED")
    assert (await operation_of(house, done.operation))["state"] == "SUCCEEDED"


async def test_orders_that_differ_from_the_market_are_found(house: House) -> None:
    account = await an_account(house)
    order = await order_of(house, (await place(house, account, "BUY", "2")).operation)
    await alter(house, SET_ORDER, order["id"], {"charged": "77"})
    assert only(await look(house), order["id"], "commission 77", "the market says")


class Telling(Market):
    """A market whose word on every order is fixed; the rest of it is not used."""

    def __init__(self, said: OrderReport | NotKnown | Exception) -> None:
        self.said = said
        self.asked: list[str] = []

    async def order(self, order_id: str) -> OrderReport | NotKnown:
        self.asked.append(order_id)
        if isinstance(self.said, Exception):
            raise self.said
        return self.said

    async def quotes(self, symbols: Any) -> Any:
        raise MarketUnavailable

    async def execute(self, order: Any) -> Any:
        raise MarketUnavailable

    async def cancel(self, order_id: str) -> Any:
        raise MarketUnavailable

    async def positions(self, account_id: str) -> Any:
        raise MarketUnavailable

    async def market_date(self) -> Any:
        raise MarketUnavailable

    async def healthy(self) -> bool:
        return True

    async def aclose(self) -> None:
        """Holds nothing."""


async def test_an_order_that_the_market_forgot_is_found(house: House) -> None:
    account = await an_account(house)
    order = await order_of(house, (await place(house, account, "BUY", "2")).operation)
    assert only(await look(house, Telling(NotKnown(final=True))), order["id"], "knows no such order")


@pytest.mark.parametrize("error", [LookupUnsupported("no"), MarketUnavailable("gone")])
async def test_a_market_that_cannot_be_asked_is_a_note(house: House, error: Exception) -> None:
    account = await an_account(house)
    for _ in range(10):
        await place(house, account, "BUY", "1")
    market = Telling(error)
    report = await look(house, market)
    assert (report.findings, len(report.notes), report.orders) == ([], 1, 0)
    assert report.market_answers is isinstance(error, LookupUnsupported)
    assert len(market.asked) < 10, "it is not asked over and over"


async def test_an_open_order_that_fills_meanwhile_is_no_fault(house: House) -> None:
    account = await an_account(house)
    placed = await place(house, account, "BUY", "2", limit_price="1", time_in_force="GTC")
    booked = await order_of(house, placed.operation)
    ahead = OrderReport(booked["id"], (await house.market.order(booked["id"])).status, Decimal(1), Decimal(1))  # type: ignore[union-attr]
    report = await look(house, Telling(ahead))
    assert report.findings == []
    assert only_note(report.notes, booked["id"])


def only_note(notes: Sequence[str], part: str) -> bool:
    """Whether there is one note, about this."""
    return len(notes) == 1 and part in notes[0]


async def test_it_stays_silent_while_money_moves(house: House) -> None:
    accounts = [await an_account(house, "100") for _ in range(3)]
    looked = asyncio.Event()

    async def move(start: int) -> None:
        turn = start
        while not looked.is_set():
            one, other = accounts[turn % 3], accounts[(turn + 1) % 3]
            await house.do(Transfer(operation_id=op(), from_id=one, to_id=other, amount="0.01"))
            turn += 1

    async with asyncio.TaskGroup() as tasks:
        for start in range(3):
            tasks.create_task(move(start))
        reports = [await look(house) for _ in range(5)]
        looked.set()
    assert [report.findings for report in reports] == [[]] * 5


async def test_it_takes_as_many_statements_for_many_accounts_as_for_few(house: House) -> None:
    group = await house.group("Below")
    await write(house, PLACE, rows=rows_of(house, group, 1))
    await a_busy_tenant(house)
    few = await statements_of_a_look(house, accounts=3)
    for _ in range(4):
        await a_busy_tenant(house)
    await write(house, PLACE, rows=rows_of(house, group, 200))
    assert await statements_of_a_look(house, accounts=211) == few
    await write(house, PLACE, rows=rows_of(house, house.root, PAGE))
    many = await statements_of_a_look(house, accounts=211 + PAGE)
    added = many - few
    assert max(added.values()) == 1, "a second page takes each statement once more"


async def statements_of_a_look(house: House, accounts: int) -> Counter[str]:
    """How often each statement of a clean look ran, but for the one that reads the journal, window by window."""
    with counted(house) as names:
        report = await look(house, Telling(LookupUnsupported("no")))
    assert (report.findings, report.accounts) == ([], accounts)
    return Counter(names) - Counter({name: names.count(name) for name in ("checks.records",)})


def rows_of(house: House, parent: str, number: int) -> list[dict[str, Any]]:
    """So many empty accounts for a statement that makes them in a group."""
    return [{"parent": parent, "properties": account_row(house.root)} for _ in range(number)]


async def test_it_looks_at_everything_also_window_by_window(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph_checks, "PAGE", 2)
    monkeypatch.setattr(graph_checks, "ROWS", 3)
    monkeypatch.setattr(graph_checks, "MOST_SUMMED", 5)
    account, other = await a_busy_tenant(house)
    below = await house.group("Below", await house.group("Group"))
    await write(house, PLACE, rows=rows_of(house, below, 5))
    report = await look(house)
    assert (report.findings, report.accounts, report.orders) == ([], 7, 6)
    assert len((await books(house, account)).entries) > 2 * 3
    last = (await books(house, account)).entries[-1]
    await alter(house, SET_ENTRY, last["id"], {"balanceAfter": 1} if last["state"] == "POSTED" else {"state": "POSTED"})
    position = (await books(house, account)).positions["MSFT"]
    await alter(house, SET_POSITION, position["id"], {"cost": "1.5"})
    await alter(house, SET_ACCOUNT, other, {"cash": 1})
    found = "\n".join((await look(house)).findings)
    for part in (last["id"], position["id"], f"account {other}: its cash is 0.01 USD"):
        assert part in found


async def test_an_account_that_changes_between_two_looks_is_looked_at_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    account, wrong = await an_account(house, "1"), await an_account(house, "1")
    await alter(house, SET_ACCOUNT, wrong, {"cash": 99})
    read, looks = graph_checks.holds, list[list[str]]()

    async def late(reader: Any, accounts: Sequence[str]) -> Any:
        looks.append(list(accounts))
        if len(looks) == 1:
            await place(house, account, "BUY", "0.1", limit_price="1", time_in_force="GTC")
        return await read(reader, accounts)

    monkeypatch.setattr(graph_checks, "holds", late)
    assert only(await look(house), wrong, "0.99 USD")
    assert [len(accounts) for accounts in looks] == [2, 1]
    assert looks[1] == [account]


def test_batches_keep_to_their_weight() -> None:
    weights = {"a": 2, "b": 3, "c": 9, "d": 0, "e": 5, "f": 1}
    assert list(graph_checks.packed(weights, 5)) == [["a", "b"], ["c"], ["d", "e"], ["f"]]
    assert list(graph_checks.packed({}, 5)) == []


def test_a_report_takes_the_lines_of_another_one() -> None:
    report, other = Report(), Report(most=2)
    other.add("one", "two", "three")
    report.take(other)
    assert (report.findings, report.more) == (["one", "two"], 1)


def test_a_report_keeps_its_size() -> None:
    report = Report()
    for _ in range(3):
        report.add(*["a line"] * 400)
    assert (len(report.findings), report.more) == (MAX_LINES, 200)
    assert not report.clean
