"""The one place where money is posted: a set of entries that sums to zero, written with the balances it makes."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from graph import ledger, period_totals
from graph.database import Row, Transaction
from graph.ids import Kind, new_id
from graph.money import MAX_BALANCE_MINOR
from services.problems import ProblemCode, refuse


class EntryKind(StrEnum):
    """Why cash moved: TransactionKind of the API."""

    DEPOSIT = "DEPOSIT"
    WITHDRAWAL = "WITHDRAWAL"
    TRANSFER = "TRANSFER"
    TRADE = "TRADE"
    FORK = "FORK"
    MERGE = "MERGE"
    REINVESTMENT = "REINVESTMENT"
    FEE = "FEE"
    DIVIDEND = "DIVIDEND"
    ADJUSTMENT = "ADJUSTMENT"


class Outside(StrEnum):
    """The ledger accounts of a tenant for the world outside, one for each currency."""

    WORLD = "world"
    MARKET = "market"
    COMMISSION = "commission"
    FEES = "fees"
    DIVIDENDS = "dividends"
    ADJUSTMENTS = "adjustments"


@dataclass(frozen=True, slots=True)
class Occasion:
    """What all entries of one posting share: the operation, the instant of booking and the market's date, as text."""

    operation: str
    at: str
    value_date: str


class PostingSet:
    """Entries that belong together, on locked accounts of one tenant and one currency. Amounts are minor units."""

    def __init__(self, accounts: Mapping[str, Row], occasion: Occasion) -> None:
        self.accounts = {account_id: dict(row) for account_id, row in accounts.items()}
        self._occasion = occasion
        self._id = new_id(Kind.POSTING_SET)
        self._entries: list[Row] = []
        self._amended: list[Row] = []
        self._outside: dict[str, Row] = {}
        one = next(iter(self.accounts.values()))
        self._root: str = one["root"]
        self._currency: str = one["currency"]
        self._simulated: bool = one["simulated"]

    def post(self, account_id: str, amount: int, kind: EntryKind, **facts: str | int | None) -> str:
        """Changes an account's cash by `amount` and returns the entry's id. `facts` are further properties of it."""
        account = self.accounts[account_id]
        account["cash"] += amount
        account["place"] += 1
        if account["cash"] > MAX_BALANCE_MINOR:
            raise refuse(ProblemCode.INVALID_INPUT, "the account's balance would exceed its largest value", "amount")
        assert amount > 0 or account["cash"] >= 0, "a plan never lets cash fall below zero"
        return self._add(account_id, amount, kind, balanceAfter=account["cash"], place=account["place"], **facts)

    def book(
        self, account_id: str, amount: int, kind: EntryKind, pending: str | None = None, **facts: str | int | None
    ) -> str:
        """Posts what the market has done already, whatever that makes of the balance; the entry's id.

        The pending entry of that id becomes it; without one a new entry is made.
        """
        account = self.accounts[account_id]
        account["cash"] += amount
        account["place"] += 1
        facts |= {"balanceAfter": account["cash"], "place": account["place"]}
        if pending is None:
            return self._add(account_id, amount, kind, **facts)
        self._amended.append({**self._entry(account_id, amount, kind), **facts, "id": pending})
        return pending

    def amend(self, entry: Row, **properties: str | int) -> None:
        """Changes a pending entry: what it still waits for, or that it is VOIDED."""
        assert entry["state"] == "PENDING", "nothing that is posted is edited"
        self._amended.append({**entry, **properties})

    def outside(self, purpose: Outside, amount: int, kind: EntryKind) -> str:
        """Changes the outside's ledger account of this purpose by `amount`."""
        paper = ":paper" if self._simulated else ""
        ledger_id = f"{self._root}:{self._currency}:{purpose.value}{paper}"
        self._outside[ledger_id] = {
            "id": ledger_id,
            "root": self._root,
            "currency": self._currency,
            "purpose": purpose.value,
            "simulated": self._simulated,
        }
        return self._add(ledger_id, amount, kind)

    def hold(self, account_id: str, amount: int) -> None:
        """Changes the cash that an account holds back by `amount`."""
        account = self.accounts[account_id]
        account["held"] += amount
        assert account["held"] >= 0, "no more is released than is held"
        assert amount <= 0 or account["cash"] >= account["held"], "a plan never holds more than there is"

    def pending(self, account_id: str, amount: int, kind: EntryKind, **facts: str | int | None) -> str:
        """Adds a pending entry, which changes no cash until it is posted; its id."""
        account = self.accounts[account_id]
        account["place"] += 1
        place = account["place"]
        return self._add(account_id, amount, kind, state="PENDING", balanceAfter=None, place=place, **facts)

    async def write(self, transaction: Transaction) -> None:
        """Writes the entries and the accounts' new cash. The posted ones sum to zero."""
        every = [*self._entries, *self._amended]
        assert sum(entry["amount"] for entry in every if entry["state"] == "POSTED") == 0, "a set sums to zero"
        if self._outside:
            await ledger.ensure_outside(transaction, list(self._outside.values()))
        if self._entries:
            await ledger.create_entries(transaction, self._entries)
        for entry in self._amended:
            await ledger.change_entry(transaction, entry["id"], entry)
        booked = [entry for entry in self._amended if entry["state"] == "POSTED"]
        await period_totals.add(transaction, [*self._entries, *booked])
        await ledger.set_cash(
            transaction,
            [{"id": row["id"], **{name: row[name] for name in _CASH}} for row in self.accounts.values()],
        )

    @property
    def journal(self) -> list[Row]:
        """The accounts' entries as the journal keeps them."""
        kept = ("id", "ledger", "kind", "state", "amount", "currency", "balanceAfter", "symbol", "quantity", "price")
        return [{name: entry.get(name) for name in kept} for entry in [*self._amended, *self._entries]]

    def _add(self, ledger_id: str, amount: int, kind: EntryKind, **facts: str | int | None) -> str:
        entry: Row = {**self._entry(ledger_id, amount, kind), **facts}
        self._entries.append(entry)
        return entry["id"]

    def _entry(self, ledger_id: str, amount: int, kind: EntryKind) -> Row:
        return {
            "id": new_id(Kind.ENTRY),
            "set": self._id,
            "ledger": ledger_id,
            "root": self._root,
            "currency": self._currency,
            "kind": kind.value,
            "state": "POSTED",
            "amount": amount,
            "operation": self._occasion.operation,
            "at": self._occasion.at,
            "valueDate": self._occasion.value_date,
        }


_CASH = ("cash", "held", "place")


def available(account: Row) -> int:
    """The cash of an account that no open work holds, in minor units."""
    return account["cash"] - account["held"]
