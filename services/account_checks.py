"""The books of a page of accounts: cash by entries, holds by open orders, positions by their lots."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, localcontext

from graph import checks, positions
from graph.database import Reader, Row
from graph.money import from_minor, from_scaled, value_of
from services.facts import text
from services.findings import Report
from services.period_checks import PeriodTotals

TRIES = 10
PAUSE_SECONDS = 0.05
MOST_LINES = 100
TakeSets = Callable[[Sequence[str]], Awaitable[None]]
Holds = dict[str, tuple[int, int]]


@dataclass(slots=True)
class Books:
    """One account as it is looked at: its properties and what was found. Sums are minor units.

    Up to the instant, `posted` is what its statement shows, and `total` all that was posted to it.
    """

    account: Row
    report: Report = field(default_factory=lambda: Report(most=MOST_LINES))
    balance: int = 0
    posted: int = 0
    total: int = 0
    by_date: PeriodTotals = field(default_factory=PeriodTotals)

    def take(self, row: Row, until: str) -> None:
        """Counts one posted entry in; entries come in order of their places."""
        self.balance += row["amount"]
        self.posted += row["amount"] if row["at"] <= until else 0
        if row["balance"] != self.balance:
            stated = "missing" if row["balance"] is None else self._money(row["balance"])
            self.report.add(f"entry {row['id']}: its balance is {stated}, and should be {self._money(self.balance)}")
        if row["currency"] != self.account["currency"]:
            mine = self.account["currency"]
            self.report.add(f"entry {row['id']}: it is in {row['currency']}, its account in {mine}")

    def end_cash(self, total: int, last: int) -> None:
        """Compares the cash with the entries taken, and those with the sum of all that was posted."""
        account, self.total = self.account, total
        if self.balance != account["cash"]:
            self._add(f"its cash is {self._money(account['cash'])}, its entries sum to {self._money(self.balance)}")
        if last > account["place"]:
            self._add("it has entries after its last place")
        if total != self.posted:
            self._add("it has posted entries that are not on its statement")

    def end_totals(self, kept: Sequence[Row]) -> None:
        """Compares the totals by value date with the entries taken."""
        for words in self.by_date.findings(kept, self._money):
            self._add(words)

    def end_overdrawn(self, beyond: tuple[int, str] | None) -> None:
        """Tells that cash is below zero, and how far fills that cost more than their orders held explain it."""
        words = f"its cash is below zero: {self._money(self.account['cash'])}"
        if beyond is not None:
            minor, last = beyond
            words += f"; fills cost {self._money(minor)} beyond what their orders held, the last of them {last}"
        self._add(words)

    def end_holdings(self, held: Holds, rows: Sequence[Row], lots: Mapping[str, Sequence[Row]]) -> None:
        """Compares what is held back with the open orders, positions with their lots, and all with the status."""
        cash = sum(each for each, _ in held.values())
        if cash != self.account["held"]:
            stated = self._money(self.account["held"])
            self._add(f"it holds back {stated}, and its open orders hold {self._money(cash)}")
        self._end_closed(len(rows), sorted(held))
        selling = {symbol: quantity for symbol, (_, quantity) in held.items()}
        for row in rows:
            self.report.add(*_position(row, lots[row["id"]], selling.pop(row["symbol"], 0)))
        for symbol, quantity in selling.items():
            if quantity:
                self._add(f"open orders sell {symbol}, which it does not hold")

    def _end_closed(self, positioned: int, ordered: Sequence[str]) -> None:
        """Tells what an account that is CLOSED still has: `ordered` are the symbols of its open orders."""
        cash, held = self.account["cash"], self.account["held"]
        if self.account["status"] == "CLOSED" and (cash or held or positioned or ordered):
            has = f"{self._money(cash)}, {self._money(held)} held, {positioned} positions"
            self._add(f"it is CLOSED and has {has}, and open orders of {', '.join(ordered) or 'nothing'}")

    def _add(self, words: str) -> None:
        self.report.add(f"account {self.account['id']}: {words}")

    def _money(self, minor: int) -> str:
        currency = self.account["currency"]
        return f"{text(from_minor(minor, currency))} {currency}"


class PageCheck:
    """The check of a page of accounts, by a number of statements that the size of their books decides."""

    def __init__(self, reader: Reader, until: str, take_sets: TakeSets) -> None:
        """`take_sets` is given the posting sets of each window of entries; `until` is an instant as text."""
        self._reader = reader
        self._until = until
        self._take_sets = take_sets

    async def run(self, ids: Sequence[str], report: Report) -> list[Books]:
        """The accounts as they were found to be; adds to the report what does not add up.

        Whatever changes an account takes its lock: where the lock was taken meanwhile, findings prove nothing, and
        the account is looked at again.
        """
        done, found, left = list[Books](), dict[str, Books](), list(ids)
        for _ in range(TRIES):
            found = await self._look(left)
            report.add(*(f"account {each}: it is missing" for each in left if each not in found))
            moved = await self._moved([books for books in found.values() if not books.report.clean])
            for books in found.values():
                if books.account["id"] not in moved:
                    report.take(books.report)
                    done.append(books)
            left = moved
            if not left:
                return done
            await asyncio.sleep(PAUSE_SECONDS)
        report.add(*(f"account {each}: it changes too often to be checked now" for each in left))
        return [*done, *(found[each] for each in left)]

    async def _moved(self, doubtful: Sequence[Books]) -> list[str]:
        """Those of the accounts that are not as they were looked at any more."""
        if not doubtful:
            return []
        now = await checks.accounts(self._reader, [books.account["id"] for books in doubtful])
        as_now = {account_id: node for account_id, (node, _) in now.items()}
        return [books.account["id"] for books in doubtful if as_now.get(books.account["id"]) != books.account]

    async def _look(self, ids: Sequence[str]) -> dict[str, Books]:
        accounts = await checks.accounts(self._reader, ids)
        found = {account_id: Books(node) for account_id, (node, _) in accounts.items()}
        await self._cash(found)
        await self._holdings(found, {account_id: held for account_id, (_, held) in accounts.items()})
        return found

    async def _cash(self, found: Mapping[str, Books]) -> None:
        places = {account_id: books.account["place"] for account_id, books in found.items()}
        async for rows in checks.entries(self._reader, places):
            posted = [row for row in rows if row["state"] == "POSTED"]
            await self._take_sets([row["set"] for row in posted])
            for row in posted:
                found[row["ledger"]].take(row, self._until)
            for row in rows:
                found[row["ledger"]].by_date.take(row)
        for account_id, (total, last) in (await checks.sums(self._reader, places, self._until)).items():
            found[account_id].end_cash(total, last)
        async for account_id, kept in checks.totals(self._reader, places):
            found[account_id].end_totals(kept)
        overdrawn = [account_id for account_id, books in found.items() if books.account["cash"] < 0]
        if overdrawn:
            beyond = await checks.beyond(self._reader, overdrawn)
            for account_id in overdrawn:
                found[account_id].end_overdrawn(beyond.get(account_id))

    async def _holdings(self, found: Mapping[str, Books], counts: Mapping[str, int]) -> None:
        held = await checks.holds(self._reader, list(found))
        for batch in checks.packed(counts, checks.ROWS):
            of_accounts = await positions.of_accounts(self._reader, batch)
            every = [row["id"] for rows in of_accounts.values() for row in rows]
            lots = await checks.lots(self._reader, every) if every else {}
            for account_id, rows in of_accounts.items():
                found[account_id].end_holdings(held[account_id], rows, lots)


def _position(row: Row, lots: Sequence[Row], selling: int) -> list[str]:
    found: list[str] = []
    name = f"position {row['id']} ({row['symbol']})"
    quantity = sum(lot["quantity"] for lot in lots)
    if quantity != row["quantity"]:
        found.append(f"{name}: its quantity is {_shares(row['quantity'])}, its open lots sum to {_shares(quantity)}")
    if selling != row["held"]:
        found.append(f"{name}: it holds back {_shares(row['held'])}, open orders sell {_shares(selling)}")
    with localcontext(prec=60):
        cost = sum((value_of(lot["quantity"], Decimal(lot["price"])) for lot in lots), Decimal(0))
    if cost != Decimal(row["cost"]):
        found.append(f"{name}: its cost is {row['cost']}, its open lots cost {text(cost)}")
    return found


def _shares(scaled: int) -> str:
    return text(from_scaled(scaled))
