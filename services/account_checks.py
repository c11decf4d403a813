"""One account's books: its cash by its entries, its holds by its open orders, its positions by their lots."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal, localcontext

from graph import checks, positions
from graph.database import Reader, Row
from graph.money import from_minor, from_scaled, value_of
from services.facts import text

TRIES = 10
PAUSE_SECONDS = 0.05
TakeSets = Callable[[Sequence[str]], Awaitable[None]]


class AccountCheck:
    """The check of one account. `posted` is then the sum, in minor units, of what was posted up to the instant."""

    def __init__(self, reader: Reader, account_id: str, until: str) -> None:
        self._reader = reader
        self._id = account_id
        self._until = until
        self.account: Row = {}
        self.posted = 0

    async def run(self, take_sets: TakeSets) -> list[str]:
        """What does not add up. `take_sets` is given the posting sets of each window of its entries.

        Whatever changes an account takes its lock: where the lock was taken meanwhile, findings prove nothing, and
        the account is looked at again.
        """
        for _ in range(TRIES):
            self.account = await checks.account(self._reader, self._id) or {}
            if not self.account:
                return [f"account {self._id}: it is missing"]
            found = [*await self._cash(take_sets), *await self._holdings()]
            if not found:
                return []
            now = await checks.account(self._reader, self._id)
            if now == self.account:
                return found
            await asyncio.sleep(PAUSE_SECONDS)
        return [f"account {self._id}: it changes too often to be checked now"]

    async def _cash(self, take_sets: TakeSets) -> list[str]:
        account, found, balance, known = self.account, list[str](), 0, 0
        async for rows in checks.entries(self._reader, self._id, account["place"]):
            posted = [row for row in rows if row["state"] == "POSTED"]
            await take_sets([row["set"] for row in posted])
            for row in posted:
                balance += row["amount"]
                known += row["amount"] if row["at"] <= self._until else 0
                found += self._entry(row, balance)
        self.posted = known
        if balance != account["cash"]:
            found.append(self._line(f"its cash is {self._money(account['cash'])}, its entries sum to", balance))
        if account["cash"] < 0:
            found.append(self._line("its cash is below zero:", account["cash"]))
        if await checks.entries_beyond(self._reader, self._id, account["place"]):
            found.append(f"account {self._id}: it has entries after its last place")
        return found

    def _entry(self, row: Row, balance: int) -> list[str]:
        found: list[str] = []
        if row["balance"] != balance:
            stated = "missing" if row["balance"] is None else self._money(row["balance"])
            found.append(f"entry {row['id']}: its balance is {stated}, and should be {self._money(balance)}")
        if row["currency"] != self.account["currency"]:
            found.append(f"entry {row['id']}: it is in {row['currency']}, its account in {self.account['currency']}")
        return found

    async def _holdings(self) -> list[str]:
        held = await checks.holds(self._reader, self._id)
        found: list[str] = []
        cash = sum(each for each, _ in held.values())
        if cash != self.account["held"]:
            stated = self._money(self.account["held"])
            found.append(self._line(f"it holds back {stated}, and its open orders hold", cash))
        rows = (await positions.of_accounts(self._reader, [self._id]))[self._id]
        lots = await positions.lots(self._reader, [row["id"] for row in rows]) if rows else {}
        for row in rows:
            _, quantity = held.pop(row["symbol"], (0, 0))
            found += _position(row, lots[row["id"]], quantity)
        missing = [symbol for symbol, (_, quantity) in held.items() if quantity]
        return found + [f"account {self._id}: open orders sell {symbol}, which it does not hold" for symbol in missing]

    def _line(self, words: str, minor: int) -> str:
        return f"account {self._id}: {words} {self._money(minor)}"

    def _money(self, minor: int) -> str:
        currency = self.account["currency"]
        return f"{text(from_minor(minor, currency))} {currency}"


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
