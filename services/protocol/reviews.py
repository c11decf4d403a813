"""Reviews by a person: their kinds, and how long each waits before it ends without an approval."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import TypeGuard

from services.protocol.port import Json, ProtocolOperation, Question
from services.protocol.verdict import Verdict
from services.settings.values import exact


class ReviewKind(StrEnum):
    """What a person is asked about."""

    TRADE_ENTRY = "TRADE_ENTRY"
    POSITION_ADJUSTMENT = "POSITION_ADJUSTMENT"
    RECOVERY = "RECOVERY"
    RISK_BREACH = "RISK_BREACH"
    RULE_VIOLATION = "RULE_VIOLATION"
    EMERGENCY_EXIT = "EMERGENCY_EXIT"
    FORK = "FORK"
    MERGE = "MERGE"
    CASH = "CASH"
    OTHER = "OTHER"


_DAY = timedelta(hours=24)
MAX_EXPIRY = timedelta(days=7)
_MAX_MINUTES = MAX_EXPIRY // timedelta(minutes=1)

# How long a review of each kind waits where policy says nothing. What has no time of its own is given a day.
REVIEW_EXPIRY: Mapping[ReviewKind, timedelta] = {
    ReviewKind.TRADE_ENTRY: timedelta(hours=2),
    ReviewKind.POSITION_ADJUSTMENT: timedelta(minutes=30),
    ReviewKind.RECOVERY: timedelta(minutes=15),
    ReviewKind.RISK_BREACH: timedelta(minutes=5),
    ReviewKind.RULE_VIOLATION: timedelta(minutes=1),
    ReviewKind.EMERGENCY_EXIT: timedelta(minutes=2),
    ReviewKind.FORK: _DAY,
    ReviewKind.MERGE: _DAY,
    ReviewKind.CASH: _DAY,
    ReviewKind.OTHER: _DAY,
}

# The setting that changes a kind's time, in minutes. OTHER has none.
EXPIRY_KEYS: Mapping[ReviewKind, str] = {
    ReviewKind.TRADE_ENTRY: "approval.orderExpiryMinutes",
    ReviewKind.POSITION_ADJUSTMENT: "approval.adjustmentExpiryMinutes",
    ReviewKind.RECOVERY: "approval.recoveryExpiryMinutes",
    ReviewKind.RISK_BREACH: "approval.riskBreachExpiryMinutes",
    ReviewKind.RULE_VIOLATION: "approval.ruleViolationExpiryMinutes",
    ReviewKind.EMERGENCY_EXIT: "approval.emergencyExitExpiryMinutes",
    ReviewKind.FORK: "approval.forkExpiryMinutes",
    ReviewKind.MERGE: "approval.mergeExpiryMinutes",
    ReviewKind.CASH: "approval.cashExpiryMinutes",
}

_OF_RULE: Mapping[str, ReviewKind] = {
    "APPROVAL_RECOVERY": ReviewKind.RECOVERY,
    "APPROVAL_DRAWDOWN": ReviewKind.RISK_BREACH,
    "APPROVAL_PORTFOLIO_RISK": ReviewKind.RISK_BREACH,
    "APPROVAL_POSITION_RISK": ReviewKind.RISK_BREACH,
    "APPROVAL_ADJUSTMENT": ReviewKind.POSITION_ADJUSTMENT,
}
_OF_OPERATION: Mapping[ProtocolOperation, ReviewKind] = {
    ProtocolOperation.ORDER: ReviewKind.TRADE_ENTRY,
    ProtocolOperation.FORK: ReviewKind.FORK,
    ProtocolOperation.MERGE: ReviewKind.MERGE,
    ProtocolOperation.DEPOSIT: ReviewKind.CASH,
    ProtocolOperation.WITHDRAWAL: ReviewKind.CASH,
    ProtocolOperation.TRANSFER: ReviewKind.CASH,
}


def review_kind(question: Question, verdict: Verdict) -> ReviewKind:
    """The kind of review that this verdict asks for: of several, the one that ends first."""
    broken = {violation.rule_id for violation in verdict.violations}
    kinds = [_kind_of_operation(question)] + [kind for rule, kind in _OF_RULE.items() if rule in broken]
    return min(kinds, key=lambda kind: _expiry(question, kind))


def review_expiry(question: Question, verdict: Verdict) -> timedelta:
    """How long that review waits: what the account's policy says, else REVIEW_EXPIRY; MAX_EXPIRY at most."""
    return _expiry(question, review_kind(question, verdict))


def _kind_of_operation(question: Question) -> ReviewKind:
    if question.facts.get("adjustment") is True:
        return ReviewKind.POSITION_ADJUSTMENT
    return _OF_OPERATION.get(question.operation, ReviewKind.OTHER)


def _expiry(question: Question, kind: ReviewKind) -> timedelta:
    policy = question.facts.get("policy")
    value = policy.get(EXPIRY_KEYS.get(kind, "")) if _is_object(policy) else None
    minutes = exact(value) if isinstance(value, int | float | str) else None
    if minutes is None or minutes <= 0:
        return REVIEW_EXPIRY[kind]
    return timedelta(minutes=float(min(minutes, _MAX_MINUTES)))


def _is_object(value: Json) -> TypeGuard[Mapping[str, Json]]:
    return isinstance(value, Mapping)
