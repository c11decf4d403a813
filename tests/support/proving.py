"""Holds what the servers and the graph say at the end against the model of what was acknowledged."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from graph import operations, users
from graph.database import Database, Row
from graph.ids import Kind, kind_of
from tests.support.api import Api
from tests.support.cashbooks import WAITING, Cashbooks, Holder
from tests.support.graphs import statement

PAGE = """
query($id: ID!, $after: String) { account(id: $id) {
  cash { amount } available { amount } version statement(from: "1970-01-01", to: "2999-12-31") {
    opening { amount } closing { amount } entries(first: 100, after: $after) {
      totalCount pageInfo { hasNextPage endCursor } nodes {
        id kind state amount { amount currency } balanceAfter { amount } at operation { id } corrects { id }
        counterparty { id } } } } } }"""
ENTRIES = statement(
    "MATCH (e:Entry) WHERE e.root IN $roots RETURN e.operation AS operation, e.ledger AS ledger, e.amount AS amount, "
    "e.currency AS currency, e.state AS state, e.set AS set"
)
OPERATIONS = statement(
    "UNWIND $keys AS key MATCH (o:Operation {key: key}) RETURN key, o.id AS id, o.state AS state ORDER BY key"
)
BATCH = 1_000


async def require_statements(apis: Sequence[Api], books: Cashbooks) -> int:
    """Asserts that each account's statement is what was acknowledged, entry by entry; how many entries there are."""
    posted = _entries_of(books)
    short = defaultdict[str, set[int]](set)
    for account, has in books.short:
        short[account].add(has)
    total = 0
    for number, holder in enumerate(books.holders.values()):
        balances = await _require_statement(apis[number % len(apis)], holder, posted[holder.id])
        assert short[holder.id] <= balances, f"{holder.id} was said to have what it never had"
        total += len(posted[holder.id])
    return total


def _entries_of(books: Cashbooks) -> dict[str, dict[str, dict[str, Any]]]:
    """What each entry must be, by account and id."""
    found: dict[str, dict[str, dict[str, Any]]] = {account: {} for account in books.holders}
    for posting in books.postings:
        request, accounts = posting.request, set(posting.entries)
        for account, entry in posting.entries.items():
            other = accounts - {account}
            found[account][entry] = {
                "id": entry,
                "kind": request.kind,
                "amount": request.lines[account],
                "operation": posting.operation,
                "corrects": request.corrects.entries[account] if request.corrects else None,
                "counterparty": other.pop() if other else None,
            }
    return found


async def _require_statement(api: Api, holder: Holder, posted: dict[str, dict[str, Any]]) -> set[int]:
    """Asserts that an account's statement is right; every balance that the account ever had."""
    entries, account = await _statement(api, holder)
    balance, at, balances = 0, "", {0}
    for entry in entries:
        amount = holder.minor(entry["amount"]["amount"])
        told = {
            "id": entry["id"],
            "kind": entry["kind"],
            "amount": amount,
            "operation": entry["operation"]["id"],
            "corrects": (entry["corrects"] or {"id": None})["id"],
            "counterparty": (entry["counterparty"] or {"id": None})["id"],
        }
        assert told == posted.get(entry["id"]), f"{holder.id}: {told} was never acknowledged so"
        assert (entry["state"], entry["amount"]["currency"]) == ("POSTED", holder.currency), entry
        balance += amount
        assert holder.minor(entry["balanceAfter"]["amount"]) == balance, f"{holder.id}: {entry}, not {balance}"
        assert balance >= 0, f"{holder.id} was overdrawn at {entry}"
        assert entry["at"] > at, f"{holder.id}: {entry} is not later than the one before it"
        at = entry["at"]
        balances.add(balance)
    assert len(entries) == len(posted), f"{holder.id}: entries that were acknowledged are not on its statement"
    assert balance == sum(entry["amount"] for entry in posted.values())
    told_at_once = (account["cash"], account["available"], account["statement"]["closing"])
    assert [holder.minor(money["amount"]) for money in told_at_once] == [balance] * 3, account
    assert holder.minor(account["statement"]["opening"]["amount"]) == 0, account
    assert sorted(holder.versions) == list(range(min(holder.versions), account["version"] + 1)), account
    return balances


