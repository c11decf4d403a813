"""Cash that a command moves: what the protocol engine is asked about it, and its lines posted as one set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graph import clock, ledger
from graph.database import Row, Transaction
from graph.journal import Recorder
from graph.money import from_minor
from services.commands import Act
from services.desk import Desk
from services.effective import in_force
from services.facts import account_facts, policy_facts, text
from services.posting import EntryKind, Occasion, Outside, PostingSet
from services.protocol.port import ProtocolOperation, Question
from services.valuation import Marks


@dataclass(frozen=True, slots=True)
class Line:
    """One entry to be posted, in minor units: on an account, or outside. `facts` are further properties of it."""

    account: str | None
    amount: int
    kind: EntryKind
    purpose: Outside = Outside.WORLD
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def enter(self, book: PostingSet, note: str | None) -> str | None:
        """Makes the entry; its id where it is an account's."""
        if self.account is None:
            book.outside(self.purpose, self.amount, self.kind)
            return None
        return book.post(self.account, self.amount, self.kind, note=note, **self.facts)


@dataclass(frozen=True, slots=True)
class CashPlan:
    """The accounts whose cash moves, as they are, and what they are worth before an external flow."""

    accounts: dict[str, Row]
    marks: Marks
    valuations: list[Row]


async def ask_for(
    desk: Desk, act: Act, plan: CashPlan, operation: ProtocolOperation, node: str, minor: int, **more: Any
) -> Question:
    """What the protocol engine is asked of so many minor units on one of the accounts. `more` are further facts."""
    account = plan.accounts[node]
    facts: dict[str, Any] = {
        "account": account_facts(account),
        "policy": policy_facts((await in_force(desk.reads, act.places[node])).values),
        "marketDate": plan.marks.day.isoformat(),
        "amount": text(from_minor(minor, account["currency"])),
        "currency": account["currency"],
        **more,
    }
    return Question(node, operation, clock.now(), facts)


async def post(
    transaction: Transaction, recorder: Recorder, act: Act, plan: CashPlan, lines: Sequence[Line], note: str | None
) -> list[tuple[str, Line]]:
    """Posts the lines as one set, records it, and keeps the valuations before it; each account's entry id and line."""
    before = {node: {"cash": row["cash"]} for node, row in plan.accounts.items()}
    at = recorder.next_at()
    book = PostingSet(plan.accounts, Occasion(act.operation, at, plan.marks.day.isoformat()))
    posted = [(entry, line) for line in lines if (entry := line.enter(book, note)) is not None]
    after = {node: {"cash": row["cash"]} for node, row in book.accounts.items()}
    recorder.add("POSTED", list(plan.accounts), before, {"accounts": after, "entries": book.journal})
    await book.write(transaction)
    records = [{**row, "at": at, "operation": act.operation} for row in plan.valuations]
    if records:
        await ledger.create_valuations(transaction, records)
    return posted
