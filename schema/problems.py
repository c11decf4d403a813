"""Problems as clients see them: one type for each code, so that each can carry fields of its own."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import strawberry

from schema.enums import ProblemCode
from schema.scalars import Decimal
from services import problems


@strawberry.interface(description="Something that stands in the way of a request. The request had no effect.")
class Problem:
    """Something that stands in the way of a request."""

    code: ProblemCode = strawberry.field(description="The kind of problem, for programs.")
    message: str = strawberry.field(description="Plain words for people: what is wrong and what would be right.")
    path: list[str] | None = strawberry.field(
        description="The field of the input that it is about, from the outside in; null where it is about none.",
        default=None,
    )
    every: strawberry.Private[tuple["Problem", ...]] = ()

    @strawberry.field(
        description="Every problem of the request by itself, this one first; `message` above has the words of all."
    )
    def problems(self) -> list["Problem"]:
        """Every problem of the request."""
        return list(self.every) or [self]


@strawberry.type(description="A field of the input is not as it must be (INVALID_INPUT).")
class InvalidInput(Problem):
    """INVALID_INPUT."""


@strawberry.type(description="The user or the password is wrong, or the session has ended (UNAUTHENTICATED).")
class Unauthenticated(Problem):
    """UNAUTHENTICATED."""


@strawberry.type(description="Nothing that the viewer can see has this id (NOT_FOUND).")
class NotFound(Problem):
    """NOT_FOUND."""


@strawberry.type(description="The viewer sees the node, but may not do this to it (FORBIDDEN).")
class Forbidden(Problem):
    """FORBIDDEN."""


@strawberry.type(description="Other work holds what this needs (CONFLICT).")
class Conflict(Problem):
    """CONFLICT."""


@strawberry.type(description="The object has another version than the input names (STALE_VERSION).")
class StaleVersion(Problem):
    """STALE_VERSION."""

    current_version: int | None = strawberry.field(description="The version that it has now.", default=None)


@strawberry.type(description="Less is available than this takes (INSUFFICIENT_FUNDS).")
class InsufficientFunds(Problem):
    """INSUFFICIENT_FUNDS."""

    available: Decimal | None = strawberry.field(
        description="What is available now, in the account's currency, or as a quantity where shares are short.",
        default=None,
    )


@strawberry.type(description="A limit, a policy or a rule of the model refuses this (RULE_VIOLATION).")
class RuleViolation(Problem):
    """RULE_VIOLATION."""

    rule: str = strawberry.field(description="The rule's name, or the key of the setting that limits.")
    current: str | None = strawberry.field(description="What is there, or would be.", default=None)
    required: str | None = strawberry.field(description="What the rule asks for.", default=None)
    overridable: bool = strawberry.field(description="Whether a person's approval can allow it.", default=False)


@strawberry.type(description="The market did not accept the order (MARKET_REJECTED).")
class MarketRejected(Problem):
    """MARKET_REJECTED."""


@strawberry.type(
    description="Something that this needs does not answer (UNAVAILABLE). It is the one problem that may hide an"
    " effect: the same operationId tells."
)
class Unavailable(Problem):
    """UNAVAILABLE."""


@strawberry.type(description="The operationId already names another request (OPERATION_ID_REUSED).")
class OperationIdReused(Problem):
    """OPERATION_ID_REUSED."""


@strawberry.type(description="The request is larger, or comes faster, than a limit allows (LIMIT_EXCEEDED).")
class LimitExceeded(Problem):
    """LIMIT_EXCEEDED."""


AnyProblem = (
    InvalidInput
    | Unauthenticated
    | NotFound
    | Forbidden
    | Conflict
    | StaleVersion
    | InsufficientFunds
    | RuleViolation
    | MarketRejected
    | Unavailable
    | OperationIdReused
    | LimitExceeded
)
"""Every concrete problem; a result union is made from its payload and those of these that it can meet."""

PROBLEM_TYPES: dict[ProblemCode, Callable[..., AnyProblem]] = {
    ProblemCode.INVALID_INPUT: InvalidInput,
    ProblemCode.UNAUTHENTICATED: Unauthenticated,
    ProblemCode.NOT_FOUND: NotFound,
    ProblemCode.FORBIDDEN: Forbidden,
    ProblemCode.CONFLICT: Conflict,
    ProblemCode.STALE_VERSION: StaleVersion,
    ProblemCode.INSUFFICIENT_FUNDS: InsufficientFunds,
    ProblemCode.RULE_VIOLATION: RuleViolation,
    ProblemCode.MARKET_REJECTED: MarketRejected,
    ProblemCode.UNAVAILABLE: Unavailable,
    ProblemCode.OPERATION_ID_REUSED: OperationIdReused,
    ProblemCode.LIMIT_EXCEEDED: LimitExceeded,
}
_DETAILS = {
    ProblemCode.STALE_VERSION: {"currentVersion": "current_version"},
    ProblemCode.INSUFFICIENT_FUNDS: {"available": "available"},
    ProblemCode.RULE_VIOLATION: {
        "rule": "rule",
        "current": "current",
        "required": "required",
        "overridable": "overridable",
    },
}


def shown(problem: problems.Problem) -> AnyProblem:
    """The problem as clients see it."""
    return _shown(problem.code.value, problem.message, list(problem.path), problem.details)


def shown_all(refusal: problems.Refused) -> AnyProblem:
    """A refusal as clients see it: its first problem with the words of all, and each by itself in `problems`."""
    every = [shown(problem) for problem in refusal.problems]
    first = refusal.problems[0]
    if len(every) == 1:
        return every[0]
    whole = shown(replace(first, message="; ".join(dict.fromkeys(problem.message for problem in every))))
    whole.every = tuple(every)
    return whole


def stored(problem: dict[str, Any]) -> AnyProblem:
    """A problem that an Operation keeps, as clients see it."""
    return _shown(problem["code"], problem["message"], problem["path"], problem["details"])


def _shown(code: str, message: str, path: list[str], details: dict[str, Any]) -> AnyProblem:
    kind = ProblemCode(code)
    more = {name: details[key] for key, name in _DETAILS.get(kind, {}).items() if details.get(key) is not None}
    return PROBLEM_TYPES[kind](code=kind, message=message, path=path or None, **more)
