"""What was judged before a command is committed, and whether that still holds at the commit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graph import operations
from services.commands import Act, Command
from services.facts import MONEY
from services.operations import Start
from services.protocol.port import Question


@dataclass(frozen=True, slots=True)
class Judged:
    """What was judged: the act with what it gathered, under which policy, and what the protocol engine was asked."""

    act: Act
    policy: int
    questions: Sequence[Question]

    def stands(self, questions: Sequence[Question]) -> bool:
        """Whether the same would be asked again, whatever the time and the money that moved meanwhile.

        Money moves all the time where many post, and what there is of it is judged by the plan under the locks.
        """
        return [_lasting(one) for one in questions] == [_lasting(one) for one in self.questions]


@dataclass(frozen=True, slots=True)
class Ready:
    """A command that was judged and waits for its commit."""

    start: Start
    command: Command[Any]
    judged: Judged

    @property
    def key(self) -> str:
        """The key of its operation."""
        return operations.key_of(self.start.viewer.user_id, self.command.operation_id)


def _lasting(question: Question) -> tuple[Any, ...]:
    account = question.facts.get("account")
    if isinstance(account, Mapping):
        account = {name: fact for name, fact in account.items() if name not in MONEY}
    return question.account_id, question.operation, {**question.facts, "account": account}
