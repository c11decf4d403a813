"""Proves that the books add up: tenant by tenant, page by page, also while a server changes them.

What is summed is summed up to the head of the tenant's feed, as it is when the check comes to the tenant: everything
up to there is committed, and nothing posted is ever edited.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from graph import checks, journal
from graph.checks import Head
from graph.database import Reader
from graph.money import from_minor
from services.account_checks import PageCheck
from services.desk import Desk
from services.facts import text
from services.findings import Report
from services.order_checks import OrderCheck
from services.posting import Outside
from services.total_checks import check_totals

FINAL = ("SUCCEEDED", "REJECTED", "FAILED", "CANCELLED")
_BATCH = 1_000


async def check(desk: Desk) -> Report:
    """What does not add up, and what could not be proved. Raises EngineUnavailable.

    It changes nothing, but for totals that are folded up to now.
    """
    report = Report()
    orders = OrderCheck(desk, report)
    await _check_feed(desk.database, desk.installation, report)
    async for root in checks.tenants(desk.database, desk.installation):
        await check_tenant(desk, root, report, orders)
        await check_totals(desk.database, root, report)
    return report


async def check_tenant(desk: Desk, root: str, report: Report, orders: OrderCheck) -> None:
    """Adds to the report what does not add up in one tenant."""
    head = await _check_feed(desk.database, root, report)
    if head is None:
        return
    tenant = _Tenant(desk.database, root, head, report)
    async for page in checks.accounts_of(desk.database, root):
        await tenant.take(page)
        await orders.check(page)
    await tenant.end()


@dataclass(frozen=True, slots=True)
class _Book:
    """What never mixes: a currency, of real accounts or of SIMULATED ones."""

    currency: str
    simulated: bool

    def __str__(self) -> str:
        return f"{'SIMULATED ' if self.simulated else ''}{self.currency}"


class _Tenant:
    """One tenant's accounts, checked page by page, and its totals."""

    def __init__(self, reader: Reader, root: str, head: Head, report: Report) -> None:
        self._reader = reader
        self._root = root
        self._head = head
        self._report = report
        self._totals: Counter[_Book] = Counter()
        self._sets: set[str] = set()
        self._accounts = PageCheck(reader, head.at, self._take_sets)

    async def take(self, page: Sequence[str]) -> None:
        """Checks a page of accounts by themselves, and counts them in."""
        self._report.accounts += len(page)
        for books in await self._accounts.run(page, self._report):
            self._totals[_Book(books.account["currency"], books.account["simulated"])] += books.total

    async def _take_sets(self, sets: Sequence[str]) -> None:
        self._sets.update(sets)
        if len(self._sets) >= _BATCH:
            await self._check_sets()

    async def _check_sets(self) -> None:
        sets = sorted(self._sets)
        self._sets.clear()
        for start in range(0, len(sets), _BATCH):
            for row in await checks.uneven_sets(self._reader, sets[start : start + _BATCH]):
                amount = _amount(row["total"], row["currency"])
                self._report.add(f"posting set {row['set']}: its entries sum to {amount}, not to zero")

    async def end(self) -> None:
        """Checks what concerns the tenant as a whole."""
        await self._check_sets()
        for book, total in self._totals.items():
            paper = ":paper" if book.simulated else ""
            outside = {
                f"{self._root}:{book.currency}:{purpose.value}{paper}": checks.MOST_SUMMED for purpose in Outside
            }
            total += sum(each for each, _ in (await checks.sums(self._reader, outside, self._head.at)).values())
            if total:
                amount = _amount(total, book.currency)
                self._report.add(f"tenant {self._root}: all posted {book} entries sum to {amount}, not to zero")


async def _check_feed(reader: Reader, feed: str, report: Report) -> Head | None:
    """Checks a feed's records and its operations; its head as it was at first."""
    head = await checks.head(reader, feed)
    if head is None:
        report.add(f"feed {feed}: it is missing")
        return None
    await _check_records(reader, feed, head, report)
    for row in await checks.unfinished(reader, feed, FINAL):
        report.add(f"operation {row['id']}: it is {row['state']} and lacks the instant of its end")
    return head


async def _check_records(reader: Reader, feed: str, head: Head, report: Report) -> None:
    number, previous, at = 0, journal.NO_HASH, ""
    async for rows in checks.records(reader, feed, head.number):
        for record in rows:
            if record["number"] != number + 1:
                report.add(f"feed {feed}: record {number + 1} is missing")
            elif record["previousHash"] != previous:
                report.add(f"feed {feed}: record {record['number']} does not follow the hash of the one before it")
            if journal.record_hash(record) != record["hash"]:
                report.add(f"feed {feed}: record {record['number']} does not have its own hash")
            if record["at"] <= at:
                report.add(f"feed {feed}: record {record['number']} is not later than the one before it")
            number, previous, at = record["number"], record["hash"], record["at"]
    report.records += number
    if (number, previous) != (head.number, head.hash):
        report.add(f"feed {feed}: its head is number {head.number}, and its last record {number} does not match it")


def _amount(minor: int, currency: str) -> str:
    return f"{text(from_minor(minor, currency))} {currency}"
