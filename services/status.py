"""The status of accounts, as people set it."""

from collections.abc import Sequence
from typing import ClassVar

from graph import accounts, orders, positions
from graph.database import Reader, Row, Transaction
from graph.ids import Kind
from graph.journal import Recorder
from graph.money import from_minor
from services.accounts import AccountStatus, question_of, require_not_closed, require_version
from services.commands import Act, Command, Effect, Target
from services.desk import Desk
from services.names import MAX_TEXT, check_text
from services.permissions import Permission
from services.problems import Problem, ProblemCode, Refused, invalid, refuse, violation
from services.protocol.port import ProtocolOperation, Question

RUNNING = frozenset({AccountStatus.FORKING, AccountStatus.MERGING})


class ChangeAccountStatus(Command[Row]):
    """Changes an account between ACTIVE, INACTIVE and SUSPENDED, or closes an empty one for good.

    The plan is the account as it stands.
    """

    action: ClassVar[str] = "changeAccountStatus"

    id: str
    version: int
    status: AccountStatus
    reason: str

    def targets(self) -> Sequence[Target]:
        return (Target(self.id, (Kind.ACCOUNT,), Permission.UPDATE, ("id",)),)

    def locks(self) -> Sequence[str]:
        return (self.id,)

    def check(self) -> list[Problem]:
        problems = check_text(self.reason, MAX_TEXT, "reason")
        if self.status in RUNNING:
            message = f"status must be ACTIVE, INACTIVE, SUSPENDED or CLOSED; {self.status.value} sets itself"
            problems.append(invalid(message, "status"))
        return problems

    async def plan(self, desk: Desk, reader: Reader, act: Act) -> Row:
        del desk, act
        account = (await accounts.find(reader, [self.id]))[self.id]
        require_version(account, self.version)
        require_not_closed(account, "id")
        if account["status"] in RUNNING:
            message = f"the account is {account['status']}; change its status when that has ended"
            raise refuse(ProblemCode.CONFLICT, message, "id")
        if account["status"] == self.status:
            raise Refused(invalid(f"status must be another one than now; it is {self.status.value} already", "status"))
        if self.status is AccountStatus.CLOSED:
            await require_empty(reader, account)
        return account

    async def questions(self, desk: Desk, act: Act, plan: Row) -> Sequence[Question]:
        more = {"status": self.status.value, "reason": self.reason}
        return (await question_of(desk, act, plan, ProtocolOperation.STATUS, **more),)

    async def apply(self, transaction: Transaction, recorder: Recorder, act: Act, plan: Row) -> Effect:
        del act
        before: Row = {"status": plan["status"], "version": self.version}
        after: Row = {"status": self.status.value, "version": self.version + 1}
        ended: list[str] = []
        if self.status is AccountStatus.CLOSED and plan["kind"] == "COMPOSITE":
            # It owns nothing, and what it sums up goes on without it: closed, it shows zero.
            ended = await accounts.components(transaction, self.id)
            before, after = {**before, "components": ended}, {**after, "components": []}
        at = recorder.add("STATUS_CHANGED", [self.id, *ended], before, {**after, "reason": self.reason})
        version = self.version + 1
        await accounts.change(transaction, self.id, status=self.status.value, version=version, updatedAt=at)
        await accounts.aggregate(transaction, self.id, [], ended, at)
        return Effect({"account": self.id}, self.id, [self.id])


async def require_empty(reader: Reader, account: Row) -> None:
    """Raises RULE_VIOLATION where the account has cash, held or not, positions, or open orders, which may hold none."""
    cash, held = account["cash"], account["held"]
    positioned = (await positions.of_accounts(reader, [account["id"]]))[account["id"]]
    open_orders = await orders.count_open(reader, account["id"])
    if cash == 0 and held == 0 and not positioned and not open_orders:
        return
    money = f"{from_minor(cash, account['currency']):f} {account['currency']}"
    message = "only an account with zero cash, no positions and no open orders can be CLOSED"
    current, required = f"{money}, {len(positioned)} positions and {open_orders} open orders", "0, none and none"
    raise violation(message, "status", rule="ACCOUNT_EMPTY", current=current, required=required)
