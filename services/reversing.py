"""Reversals: the opposite of what was posted, linked to it. What was posted stays as it is."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from graph import corrections
from graph.database import Reader, Row
from graph.ids import Kind, kind_of
from services.commands import Target
from services.corrections import FLOWS, Correction
from services.lines import Line
from services.names import MAX_TEXT, check_text
from services.posting import EntryKind, Outside
from services.problems import Problem, ProblemCode, Refused, refuse, violation

REVERSIBLE = FLOWS | {EntryKind.FEE, EntryKind.DIVIDEND}


class ReverseEntry(Correction):
    """Posts the opposite of an entry and of all that was posted with it, once.

    `account_ids` are the accounts of its posting set, which `of` finds; `account_id` is the one whose entry is named.
    """

    action: ClassVar[str] = "reverseEntry"
    field_of_amount: ClassVar[str] = "transactionId"
    field_of_account: ClassVar[str] = "transactionId"

    transaction_id: str
    reason: str
    account_ids: tuple[str, ...]
    account_id: str = ""

    @classmethod
    async def of(cls, reader: Reader, operation_id: str, transaction_id: str, reason: str) -> "ReverseEntry":
        """The command that reverses an entry; where there is none, it is refused as NOT_FOUND."""
        ledgers = {entry["id"]: entry["ledger"] for entry in await corrections.set_of(reader, transaction_id)}
        found = sorted({node for node in ledgers.values() if kind_of(node) is Kind.ACCOUNT})
        given: dict[str, Any] = {"operation_id": operation_id, "transaction_id": transaction_id, "reason": reason}
        return cls(**given, account_ids=tuple(found) or ("",), account_id=ledgers.get(transaction_id, ""))

    def comparable(self) -> dict[str, Any]:
        return {"transaction_id": self.transaction_id, "reason": self.reason}

    def targets(self) -> Sequence[Target]:
        targets = super().targets()
        if self.account_id not in self.account_ids:
            return targets
        return [replace(target, beside=target.id != self.account_id) for target in targets]

    def subjects(self) -> Sequence[str]:
        return self.account_ids

    def words(self) -> str | None:
        return self.reason

    def check(self) -> list[Problem]:
        return check_text(self.reason, MAX_TEXT, "reason")

    async def lines(self, reader: Reader, found: Mapping[str, Row]) -> Sequence[Line]:
        del found
        entries = await corrections.set_of(reader, self.transaction_id)
        kinds = {entry["kind"] for entry in entries}
        states = {entry["state"] for entry in entries}
        if not kinds <= REVERSIBLE or states != {"POSTED"} or any(entry.get("corrects") for entry in entries):
            raise _not_reversible(", ".join(sorted(kinds | states)))
        if any(entry["corrected"] for entry in entries):
            raise refuse(ProblemCode.CONFLICT, "the entry was reversed already", "transactionId")
        return [_opposite(entry) for entry in entries]


def _opposite(entry: Row) -> Line:
    kind, amount = EntryKind(entry["kind"]), -entry["amount"]
    if kind_of(entry["ledger"]) is not Kind.ACCOUNT:
        return Line(None, amount, kind, Outside(entry["ledger"].split(":")[2]))
    facts = {"corrects": entry["id"], "counterparty": entry.get("counterparty"), "symbol": entry.get("symbol")}
    return Line(entry["ledger"], amount, kind, facts=facts)


def _not_reversible(current: str) -> Refused:
    return violation(
        "only a posted deposit, withdrawal, transfer, fee, dividend or adjustment can be reversed, and no reversal",
        "transactionId",
        rule="REVERSIBLE",
        current=current,
        required="POSTED, and no trade, fork, merge or reversal",
    )
