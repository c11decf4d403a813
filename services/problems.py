"""What can be wrong with a request, as values of the domain; the schema turns each into a Problem of the API."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class ProblemCode(StrEnum):
    """The public codes of core.graphql."""

    UNAUTHENTICATED = "UNAUTHENTICATED"
    INVALID_INPUT = "INVALID_INPUT"
    NOT_FOUND = "NOT_FOUND"
    FORBIDDEN = "FORBIDDEN"
    CONFLICT = "CONFLICT"
    STALE_VERSION = "STALE_VERSION"
    INSUFFICIENT_FUNDS = "INSUFFICIENT_FUNDS"
    RULE_VIOLATION = "RULE_VIOLATION"
    MARKET_REJECTED = "MARKET_REJECTED"
    UNAVAILABLE = "UNAVAILABLE"
    OPERATION_ID_REUSED = "OPERATION_ID_REUSED"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem: a code, plain words that say what would be right, and the path of the input field it is about.

    `details` holds the fields that one code adds, by their names in the API: RULE_VIOLATION has rule, current,
    required and overridable; STALE_VERSION has currentVersion; INSUFFICIENT_FUNDS has available. `public` is what those
    are told who did not ask, where the message names what they may not see.
    """

    code: ProblemCode
    message: str
    path: tuple[str, ...] = ()
    details: dict[str, Any] = field(default_factory=dict[str, Any])
    public: str | None = None

    def for_all(self) -> "Problem":
        """The problem as whoever may read its operation is told it."""
        return self if self.public is None else Problem(self.code, self.public, self.path)


class Refused(Exception):
    """A request that is refused, with every problem that was found. It had no effect."""

    def __init__(self, *problems: Problem) -> None:
        assert problems, "a refusal names at least one problem"
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems


def refuse(code: ProblemCode, message: str, *path: str, **details: Any) -> Refused:
    """The refusal of one problem, ready to raise."""
    return Refused(Problem(code, message, path, details))


def invalid(message: str, *path: str) -> Problem:
    """An INVALID_INPUT problem of the input field at `path`."""
    return Problem(ProblemCode.INVALID_INPUT, message, path)


def rule_violation(rule: str, message: str, current: str, required: str, *path: str) -> Problem:
    """A RULE_VIOLATION of a rule of the house, which no approval can override."""
    details = {"rule": rule, "current": current, "required": required, "overridable": False}
    return Problem(ProblemCode.RULE_VIOLATION, message, path, details)


def violation(message: str, *path: str, rule: str, current: str, required: str) -> Refused:
    """The refusal of one broken rule of the house, ready to raise."""
    return Refused(rule_violation(rule, message, current, required, *path))
