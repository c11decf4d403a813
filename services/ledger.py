"""Deposits, withdrawals and transfers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from graph import accounts, clock, ledger
from graph.database import Reader, Row, Transaction
from graph.ids import Kind
from graph.journal import Recorder
from graph.money import from_minor
from services.amounts import DecimalText, check_positive, positive_minor
from services.commands import Act, Command, Effect, Target
from services.desk import Desk
from services.effective import in_force
from services.facts import account_facts, policy_facts, text
from services.names import check_note
from services.permissions import Permission
from services.posting import EntryKind, Occasion, Outside, PostingSet, available
from services.problems import Problem, ProblemCode, invalid, refuse
from services.protocol.port import ProtocolOperation, Question
from services.standing import require_active, require_own_money, require_together
from services.valuation import Marks, gather_marks, valuations


@dataclass(frozen=True, slots=True)
class FlowPlan:
    """Money that will move: the accounts as they are, the amount in minor units, and what they are worth before."""

    accounts: dict[str, Row]
    minor: int
    marks: Marks
    valuations: list[Row]


class Flow(Command[FlowPlan]):
    """Money that enters, leaves or changes accounts. Each account is valued first."""

    amount: DecimalText
    note: str | None = None

    def sides(self) -> Sequence[tuple[str, str]]:
        """Each account's id with the input field that names it."""
        raise NotImplementedError

    def targets(self) -> Sequence[Target]:
        return [Target(node, (Kind.ACCOUNT,), Permission.POST, (field,)) for node, field in self.sides()]

    def locks(self) -> Sequence[str]:
        return [node for node, _ in self.sides()]

    def check(self) -> list[Problem]:
        return [*check_positive(self.amount, "amount"), *check_note(self.note)]

    async def gather(self, desk: Desk, act: Act) -> Marks:
        del act
        return await gather_marks(desk, self.locks())

    async def plan(self, desk: Desk, reader: Reader, act: Act) -> FlowPlan:
        del desk
        found = await accounts.find(reader, self.locks())
        minor = positive_minor(self.amount, found[self.locks()[0]]["currency"], "amount")
        for node, field in self.sides():
            require_active(found[node], field)
            require_own_money(found[node], field)
        self.judge(found, minor)
        marks: Marks = act.facts
        return FlowPlan(found, minor, marks, await valuations(reader, list(found.values()), marks))

    def judge(self, found: dict[str, Row], minor: int) -> None:
        """Refuses what this kind of flow may not do."""

    async def ask_for(self, desk: Desk, act: Act, plan: FlowPlan, operation: ProtocolOperation, node: str) -> Question:
        """What the protocol engine is asked for one side of the flow."""
        account = plan.accounts[node]
        values = (await in_force(desk.database, act.places[node])).values
        facts: dict[str, Any] = {
            "account": account_facts(account),
            "policy": policy_facts(values),
            "marketDate": plan.marks.day.isoformat(),
            "amount": text(from_minor(plan.minor, account["currency"])),
            "currency": account["currency"],
        }
        return Question(node, operation, clock.now(), facts)

    async def post(
        self, transaction: Transaction, recorder: Recorder, act: Act, plan: FlowPlan, moves: Sequence["Move"]
    ) -> Effect:
        """Posts the moves of one set, with the valuations before them."""
        before = {node: {"cash": row["cash"]} for node, row in plan.accounts.items()}
        at = recorder.next_at()
        book = PostingSet(plan.accounts, Occasion(act.operation, at, plan.marks.day.isoformat()))
        entries = [move.enter(book, self.note) for move in moves]
        after = {node: {"cash": row["cash"]} for node, row in book.accounts.items()}
        recorder.add("POSTED", list(plan.accounts), before, {"accounts": after, "entries": book.journal})
        await book.write(transaction)
        records = [{**row, "at": at, "operation": act.operation} for row in plan.valuations]
        await ledger.create_valuations(transaction, records)
        kept = [entry for entry in entries if entry is not None]
        return Effect({"transactions": kept}, kept[0], list(plan.accounts))


@dataclass(frozen=True, slots=True)
class Move:
    """One entry to be made: on an account, or outside where there is none."""

    account: str | None
    amount: int
    kind: EntryKind
    counterparty: str | None = None
    purpose: Outside = Outside.WORLD

    def enter(self, book: PostingSet, note: str | None) -> str | None:
        """Makes the entry; its id where it is an account's."""
        if self.account is None:
            book.outside(self.purpose, self.amount, self.kind)
            return None
        return book.post(self.account, self.amount, self.kind, counterparty=self.counterparty, note=note)


class Deposit(Flow):
    """Money from outside into an account."""

    action: ClassVar[str] = "deposit"
    account_id: str

    def sides(self) -> Sequence[tuple[str, str]]:
        return ((self.account_id, "accountId"),)

    async def questions(self, desk: Desk, act: Act, plan: FlowPlan) -> Sequence[Question]:
        return (await self.ask_for(desk, act, plan, ProtocolOperation.DEPOSIT, self.account_id),)

    async def apply(self, transaction: Transaction, recorder: Recorder, act: Act, plan: FlowPlan) -> Effect:
        kind = EntryKind.DEPOSIT
        moves = (Move(self.account_id, plan.minor, kind), Move(None, -plan.minor, kind))
        return await self.post(transaction, recorder, act, plan, moves)


class Withdraw(Flow):
    """Money from an account to the outside."""

    action: ClassVar[str] = "withdraw"
    account_id: str

    def sides(self) -> Sequence[tuple[str, str]]:
        return ((self.account_id, "accountId"),)

    def judge(self, found: dict[str, Row], minor: int) -> None:
        require_funds(found[self.account_id], minor)

    async def questions(self, desk: Desk, act: Act, plan: FlowPlan) -> Sequence[Question]:
        return (await self.ask_for(desk, act, plan, ProtocolOperation.WITHDRAWAL, self.account_id),)

    async def apply(self, transaction: Transaction, recorder: Recorder, act: Act, plan: FlowPlan) -> Effect:
        kind = EntryKind.WITHDRAWAL
        moves = (Move(self.account_id, -plan.minor, kind), Move(None, plan.minor, kind))
        return await self.post(transaction, recorder, act, plan, moves)


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

    def judge(self, found: dict[str, Row], minor: int) -> None:
        require_together(found[self.from_id], found[self.to_id], "toId")
        require_funds(found[self.from_id], minor)

    async def questions(self, desk: Desk, act: Act, plan: FlowPlan) -> Sequence[Question]:
        operation = ProtocolOperation.TRANSFER
        return [await self.ask_for(desk, act, plan, operation, node) for node in self.locks()]

    async def apply(self, transaction: Transaction, recorder: Recorder, act: Act, plan: FlowPlan) -> Effect:
        kind = EntryKind.TRANSFER
        moves = (Move(self.from_id, -plan.minor, kind, self.to_id), Move(self.to_id, plan.minor, kind, self.from_id))
        return await self.post(transaction, recorder, act, plan, moves)


def require_funds(account: Row, minor: int) -> None:
    """Refuses to take more than the account has available."""
    free = available(account)
    if minor > free:
        amount = text(from_minor(free, account["currency"]))
        message = f"the account has {amount} {account['currency']} available, less than this takes"
        raise refuse(ProblemCode.INSUFFICIENT_FUNDS, message, "amount", available=amount)
