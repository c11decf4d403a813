"""The embedded rules as a table, and the verdict that they give together: a pure function of the question.

An account without a tier has no tier policy: rows marked `tiered` never bind it. A rule whose facts are absent does
not apply; a malformed fact rejects.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from pydantic import ValidationError

from services.protocol import approval_rules as approval
from services.protocol import policy_rules as policy
from services.protocol.facts import Facts, malformed
from services.protocol.finding import Finding
from services.protocol.port import ProtocolOperation, Question
from services.protocol.verdict import MAX_WORDS, OverallStatus, Verdict, Violation

Judge: TypeAlias = Callable[[Facts], Finding | None]

_ORDER, _FORK = ProtocolOperation.ORDER, ProtocolOperation.FORK
_DEPOSIT, _TRANSFER = ProtocolOperation.DEPOSIT, ProtocolOperation.TRANSFER
_WITHDRAWAL, _MERGE = ProtocolOperation.WITHDRAWAL, ProtocolOperation.MERGE


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: the operation that it is for (None: any), whether it rejects or asks, and its judgement.

    A rule binds whom a policy binds: an account with a tier by the tier's defaults too, one without by what is set.
    """

    rule_id: str
    operation: ProtocolOperation | None
    asks: bool
    judge: Judge

    def find(self, question: Question, facts: Facts) -> Finding | None:
        """What the rule finds, or None where it does not apply."""
        return self.judge(facts) if self.operation in {None, question.operation} else None

    def violation(self, finding: Finding) -> Violation:
        """The violation of a finding that does not hold. What only asks can be overridden by approval."""
        return Violation(
            rule_id=self.rule_id,
            rule_type="approval" if self.asks else "policy",
            priority="medium" if self.asks else "high",
            severity="warning" if self.asks else "critical",
            description=finding.description[:MAX_WORDS],
            current_value=finding.current,
            required_value=finding.required,
            can_override=self.asks,
        )


RULES = (
    Rule("POLICY_SYMBOL", _ORDER, asks=False, judge=policy.allowed_symbol),
    Rule("POLICY_ENTRY_DAY", _ORDER, asks=False, judge=policy.entry_day),
    Rule("POLICY_MINIMUM_INVESTMENT", _ORDER, asks=False, judge=policy.first_order_minimum),
    Rule("POLICY_WITHDRAWALS", _WITHDRAWAL, asks=False, judge=policy.withdrawals_allowed),
    Rule("FORK_SURPLUS", _FORK, asks=False, judge=policy.fork_surplus),
    Rule("FORK_MINIMUM_REMAINING", _FORK, asks=False, judge=policy.fork_remaining),
    Rule("POLICY_MINIMUM_INVESTMENT", _FORK, asks=False, judge=policy.fork_minimum),
    Rule("FORK_COOLDOWN", _FORK, asks=False, judge=policy.fork_cooldown),
    Rule("FORK_MAX_PER_DAY", _FORK, asks=False, judge=policy.fork_count),
    Rule("APPROVAL_ORDER", _ORDER, asks=True, judge=approval.order_approved),
    Rule("APPROVAL_DEPOSIT", _DEPOSIT, asks=True, judge=approval.deposit_approved),
    Rule("APPROVAL_WITHDRAWAL", _WITHDRAWAL, asks=True, judge=approval.withdrawal_approved),
    Rule("APPROVAL_TRANSFER", _TRANSFER, asks=True, judge=approval.transfer_approved),
    Rule("APPROVAL_FORK", _FORK, asks=True, judge=approval.fork_approved),
    Rule("APPROVAL_MERGE", _MERGE, asks=True, judge=approval.merge_approved),
    Rule("APPROVAL_ADJUSTMENT", None, asks=True, judge=approval.adjustment_approved),
    Rule("APPROVAL_CONFIDENCE", None, asks=True, judge=approval.confident),
    Rule("APPROVAL_RECOVERY", None, asks=True, judge=approval.recovering),
    Rule("APPROVAL_DRAWDOWN", None, asks=True, judge=approval.drawdown),
    Rule("APPROVAL_PORTFOLIO_RISK", None, asks=True, judge=approval.portfolio_risk),
    Rule("APPROVAL_POSITION_RISK", None, asks=True, judge=approval.position_risk),
)


def judge(question: Question) -> Verdict:
    """The verdict: REJECTED names what rejects, WARNING what a person must approve, APPROVED nothing.

    The compliance score is the share of the rules that apply and hold; 1 where none applies.
    """
    try:
        facts = Facts.model_validate(question.facts)
    except ValidationError as fault:
        return _rejected(tuple(_malformed(path, words) for path, words in malformed(fault)), 0.0)
    found = [(rule, finding) for rule in RULES if (finding := rule.find(question, facts)) is not None]
    broken = [(rule, finding) for rule, finding in found if not finding.holds]
    score = 1 - len(broken) / len(found) if found else 1.0
    rejecting = tuple(rule.violation(finding) for rule, finding in broken if not rule.asks)
    if rejecting:
        return _rejected(rejecting, score)
    asking = tuple(rule.violation(finding) for rule, finding in broken)
    return Verdict(
        valid=True,
        overall_status=OverallStatus.WARNING if asking else OverallStatus.APPROVED,
        can_proceed=True,
        requires_approval=bool(asking),
        violations=asking,
        compliance_score=score,
    )


def _rejected(violations: tuple[Violation, ...], score: float) -> Verdict:
    return Verdict(
        valid=False,
        overall_status=OverallStatus.REJECTED,
        can_proceed=False,
        violations=violations,
        compliance_score=score,
    )


def _malformed(path: str, words: str) -> Violation:
    return Violation(
        rule_id="FACT_MALFORMED",
        rule_type="facts",
        priority="high",
        severity="critical",
        description=f"The fact {path} cannot be judged: {words}."[:MAX_WORDS],
        required_value="a well-formed value",
        can_override=False,
    )
