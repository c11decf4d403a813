"""Every embedded rule on both sides of its boundary, and what must not bind whom."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.protocol.facts import WEEKDAYS
from services.protocol.port import ProtocolOperation, Question
from services.protocol.rules import RULES, judge
from services.protocol.verdict import OverallStatus, Verdict, contradicts, lets_through
from services.settings.catalogue import default_values
from tests.support.questions import AT, POLICY, question

ORDER, FORK, MERGE = ProtocolOperation.ORDER, ProtocolOperation.FORK, ProtocolOperation.MERGE
DEPOSIT, WITHDRAWAL = ProtocolOperation.DEPOSIT, ProtocolOperation.WITHDRAWAL
TRANSFER, UPDATE = ProtocolOperation.TRANSFER, ProtocolOperation.UPDATE


def rules_of(verdict: Verdict) -> list[str]:
    return [violation.rule_id for violation in verdict.violations]


@pytest.mark.parametrize("operation", [one for one in ProtocolOperation if one is not MERGE])
def test_approves_where_every_rule_holds(operation: ProtocolOperation) -> None:
    verdict = judge(question(operation))
    assert verdict.overall_status is OverallStatus.APPROVED
    assert lets_through(verdict)
    assert not verdict.requires_approval
    assert verdict.violations == ()
    assert verdict.compliance_score == 1


REJECTED: list[tuple[ProtocolOperation, dict[str, Any], str]] = [
    (ORDER, {"order__symbol": "IBM"}, "POLICY_SYMBOL"),
    (ORDER, {"order__symbol": "aapl"}, "POLICY_SYMBOL"),
    (ORDER, {"policy": {"policy.symbols": []}}, "POLICY_SYMBOL"),
    (ORDER, {"order__symbol": "IBM", "order__side": None}, "POLICY_SYMBOL"),
    (ORDER, {"marketDate": "2026-01-08"}, "POLICY_ENTRY_DAY"),
    (ORDER, {"marketDate": "2026-01-04"}, "POLICY_ENTRY_DAY"),
    (ORDER, {"policy": {"policy.entryDays": []}}, "POLICY_ENTRY_DAY"),
    (ORDER, {"account__orders": 0, "account__totalValue": "9999.99"}, "POLICY_MINIMUM_INVESTMENT"),
    (
        ORDER,
        {"account__orders": 0, "account__totalValue": None, "account__cash": "9999.99"},
        "POLICY_MINIMUM_INVESTMENT",
    ),
    (WITHDRAWAL, {"policy": {"policy.withdrawals": False}, "account__tier": "COM"}, "POLICY_WITHDRAWALS"),
    (FORK, {"fork__surplus": "49999.99"}, "FORK_SURPLUS"),
    (FORK, {"fork__surplus": "-1"}, "FORK_SURPLUS"),
    (FORK, {"fork__remaining": "24999.99"}, "FORK_MINIMUM_REMAINING"),
    (FORK, {"fork__childValue": "9999.99"}, "POLICY_MINIMUM_INVESTMENT"),
    (FORK, {"fork__hoursSinceLast": 23.99}, "FORK_COOLDOWN"),
    (FORK, {"fork__today": 5}, "FORK_MAX_PER_DAY"),
    (FORK, {"policy": {"fork.maxPerDay": 0}}, "FORK_MAX_PER_DAY"),
]


@pytest.mark.parametrize(("operation", "changes", "rule"), REJECTED)
def test_rejects_what_policy_does_not_allow(operation: ProtocolOperation, changes: dict[str, Any], rule: str) -> None:
    verdict = judge(question(operation, **changes))
    assert verdict.overall_status is OverallStatus.REJECTED
    assert not lets_through(verdict)
    assert rules_of(verdict) == [rule]
    assert verdict.violations[0].can_override is False
    assert verdict.compliance_score is not None
    assert verdict.compliance_score < 1


@pytest.mark.parametrize(("operation", "changes", "rule"), REJECTED)
def test_policy_that_is_set_binds_an_account_without_a_tier(
    operation: ProtocolOperation, changes: dict[str, Any], rule: str
) -> None:
    assert rules_of(judge(question(operation, **(changes | {"account__tier": None})))) == [rule]


ASKED: list[tuple[ProtocolOperation, dict[str, Any], str]] = [
    (ORDER, {"policy": {"approval.order": True}}, "APPROVAL_ORDER"),
    (ORDER, {"policy": {"approval.order": True}, "order__side": "SELL"}, "APPROVAL_ORDER"),
    (ORDER, {"policy": {"approval.order": True}, "account__trusted": None}, "APPROVAL_ORDER"),
    (ORDER, {"confidence": 0.6999}, "APPROVAL_CONFIDENCE"),
    (ORDER, {"lossShare": 0.1501}, "APPROVAL_RECOVERY"),
    (ORDER, {"drawdown": "0.1001"}, "APPROVAL_DRAWDOWN"),
    (ORDER, {"portfolioRisk": "0.1001"}, "APPROVAL_PORTFOLIO_RISK"),
    (ORDER, {"positionRisk": 0.0501}, "APPROVAL_POSITION_RISK"),
    (FORK, {"policy": {"approval.fork": True}}, "APPROVAL_FORK"),
    (MERGE, {}, "APPROVAL_MERGE"),
    (DEPOSIT, {"policy": {"approval.deposit": True}}, "APPROVAL_DEPOSIT"),
    (WITHDRAWAL, {"policy": {"approval.withdrawal": True}}, "APPROVAL_WITHDRAWAL"),
    (TRANSFER, {"policy": {"approval.transfer": True}}, "APPROVAL_TRANSFER"),
    (UPDATE, {"adjustment": True, "amount": "1000.01"}, "APPROVAL_ADJUSTMENT"),
    (WITHDRAWAL, {"adjustment": True, "amount": "-1000.01"}, "APPROVAL_ADJUSTMENT"),
]


@pytest.mark.parametrize(("operation", "changes", "rule"), ASKED)
def test_asks_a_person(operation: ProtocolOperation, changes: dict[str, Any], rule: str) -> None:
    verdict = judge(question(operation, **changes))
    assert verdict.overall_status is OverallStatus.WARNING
    assert lets_through(verdict)
    assert verdict.requires_approval
    assert rules_of(verdict) == [rule]
    assert verdict.violations[0].can_override is True


@pytest.mark.parametrize(("operation", "changes", "rule"), ASKED)
def test_asks_a_person_about_an_account_without_a_tier_where_policy_is_set(
    operation: ProtocolOperation, changes: dict[str, Any], rule: str
) -> None:
    assert rules_of(judge(question(operation, **(changes | {"account__tier": None})))) == [rule]


@pytest.mark.parametrize(("operation", "changes", "rule"), REJECTED + ASKED)
def test_an_account_without_a_tier_is_bound_by_no_default_of_a_tier(
    operation: ProtocolOperation, changes: dict[str, Any], rule: str
) -> None:
    asked = question(operation, **(changes | {"account__tier": None}))
    verdict = judge(replace(asked, facts={**asked.facts, "policy": default_values(None)}))
    always = {"APPROVAL_MERGE", "APPROVAL_ADJUSTMENT"}
    assert rules_of(verdict) == [name for name in [rule] if name in always]


ON_THE_BOUNDARY: list[tuple[ProtocolOperation, dict[str, Any]]] = [
    (ORDER, {"account__orders": 0, "account__totalValue": "10000"}),
    (ORDER, {"account__orders": 0, "account__totalValue": "10000", "account__cash": "1"}),
    (ORDER, {"account__orders": 1, "account__totalValue": "5"}),
    (ORDER, {"policy": {"approval.order": True}, "account__trusted": True}),
    (ORDER, {"confidence": 0.7, "lossShare": 0.15, "drawdown": 0.1, "portfolioRisk": 0.1, "positionRisk": 0.05}),
    (FORK, {"fork__surplus": "50000", "fork__remaining": "25000", "fork__childValue": "10000"}),
    (FORK, {"fork__hoursSinceLast": 24, "fork__today": 4}),
    (FORK, {"fork__hoursSinceLast": None, "fork__today": None}),
    (UPDATE, {"adjustment": True, "amount": "1000"}),
    (UPDATE, {"adjustment": True, "amount": "-1000.00"}),
    (UPDATE, {"adjustment": False, "amount": "5000"}),
    (WITHDRAWAL, {"adjustment": True, "amount": "-5", "policy": {"policy.withdrawals": False}}),
    (MERGE, {"policy": {"approval.merge": False}}),
]


@pytest.mark.parametrize(("operation", "changes"), ON_THE_BOUNDARY)
def test_lets_through_on_the_boundary(operation: ProtocolOperation, changes: dict[str, Any]) -> None:
    assert judge(question(operation, **changes)).overall_status is OverallStatus.APPROVED


def test_a_sale_is_bound_by_no_entry_rule() -> None:
    sale = question(ORDER, order__side="SELL", order__symbol="IBM", marketDate="2026-01-09")
    assert judge(sale).overall_status is OverallStatus.APPROVED


def test_a_deposit_is_never_below_the_minimum_investment() -> None:
    small = question(DEPOSIT, amount="1", account__orders=0, account__totalValue="0", account__cash="0")
    assert judge(small).overall_status is OverallStatus.APPROVED


def test_a_paper_fork_meets_no_fork_rule() -> None:
    paper = {"surplus": "0", "remaining": "0", "childValue": "0", "hoursSinceLast": 0, "today": 99, "simulated": True}
    assert judge(question(FORK, fork=paper)).overall_status is OverallStatus.APPROVED


@pytest.mark.parametrize("index", range(7))
def test_each_weekday_is_the_one_that_the_calendar_says(index: int) -> None:
    day, name = f"2026-01-{5 + index:02}", WEEKDAYS[index]
    allowed = judge(question(ORDER, marketDate=day, policy={"policy.entryDays": [name]}))
    others = [other for other in WEEKDAYS if other != name]
    refused = judge(question(ORDER, marketDate=day, policy={"policy.entryDays": others}))
    assert allowed.overall_status is OverallStatus.APPROVED
    assert rules_of(refused) == ["POLICY_ENTRY_DAY"]
    assert refused.violations[0].current_value == name


def test_a_rejection_names_every_rule_that_rejects_and_nothing_that_only_asks() -> None:
    asked = question(ORDER, order__symbol="IBM", marketDate="2026-01-09", policy={"approval.order": True})
    assert rules_of(judge(asked)) == ["POLICY_SYMBOL", "POLICY_ENTRY_DAY"]


def test_a_violation_says_what_was_found_and_what_would_be_right() -> None:
    (violation,) = judge(question(ORDER, order__symbol="IBM")).violations
    assert violation.description == "Policy lets this account buy AAPL, AMZN, MSFT; IBM is not among them."
    assert (violation.current_value, violation.required_value) == ("IBM", "AAPL, AMZN, MSFT")
    (violation,) = judge(question(FORK, fork__surplus="49999.90")).violations
    assert violation.description == (
        "To fork, the account's surplus over its initial balance must be 50000 or more; it is 49999.9."
    )
    assert (violation.current_value, violation.required_value) == ("49999.9", "50000")


def test_the_longest_list_of_symbols_still_makes_a_verdict() -> None:
    symbols = [f"S{number}" + "X" * 190 for number in range(1_000)]
    verdict = judge(question(ORDER, policy={"policy.symbols": symbols}))
    assert rules_of(verdict) == ["POLICY_SYMBOL"]


def test_policy_may_switch_a_threshold_off() -> None:
    off = {"risk.minimumConfidence": None, "policy.symbols": None, "policy.entryDays": None}
    verdict = judge(question(ORDER, policy=off, confidence=0.1, order__symbol="IBM", marketDate="2026-01-09"))
    assert verdict.overall_status is OverallStatus.APPROVED


def test_thresholds_that_no_policy_names_are_the_catalogue_defaults() -> None:
    facts = {"account": {"tier": "GEN"}, "confidence": 0.69, "positionRisk": 0.051}
    verdict = judge(Question("acc_x", ORDER, AT, facts))
    assert rules_of(verdict) == ["APPROVAL_CONFIDENCE", "APPROVAL_POSITION_RISK"]
    untiered = judge(Question("acc_x", ORDER, AT, facts | {"account": {"tier": None}}))
    assert rules_of(untiered) == []


def test_no_facts_at_all_break_no_rule() -> None:
    for operation in ProtocolOperation:
        assert judge(Question("acc_x", operation, AT)).overall_status is OverallStatus.APPROVED
    nothing = {"account": None, "policy": None, "order": None, "fork": None, "marketDate": None}
    assert judge(Question("acc_x", ORDER, AT, nothing)).overall_status is OverallStatus.APPROVED


MALFORMED: list[tuple[dict[str, Any], str]] = [
    ({"account__tier": "GOLD"}, "account.tier"),
    ({"account__orders": -1}, "account.orders"),
    ({"account__orders": "0"}, "account.orders"),
    ({"account__orders": True}, "account.orders"),
    ({"account__totalValue": 100.5}, "account.totalValue"),
    ({"account__totalValue": "1e9"}, "account.totalValue"),
    ({"account__cash": "NaN"}, "account.cash"),
    ({"account__cash": "\u0661\u0662"}, "account.cash"),
    ({"account__trusted": "yes"}, "account.trusted"),
    ({"account": ["GEN"]}, "account"),
    ({"order__side": "HOLD"}, "order.side"),
    ({"order__symbol": 7}, "order.symbol"),
    ({"marketDate": "2026-13-01"}, "marketDate"),
    ({"marketDate": "20260107"}, "marketDate"),
    ({"marketDate": "2026-W02-3"}, "marketDate"),
    ({"marketDate": 20260107}, "marketDate"),
    ({"confidence": 70}, "confidence"),
    ({"confidence": float("nan")}, "confidence"),
    ({"lossShare": "much"}, "lossShare"),
    ({"adjustment": 1}, "adjustment"),
    ({"policy": {"policy.symbols": "AAPL"}}, "policy.policy.symbols"),
    ({"policy": {"policy.entryDays": ["Wednesday"]}}, "policy.policy.entryDays.0"),
    ({"policy": {"policy.withdrawals": "false"}}, "policy.policy.withdrawals"),
    ({"policy": {"approval.order": 0}}, "policy.approval.order"),
    ({"policy": {"fork.maxPerDay": True}}, "policy.fork.maxPerDay"),
    ({"policy": {"risk.minimumConfidence": float("inf")}}, "policy.risk.minimumConfidence"),
]


@pytest.mark.parametrize(("changes", "path"), MALFORMED)
def test_a_malformed_fact_rejects(changes: dict[str, Any], path: str) -> None:
    verdict = judge(question(ORDER, **changes))
    assert verdict.overall_status is OverallStatus.REJECTED
    assert rules_of(verdict) == ["FACT_MALFORMED"]
    assert path in verdict.violations[0].description


def test_a_malformed_fact_rejects_an_account_without_a_tier_too() -> None:
    verdict = judge(question(ORDER, account__tier=None, policy={"policy.symbols": 5}))
    assert verdict.overall_status is OverallStatus.REJECTED


def test_the_number_of_malformed_facts_told_is_bounded() -> None:
    verdict = judge(question(ORDER, policy={"policy.symbols": list(range(900))}))
    assert 1 <= len(verdict.violations) <= 20


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(["1", "0.5"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
FACTS = st.fixed_dictionaries(
    {},
    optional={
        "account": st.fixed_dictionaries({"tier": st.sampled_from(["GEN", "COM", None])}, optional={"orders": JSON}),
        "policy": st.fixed_dictionaries({}, optional={key: st.just(value) | JSON for key, value in POLICY.items()}),
        "order": JSON | st.just({"symbol": "IBM", "side": "BUY"}),
        "fork": JSON,
        "marketDate": JSON,
        "confidence": JSON,
        "positionRisk": JSON,
    },
)


@given(operation=st.sampled_from(ProtocolOperation), facts=FACTS)
def test_any_facts_get_a_verdict_that_does_not_contradict_itself(
    operation: ProtocolOperation, facts: dict[str, Any]
) -> None:
    verdict = judge(Question("acc_x", operation, AT, facts))
    assert not contradicts(verdict)
    assert lets_through(verdict) == (verdict.overall_status is not OverallStatus.REJECTED)
    assert verdict.requires_approval == (verdict.overall_status is OverallStatus.WARNING)
    assert verdict == judge(Question("acc_x", operation, AT, facts))


def test_every_rule_of_the_table_is_tested_here() -> None:
    tested = {rule for _, _, rule in REJECTED + ASKED}
    assert tested == {rule.rule_id for rule in RULES}
