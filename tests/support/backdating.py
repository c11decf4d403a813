"""Entries of any value date, posted as the services post them, and a plain model of what a statement shows of them."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from graph import accounts, clock, ledger, period_totals
from graph.database import Row, Transaction
from graph.ids import Kind, new_id
from graph.structure import lock_accounts
from services.posting import EntryKind, Occasion, Outside, PostingSet
from tests.support.house import House, op

KINDS = (EntryKind.DEPOSIT, EntryKind.FEE, EntryKind.TRADE)
Book = Callable[[PostingSet], None]


async def booked(house: House, account: str, day: str, write: Book) -> None:
    """Writes one posting set of an account, whose entries have this value date."""

    async def work(transaction: Transaction) -> None:
        await lock_accounts(transaction, [account], op())
        found = await accounts.find(transaction, [account])
        occasion = Occasion(new_id(Kind.OPERATION), clock.to_text(clock.now()), day)
        book = PostingSet(found, occasion)
        write(book)
        await book.write(transaction)

    await house.desk.database.write(work, queue=house.root)


@dataclass(slots=True)
class Entry:
    """One entry of the model; its list is in the order of places."""

    id: str
    day: str
    amount: int
    kind: str
    state: str = "POSTED"
    symbol: str | None = None


@dataclass(slots=True)
class Backdated:
    """An account and all its entries, of days in any order."""

    house: House
    account: str
    chance: random.Random
    days: Sequence[str]
    entries: list[Entry] = field(default_factory=list[Entry])

    async def grow(self, steps: int) -> None:
        """Posts, holds, fills and voids, at days that mostly go on and sometimes lie before."""
        for step in range(steps):
            latest = self.days[(step * len(self.days)) // steps]
            day = self.chance.choice(self.days) if self.chance.random() < 0.25 else latest
            waiting = [entry for entry in self.entries if entry.state == "PENDING"]
            if waiting and self.chance.random() < 0.4:
                await self._end(self.chance.choice(waiting), day)
            else:
                await self._begin(day)

    async def _begin(self, day: str) -> None:
        kind, amount = self.chance.choice(KINDS), self.chance.choice((-1, 1)) * self.chance.randint(1, 10**9)
        symbol = self.chance.choice((None, "AAPL", "MSFT"))
        new = Entry("", day, amount, kind.value, symbol=symbol)

        def post(book: PostingSet) -> None:
            new.id = book.book(self.account, amount, kind, symbol=symbol)
            book.outside(Outside.MARKET, -amount, kind)

        def wait(book: PostingSet) -> None:
            new.state, new.kind = "PENDING", "TRADE"
            new.id = book.pending(self.account, amount, EntryKind.TRADE, symbol=symbol)

        await booked(self.house, self.account, day, wait if self.chance.random() < 0.2 else post)
        self.entries.append(new)

    async def _end(self, entry: Entry, day: str) -> None:
        pending: Row = {"id": entry.id, "state": "PENDING", "amount": entry.amount}
        amount = entry.amount + 1

        def fill(book: PostingSet) -> None:
            book.book(self.account, amount, EntryKind.TRADE, entry.id, symbol=entry.symbol)
            book.outside(Outside.MARKET, -amount, EntryKind.TRADE)

        if self.chance.random() < 0.5:
            await booked(self.house, self.account, day, lambda book: book.amend(pending, state="VOIDED"))
            entry.state = "VOIDED"
            return
        await booked(self.house, self.account, day, fill)
        self.entries.remove(entry)
        self.entries.append(Entry(entry.id, day, amount, "TRADE", symbol=entry.symbol))

    def balance(self, last: str, *, inside: bool) -> int:
        """What was posted up to a day, or before it, in minor units."""
        return sum(
            entry.amount
            for entry in self.entries
            if entry.state == "POSTED" and (entry.day <= last if inside else entry.day < last)
        )

    def shown(self, test: Callable[[Entry], bool]) -> list[str]:
        """The ids of the entries that pass, newest first."""
        return [entry.id for entry in reversed(self.entries) if test(entry)]


async def long_history(house: House, account: str, days: Sequence[str], daily: int) -> None:
    """So many entries of one minor unit for each of the days, one after the other, by few statements."""
    found = (await accounts.find(house.desk.database, [account]))[account]
    common = {"root": house.root, "ledger": account, "currency": "USD", "kind": "DEPOSIT", "state": "POSTED"}
    places = range(1, len(days) * daily + 1)
    rows = [
        {**common, "id": new_id(Kind.ENTRY), "set": new_id(Kind.POSTING_SET), "amount": 1, "balanceAfter": place,
         "place": place, "operation": new_id(Kind.OPERATION), "at": clock.to_text(clock.now()),
         "valueDate": days[(place - 1) // daily]}
        for place in places
    ]  # fmt: skip

    async def work(transaction: Transaction) -> None:
        await lock_accounts(transaction, [account], op())
        await ledger.create_entries(transaction, rows)
        await period_totals.add(transaction, rows)
        held = {"id": account, "cash": len(rows), "held": found["held"], "place": len(rows)}
        await ledger.set_cash(transaction, [held])

    await house.desk.database.write(work, queue=house.root)


def days_from(first: str, number: int) -> list[str]:
    """So many ISO dates, one after the other."""
    start = date.fromisoformat(first)
    return [(start + timedelta(days=count)).isoformat() for count in range(number)]
