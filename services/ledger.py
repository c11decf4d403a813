"""Deposits, withdrawals and transfers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

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
from services.names import check_note
from services.permissions import Permission
from services.posting import EntryKind, available
from services.problems import Problem, ProblemCode, invalid, refuse
from services.protocol.port import ProtocolOperation, Question
from services.standing import require_together
from services.valuation import Marks, gather_marks, valuations


@dataclass(frozen=True, slots=True)
class FlowPlan(CashPlan):
    """Money that will move, with its amount in minor units."""

    minor: int


class Flow(MoneyCommand[FlowPlan]):
    """Money that enters, leaves or changes accounts. Each account is valued first."""

    grouped: ClassVar[bool] = True

    amount: DecimalText
    note: str | None = None

    def targets(self) -> Sequence[Target]:
        return [Target(node, (Kind.ACCOUNT,), Permission.POST, (field,)) for node, field in self.sides()]

    def money(self) -> str:
        return self.amount

    def check(self) -> list[Problem]:
        return [*check_positive(self.amount, "amount"), *check_note(self.note)]

    async def ask_market(self, desk: Desk) -> Marks:
        return await gather_marks(desk, self.locks())

    async def plan(self, desk: Desk, reader: Reader, act: Act) -> FlowPlan:
        del desk
        found = await self.stand(reader)
        minor = positive_minor(self.amount, found[self.locks()[0]]["currency"], "amount")
        self.judge(found, minor)
        marks: Marks = act.facts
        return FlowPlan(found, marks, await valuations(reader, list(found.values()), marks), minor)

    def judge(self, found: dict[str, Row], minor: int) -> None:
        """Refuses an amount that this kind of flow cannot move."""

    async def post(
        self, transaction: Transaction, recorder: Recorder, act: Act, plan: FlowPlan, lines: Sequence[Line]
    ) -> Effect:
        """Posts the lines of one set, with the valuations before them."""
        entries = [entry for entry, _ in await post(transaction, recorder, act, plan, lines, self.note)]
        return Effect({"transactions": entries}, entries[0], list(plan.accounts))


class Deposit(Flow):
    """Money from outside into an account."""

    action: ClassVar[str] = "deposit"
    account_id: str

    def sides(self) -> Sequence[tuple[str, str]]:
        return ((self.account_id, "accountId"),)

    async def questions(self, desk: Desk, act: Act, plan: FlowPlan) -> Sequence[Question]:
        return (await ask_for(desk, act, plan, ProtocolOperation.DEPOSIT, self.account_id, plan.minor),)

    async def apply(self, transaction: Transaction, recorder: Recorder, act: Act, plan: FlowPlan) -> Effect:
        kind = EntryKind.DEPOSIT
        lines = (Line(self.account_id, plan.minor, kind), Line(None, -plan.minor, kind))
        return await self.post(transaction, recorder, act, plan, lines)


class Withdraw(Flow):
    """Money from an account to the outside."""

    action: ClassVar[str] = "withdraw"
    account_id: str

    def sides(self) -> Sequence[tuple[str, str]]:
        return ((self.account_id, "accountId"),)

    def judge(self, found: dict[str, Row], minor: int) -> None:
        require_funds(found[self.account_id], minor)

    async def questions(self, desk: Desk, act: Act, plan: FlowPlan) -> Sequence[Question]:
        return (await ask_for(desk, act, plan, ProtocolOperation.WITHDRAWAL, self.account_id, plan.minor),)

    async def apply(self, transaction: Transaction, recorder: Recorder, act: Act, plan: FlowPlan) -> Effect:
        kind = EntryKind.WITHDRAWAL
        lines = (Line(self.account_id, -plan.minor, kind), Line(None, plan.minor, kind))
        return await self.post(transaction, recorder, act, plan, lines)


class Transfer(Flow):
    """Money from one account to another of the same tenant."""

    action: ClassVar[str] = "transfer"
    from_id: str
    to_id: str

    def sides(self) -> Sequence[tuple[str, str]]:
        return ((self.from_id, "fromId"), (self.to_id, "toId"))

    def check(self) -> list[Problem]:
        same = [invalid("toId must be another account than fromId", "toId")] if self.from_id == self.to_id else []
        return [*super().check(), *same]

    def fit(self, found: Mapping[str, Row]) -> None:
        require_together(found[self.from_id], found[self.to_id], "toId")

    def judge(self, found: dict[str, Row], minor: int) -> None:
        require_funds(found[self.from_id], minor)

    async def questions(self, desk: Desk, act: Act, plan: FlowPlan) -> Sequence[Question]:
        operation = ProtocolOperation.TRANSFER
        return [await ask_for(desk, act, plan, operation, node, plan.minor) for node in self.locks()]

    async def apply(self, transaction: Transaction, recorder: Recorder, act: Act, plan: FlowPlan) -> Effect:
        kind = EntryKind.TRANSFER
        lines = (
            Line(self.from_id, -plan.minor, kind, facts={"counterparty": self.to_id}),
            Line(self.to_id, plan.minor, kind, facts={"counterparty": self.from_id}),
        )
        return await self.post(transaction, recorder, act, plan, lines)


def require_funds(account: Row, minor: int) -> None:
    """Refuses to take more than the account has available."""
    free = available(account)
    if minor > free:
        amount = text(from_minor(free, account["currency"]))
        message = f"the account has {amount} {account['currency']} available, less than this takes"
        raise refuse(ProblemCode.INSUFFICIENT_FUNDS, message, "amount", available=amount)
