"""Corrections: new postings that set right what is booked. Nothing that is posted is edited.

Adjustments, fees and dividends, like reversals, are for those who may correct; one above the policy's amount waits for
a person's approval.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from graph import corrections
from graph.database import Reader, Row, Transaction
from graph.ids import Kind
from graph.journal import Recorder
from graph.money import from_minor
from services.amounts import DecimalText, check_positive, positive_minor
from services.commands import Act, Effect, Target
from services.desk import Desk
from services.facts import text
from services.gathering import MoneyCommand
from services.lines import CashPlan, Line, ask_for, post
from services.market.port import MAX_SYMBOL_LENGTH, is_symbol
from services.names import MAX_TEXT, check_note, check_text
from services.permissions import Permission
from services.posting import EntryKind, Outside, available
from services.problems import Problem, ProblemCode, invalid, refuse
from services.protocol.port import ProtocolOperation, Question
from services.valuation import Marks, gather_marks, valuations

# A fee or a dividend is part of what an account earns; the others move money in or out of it.
FLOWS = frozenset({EntryKind.DEPOSIT, EntryKind.WITHDRAWAL, EntryKind.TRANSFER, EntryKind.ADJUSTMENT})


@dataclass(frozen=True, slots=True)
class CorrectionPlan(CashPlan):
    """What will be posted."""

    lines: Sequence[Line]


class Correction(MoneyCommand[CorrectionPlan]):
    """A posting by somebody who may correct."""

    field_of_amount: ClassVar[str] = "amount"
    field_of_account: ClassVar[str] = "accountId"

    def subjects(self) -> Sequence[str]:
        """The accounts that it posts on."""
        raise NotImplementedError

    def words(self) -> str | None:
        """What the entries note."""
        raise NotImplementedError

    async def lines(self, reader: Reader, found: Mapping[str, Row]) -> Sequence[Line]:
        """What it posts. Raises Refused."""
        raise NotImplementedError

    def targets(self) -> Sequence[Target]:
        where = (self.field_of_account,)
        return [Target(node, (Kind.ACCOUNT,), Permission.CORRECT, where) for node in self.subjects()]

    def sides(self) -> Sequence[tuple[str, str]]:
        return [(node, self.field_of_account) for node in self.subjects()]

    async def ask_market(self, desk: Desk) -> Marks:
        return await gather_marks(desk, self.subjects())

    async def plan(self, desk: Desk, reader: Reader, act: Act) -> CorrectionPlan:
        del desk
        found = await self.stand(reader)
        lines = await self.lines(reader, found)
        for node in self.subjects():
            taken = -sum(line.amount for line in lines if line.account == node)
            _require_funds(found[node], taken, self.field_of_amount)
        marks: Marks = act.facts
        flows = any(line.kind in FLOWS for line in lines)
        worth = await valuations(reader, list(found.values()), marks) if flows else []
        return CorrectionPlan(found, marks, worth, lines)

    async def questions(self, desk: Desk, act: Act, plan: CorrectionPlan) -> Sequence[Question]:
        asked: list[Question] = []
        for node in plan.accounts:
            minor = sum(line.amount for line in plan.lines if line.account == node)
            operation = ProtocolOperation.DEPOSIT if minor > 0 else ProtocolOperation.WITHDRAWAL
            asked.append(await ask_for(desk, act, plan, operation, node, minor, adjustment=True))
        return asked

    async def apply(self, transaction: Transaction, recorder: Recorder, act: Act, plan: CorrectionPlan) -> Effect:
        at = recorder.next_at()
        posted = await post(transaction, recorder, act, plan, plan.lines, self.words())
        links = [
            {"entry": entry, "corrects": line.facts["corrects"]} for entry, line in posted if "corrects" in line.facts
        ]
        if links:
            await corrections.link(transaction, links, at)
        entries = [entry for entry, _ in posted]
        return Effect({"transactions": entries}, entries[0], list(plan.accounts))


class CashCorrection(Correction):
    """A correction of one account's cash."""

    grouped: ClassVar[bool] = True

    account_id: str
    amount: DecimalText

    def money(self) -> str:
        return self.amount.removeprefix("-")

    def subjects(self) -> Sequence[str]:
        return (self.account_id,)


class AdjustCash(CashCorrection):
    """Adds to an account's cash, or takes from it, what its books lack or have too much."""

    action: ClassVar[str] = "adjustCash"
    reason: str

    def words(self) -> str | None:
        return self.reason

    def check(self) -> list[Problem]:
        problems = check_positive(self.amount.removeprefix("-"), "amount")
        if problems:
            problems = [invalid("amount must be a decimal number other than 0, such as -12.50", "amount")]
        return [*problems, *check_text(self.reason, MAX_TEXT, "reason")]

    async def lines(self, reader: Reader, found: Mapping[str, Row]) -> Sequence[Line]:
        del reader
        size = positive_minor(self.amount.removeprefix("-"), found[self.account_id]["currency"], "amount")
        minor = -size if self.amount.startswith("-") else size
        kind = EntryKind.ADJUSTMENT
        return (Line(self.account_id, minor, kind), Line(None, -minor, kind, Outside.ADJUSTMENTS))


class PostFee(CashCorrection):
    """Takes a fee from an account."""

    action: ClassVar[str] = "postFee"
    note: str | None = None

    def words(self) -> str | None:
        return self.note

    def check(self) -> list[Problem]:
        return [*check_positive(self.amount, "amount"), *check_note(self.note)]

    async def lines(self, reader: Reader, found: Mapping[str, Row]) -> Sequence[Line]:
        del reader
        minor = positive_minor(self.amount, found[self.account_id]["currency"], "amount")
        return (Line(self.account_id, -minor, EntryKind.FEE), Line(None, minor, EntryKind.FEE, Outside.FEES))


class PostDividend(CashCorrection):
    """Adds a dividend to an account: of an instrument, where one is named."""

    action: ClassVar[str] = "postDividend"
    symbol: str | None = None
    note: str | None = None

    def words(self) -> str | None:
        return self.note

    def check(self) -> list[Problem]:
        problems = [*check_positive(self.amount, "amount"), *check_note(self.note)]
        if self.symbol is not None and not is_symbol(self.symbol):
            problems.append(invalid(f"symbol must have 1 to {MAX_SYMBOL_LENGTH} printable characters", "symbol"))
        return problems

    async def lines(self, reader: Reader, found: Mapping[str, Row]) -> Sequence[Line]:
        del reader
        minor = positive_minor(self.amount, found[self.account_id]["currency"], "amount")
        kind = EntryKind.DIVIDEND
        return (
            Line(self.account_id, minor, kind, facts={"symbol": self.symbol}),
            Line(None, -minor, kind, Outside.DIVIDENDS),
        )


def _require_funds(account: Row, minor: int, *path: str) -> None:
    free = available(account)
    if 0 < minor > free:
        there = text(from_minor(free, account["currency"]))
        message = f"an account has {there} {account['currency']} available, less than this takes"
        raise refuse(ProblemCode.INSUFFICIENT_FUNDS, message, *path, available=there)
