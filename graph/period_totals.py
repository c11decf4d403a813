"""What was posted to an account by value date: one total for each year, month and day that has entries.

Totals only ever add up, so an entry whose value date lies before others costs no more than one that comes in order. A
statement's balance is the sum of the years before a date, of the months before it in its year, and of the days before
it in its month: however long the account's history is.

A total also knows the places between which the period's entries stand, posted or not. They are never too narrow; they
are wider than need be where an entry has left its place.
"""

import secrets
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import TypeAlias

from graph.checks import MOST_SUMMED, PART, packed
from graph.database import Database, Row, Transaction
from graph.ids import Kind, kind_of
from graph.query import Query
from graph.structure import lock_accounts

PAGE = 500
# What the name of a year, a month and a day begins with.
YEAR, MONTH, DAY = "Y", "M", "D"
# Comes after every digit and hyphen.
_END = "~"
Span: TypeAlias = list[str]
"""The periods from one text on, and before another."""

ADD = Query(
    "period_totals.add",
    "UNWIND $rows AS row MERGE (t:PeriodTotal {ledger: row.ledger, period: row.period}) "
    "ON CREATE SET t.amount = row.amount, t.first = row.first, t.last = row.last "
    "ON MATCH SET t.amount = t.amount + row.amount, t.last = row.last",
)
ACCOUNTS = Query(
    "period_totals.accounts",
    "MATCH (a:Account) WHERE a.id > $after RETURN a.id AS id, a.place AS place ORDER BY id LIMIT $limit",
)
DAYS = Query(
    "period_totals.days",
    "UNWIND $ids AS id CALL (id) { MATCH (e:Entry {ledger: id}) WHERE e.place >= 0 "
    "WITH e.valueDate AS day, e.place AS place, CASE WHEN e.state = 'POSTED' THEN e.amount ELSE 0 END AS amount "
    "RETURN day, sum(amount / $part) AS high, sum(amount % $part) AS low, min(place) AS first, max(place) AS last } "
    "RETURN id, day, high, low, first, last ORDER BY id, day",
)
PUT = Query(
    "period_totals.put",
    "UNWIND $rows AS row MERGE (t:PeriodTotal {ledger: row.ledger, period: row.period}) "
    "SET t.amount = row.amount, t.first = row.first, t.last = row.last",
)


async def add(transaction: Transaction, entries: Iterable[Row]) -> None:
    """Counts in new entries, and pending ones that are posted now, of locked accounts; of others, nothing."""
    rows = [row for entry in entries if kind_of(entry["ledger"]) is Kind.ACCOUNT for row in _of_entry(entry)]
    if rows:
        await transaction.run(ADD, rows=merged(rows))


def merged(rows: Iterable[Row]) -> list[Row]:
    """One row for each period of each account, of rows in the order of their places."""
    found: dict[tuple[str, str], Row] = {}
    for row in rows:
        known = found.setdefault((row["ledger"], row["period"]), {**row, "amount": 0})
        known["amount"] += row["amount"]
        known["first"] = min(known["first"], row["first"])
        known["last"] = max(known["last"], row["last"])
    return list(found.values())


def periods(day: str) -> tuple[str, str, str]:
    """The periods that a day, an ISO date, is counted in."""
    return YEAR + day[:4], MONTH + day[:7], DAY + day


def before(day: str) -> list[Span]:
    """The spans that hold every day before this one, each once."""
    return [[YEAR, YEAR + day[:4]], [MONTH + day[:4], MONTH + day[:7]], [DAY + day[:7], DAY + day]]


def until(day: str) -> list[Span]:
    """The spans that hold every day up to this one, each once."""
    years, months, days = before(day)
    return [years, months, [days[0], days[1] + _END]]


def between(first: str, last: str) -> list[Span]:
    """The spans that hold every day from `first` to `last`, both inside, each once."""
    if first[:7] == last[:7]:
        return [[DAY + first, DAY + last + _END]]
    years, months, days = until(last)
    later_days, later_months = [DAY + first, DAY + first[:7] + _END], MONTH + first[:7] + _END
    if first[:4] == last[:4]:
        return [later_days, [later_months, months[1]], days]
    later_years = [YEAR + first[:4] + _END, years[1]]
    return [later_days, [later_months, MONTH + first[:4] + _END], later_years, months, days]


async def rebuild(database: Database, go_on: Callable[[], Awaitable[None]]) -> None:
    """Makes the totals of every account from its entries. `go_on` is called between some accounts and the next.

    It may be broken off and done again. Raises EngineUnavailable.
    """
    after = ""
    while page := await database.run(ACCOUNTS, after=after, limit=PAGE):
        for ids in packed({row["id"]: row["place"] for row in page}, MOST_SUMMED):
            await database.write(partial(_rebuild, ids=ids), queue="period_totals")
            await go_on()
        after = page[-1]["id"]


async def _rebuild(transaction: Transaction, ids: Sequence[str]) -> None:
    await lock_accounts(transaction, ids, secrets.token_hex(8))
    found = await transaction.run(DAYS, ids=list(ids), part=PART)
    rows = merged(row for day in found for row in _of_day(day))
    if rows:
        await transaction.run(PUT, rows=rows)


def _of_entry(entry: Row) -> list[Row]:
    amount = entry["amount"] if entry["state"] == "POSTED" else 0
    return _rows(entry["ledger"], entry["valueDate"], amount, entry["place"], entry["place"])


def _of_day(day: Row) -> list[Row]:
    return _rows(day["id"], day["day"], day["high"] * PART + day["low"], day["first"], day["last"])


def _rows(ledger: str, day: str, amount: int, first: int, last: int) -> list[Row]:
    row: Row = {"ledger": ledger, "amount": amount, "first": first, "last": last}
    return [{**row, "period": period} for period in periods(day)]