async def _statement(api: Api, holder: Holder) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Every entry of an account, oldest first, and the account as it was asked for with the last of them."""
    entries: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        account = (await api.ask(PAGE, id=holder.id, after=after))["account"]
        page = account["statement"]["entries"]
        entries += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            assert page["totalCount"] == len(entries) == len({entry["id"] for entry in entries}), holder.id
            return entries[::-1], account
        after = page["pageInfo"]["endCursor"]


async def require_effects(database: Database, books: Cashbooks) -> int:
    """Asserts that each operation id had the effect that was acknowledged, once, or none; how many had one.

    All that there is in the tenants is looked at, so that nothing is there beside it.
    """
    roots = sorted({holder.root for holder in books.holders.values()})
    rows = await database.run(ENTRIES, roots=roots)
    assert {row["state"] for row in rows} <= {"POSTED"}, "no entry waits"
    lines = defaultdict[str, Counter[str]](Counter)
    sets = defaultdict[str, set[str]](set)
    for row in rows:
        lines[row["operation"]][row["ledger"]] += row["amount"]
        sets[row["operation"]].add(row["set"])
    assert {operation: dict(found) for operation, found in lines.items()} == _lines_of(books)
    assert {len(found) for found in sets.values()} <= {1}, "an operation posts one set"
    assert sum(len(found) for found in lines.values()) == len(rows), "a set has one entry on each ledger"
    _require_conserved(rows, books)
    return len(lines)


def _lines_of(books: Cashbooks) -> dict[str, dict[str, int]]:
    """What each acknowledged operation posts on each ledger, the one outside too."""
    found: dict[str, dict[str, int]] = {}
    for posting in books.postings:
        request, lines = posting.request, dict(posting.request.lines)
        if request.outside:
            holder = books.holders[next(iter(lines))]
            lines[f"{holder.root}:{holder.currency}:{request.outside}"] = -sum(request.lines.values())
        found[posting.operation] = lines
    return found


def _require_conserved(rows: Sequence[Row], books: Cashbooks) -> None:
    """Asserts that, in each currency, what the accounts have is what came from outside, and all sums to zero."""
    inside, outside = Counter[str](), Counter[str]()
    for row in rows:
        side = inside if kind_of(row["ledger"]) is Kind.ACCOUNT else outside
        side[row["currency"]] += row["amount"]
    assert {currency: -total for currency, total in outside.items()} == dict(inside)
    acknowledged = Counter[str]()
    for posting in books.postings:
        for account, minor in posting.request.lines.items():
            acknowledged[books.holders[account].currency] += minor
    assert acknowledged == inside


async def require_operations(database: Database, books: Cashbooks) -> None:
    """Asserts that each id that was asked for names the one Operation that was told of, in its state, or none."""
    names = sorted({user for user, _ in books.asked})
    ids = {name: (await users.by_key(database, name) or {"id": ""})["id"] for name in names}
    keys = {operations.key_of(ids[user], asked): (user, asked) for user, asked in books.asked}
    found: dict[tuple[str, str], tuple[str, str]] = {}
    wanted = list(keys)
    for start in range(0, len(wanted), BATCH):
        for row in await database.run(OPERATIONS, keys=wanted[start : start + BATCH]):
            assert keys[row["key"]] not in found, f"{row} is a second operation of one id"
            found[keys[row["key"]]] = (row["id"], row["state"])
    expired = {key for key in found if books.operations.get(key, ("", ""))[1] == WAITING}
    assert {found[key][1] for key in expired} <= {WAITING, "REJECTED"}
    assert {key: told for key, told in found.items() if key not in expired} == {
        key: told for key, told in books.operations.items() if key not in expired
    }
