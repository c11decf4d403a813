"""A verdict of the protocol engine (WS2), and the one place that decides what it lets through."""

import json
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from services.problems import Problem, ProblemCode, Refused

MAX_VIOLATIONS = 100
MAX_WORDS = 2_000
MAX_VALUE_TEXT = 500

Name = Annotated[str, Field(min_length=1, max_length=200)]
Words = Annotated[str, Field(max_length=MAX_WORDS)]


class ProtocolUnavailable(Refused):
    """WS2 gave no verdict that can be used: it is gone, late, or its answer is malformed or contradictory.

    A refusal with one UNAVAILABLE problem. Nothing was let through.
    """

    def __init__(self, message: str) -> None:
        super().__init__(Problem(ProblemCode.UNAVAILABLE, message))


class OverallStatus(StrEnum):
    """What the engine concludes; ERROR says that it could not judge."""

    APPROVED = "APPROVED"
    WARNING = "WARNING"
    REJECTED = "REJECTED"
    ERROR = "ERROR"


class Violation(BaseModel):
    """One rule that does not hold, with the value found and the value that the rule asks for (any JSON)."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    rule_id: Name
    priority: Name
    description: Words
    severity: Name
    rule_type: Words | None = None
    current_value: JsonValue = None
    required_value: JsonValue = None
    recommendation: Words | None = None
    can_override: bool | None = None


class Verdict(BaseModel):
    """The answer to one question. `compliance_score` is from 0 to 1, None where the engine gives none."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    valid: bool
    overall_status: OverallStatus
    can_proceed: bool
    violations: tuple[Violation, ...] = Field(max_length=MAX_VIOLATIONS)
    requires_approval: bool = False
    compliance_score: float | None = Field(default=None, ge=0, le=1, allow_inf_nan=False)


def contradicts(verdict: Verdict) -> bool:
    """Whether the verdict's parts deny each other, so that it must not be relied on either way.

    APPROVED goes with valid and can_proceed, and with no broken rule unless a person is asked about it;
    REJECTED and ERROR go with neither; a WARNING cannot proceed where it is not valid.
    """
    match verdict.overall_status:
        case OverallStatus.APPROVED:
            unasked = bool(verdict.violations) and not verdict.requires_approval
            return not (verdict.valid and verdict.can_proceed) or unasked
        case OverallStatus.WARNING:
            return verdict.can_proceed and not verdict.valid
        case OverallStatus.REJECTED | OverallStatus.ERROR:
            return verdict.valid or verdict.can_proceed


def lets_through(verdict: Verdict) -> bool:
    """Whether the operation may take effect; where `requires_approval` is true, only once a person approved it."""
    passing = verdict.overall_status in {OverallStatus.APPROVED, OverallStatus.WARNING}
    return passing and verdict.valid and verdict.can_proceed and not contradicts(verdict)


def needs_person(verdict: Verdict, *path: str) -> bool:
    """Whether a person must approve first; False where the operation may take effect at once.

    Raises Refused with a RULE_VIOLATION for each violation of a rejection, about the input field at `path`, and
    ProtocolUnavailable for a contradictory verdict or an engine that could not judge and names no rule.
    """
    if contradicts(verdict):
        raise ProtocolUnavailable("The protocol engine contradicted itself; nothing was done. Try again later.")
    if lets_through(verdict):
        return verdict.requires_approval
    if verdict.overall_status is OverallStatus.ERROR and not verdict.violations:
        raise ProtocolUnavailable("The protocol engine could not judge; nothing was done. Try again later.")
    raise Refused(*problems_of(verdict, *path))


def problems_of(verdict: Verdict, *path: str) -> tuple[Problem, ...]:
    """A RULE_VIOLATION for each violation (current and required as text or None), and at least a plain one."""
    if not verdict.violations:
        plain = {"rule": "PROTOCOL", "current": None, "required": None, "overridable": False}
        message = "The protocol engine rejected this and named no rule."
        return (Problem(ProblemCode.RULE_VIOLATION, message, path, plain),)
    return tuple(_problem(violation, path) for violation in verdict.violations)


def _problem(violation: Violation, path: tuple[str, ...]) -> Problem:
    details = {
        "rule": violation.rule_id,
        "current": _text(violation.current_value),
        "required": _text(violation.required_value),
        "overridable": violation.can_override is True,
    }
    message = violation.description or f"The rule {violation.rule_id} does not hold."
    return Problem(ProblemCode.RULE_VIOLATION, message, path, details)


def _text(value: JsonValue) -> str | None:
    if value is None:
        return None
    return (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))[:MAX_VALUE_TEXT]
