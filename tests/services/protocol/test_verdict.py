"""What a verdict lets through: nothing but valid, can_proceed and APPROVED or WARNING, without contradiction."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.problems import ProblemCode, Refused
from services.protocol.verdict import (
    OverallStatus,
    ProtocolUnavailable,
    Verdict,
    Violation,
    contradicts,
    lets_through,
    needs_person,
    problems_of,
)
from services.protocol.wire import read_review, read_verdict, read_week

BROKEN = Violation(
    rule_id="R1",
    priority="high",
    description="The limit is 5.",
    severity="critical",
    current_value=7,
    required_value={"most": 5},
    can_override=True,
)
VERDICTS = st.builds(
    Verdict,
    valid=st.booleans(),
    overall_status=st.sampled_from(OverallStatus),
    can_proceed=st.booleans(),
    requires_approval=st.booleans(),
    violations=st.sampled_from([(), (BROKEN,)]),
    compliance_score=st.none() | st.floats(0, 1),
)
HONEST: dict[str, Any] = {"valid": True, "overall_status": "APPROVED", "can_proceed": True, "violations": []}
REJECTION = HONEST | {"valid": False, "overall_status": "REJECTED", "can_proceed": False}


def raw(body: object) -> bytes:
    return json.dumps(body).encode()


@given(VERDICTS)
def test_only_a_valid_proceeding_approval_or_warning_passes(verdict: Verdict) -> None:
    if lets_through(verdict):
        assert verdict.valid
        assert verdict.can_proceed
        assert verdict.overall_status in (OverallStatus.APPROVED, OverallStatus.WARNING)
        assert not contradicts(verdict)


@given(VERDICTS)
def test_every_verdict_passes_waits_or_is_refused(verdict: Verdict) -> None:
    if lets_through(verdict):
        assert needs_person(verdict) == verdict.requires_approval
        return
    with pytest.raises(Refused) as refused:
        needs_person(verdict, "input", "amount")
    codes = {problem.code for problem in refused.value.problems}
    undecided = verdict.overall_status is OverallStatus.ERROR and not verdict.violations
    if contradicts(verdict) or undecided:
        assert codes == {ProblemCode.UNAVAILABLE}
        assert isinstance(refused.value, ProtocolUnavailable)
    else:
        assert codes == {ProblemCode.RULE_VIOLATION}
        assert {problem.path for problem in refused.value.problems} == {("input", "amount")}


@given(VERDICTS)
def test_what_is_sent_is_read_again_or_refused_as_a_contradiction(verdict: Verdict) -> None:
    sent = verdict.model_dump_json().encode()
    if contradicts(verdict):
        with pytest.raises(ProtocolUnavailable):
            read_verdict(sent)
    else:
        assert read_verdict(sent) == verdict


@pytest.mark.parametrize(
    "change",
    [
        {"overall_status": "REJECTED"},
        {"overall_status": "ERROR"},
        {"valid": False},
        {"can_proceed": False},
        {"valid": False, "can_proceed": False},
        {"overall_status": "WARNING", "valid": False},
        {"overall_status": "REJECTED", "can_proceed": False},
        {"overall_status": "REJECTED", "valid": False},
        {"overall_status": "ERROR", "valid": False},
        {"violations": [BROKEN.model_dump(mode="json")]},
    ],
)
def test_a_contradiction_is_unavailable(change: dict[str, Any]) -> None:
    with pytest.raises(ProtocolUnavailable):
        read_verdict(raw(HONEST | change))


@pytest.mark.parametrize(
    "change",
    [
        *[{key: None} for key in HONEST],
        {"valid": "true"},
        {"valid": 1},
        {"can_proceed": "yes"},
        {"can_proceed": []},
        {"requires_approval": "false"},
        {"requires_approval": None},
        {"requires_approval": 0},
        {"overall_status": "approved"},
        {"overall_status": "OK"},
        {"overall_status": ["APPROVED"]},
        {"compliance_score": 1.01},
        {"compliance_score": -0.1},
        {"compliance_score": "1"},
        {"violations": {}},
        {"violations": "none"},
        {"overall_status": "WARNING", "violations": [{"rule_id": "R1"}]},
        {"overall_status": "WARNING", "violations": [BROKEN.model_dump(mode="json") | {"severity": 5}]},
        {"overall_status": "WARNING", "violations": [BROKEN.model_dump(mode="json") | {"rule_id": ""}]},
        {"overall_status": "WARNING", "violations": [BROKEN.model_dump(mode="json")] * 101},
        {"overall_status": "WARNING", "violations": [BROKEN.model_dump(mode="json") | {"description": "x" * 2_001}]},
    ],
)
def test_a_malformed_verdict_is_unavailable(change: dict[str, Any]) -> None:
    with pytest.raises(ProtocolUnavailable):
        read_verdict(raw(HONEST | change))


@pytest.mark.parametrize("key", HONEST)
def test_a_missing_field_is_unavailable(key: str) -> None:
    with pytest.raises(ProtocolUnavailable):
        read_verdict(raw({name: value for name, value in HONEST.items() if name != key}))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"true",
        b'"APPROVED"',
        b"\xff",
        b"\xef\xbb\xbf" + raw(HONEST),
        raw(HONEST).decode().encode("utf-16"),
        raw(HONEST)[:-1],
        raw(HONEST) + b"x",
        raw(HONEST)[:-1] + b', "can_proceed": false}',
        raw(HONEST)[:-1] + b', "extra": {"a": 1, "a": 2}}',
        raw(HONEST)[:-1] + b', "extra": NaN}',
        raw(HONEST)[:-1] + b', "extra": 1e999}',
        raw(HONEST)[:-1] + b', "extra": ' + b"[" * 100_000,
        raw(HONEST)[:-1] + b', "extra": ' + b"9" * 10_000 + b"}",
    ],
)
def test_a_body_that_is_not_one_plain_json_object_is_unavailable(body: bytes) -> None:
    with pytest.raises(ProtocolUnavailable):
        read_verdict(body)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_noise_is_unavailable(noise: bytes) -> None:
    with pytest.raises(ProtocolUnavailable):
        read_verdict(noise)


def test_unknown_extra_fields_are_ignored() -> None:
    violation = BROKEN.model_dump(mode="json") | {"colour": "red"}
    warning = HONEST | {"overall_status": "WARNING", "violations": [violation], "engine": {"version": 3}}
    verdict = read_verdict(raw(warning))
    assert lets_through(verdict)
    assert verdict.violations == (BROKEN,)


def test_optional_fields_may_be_absent_and_describing_ones_null() -> None:
    bare = {"rule_id": "R1", "priority": "low", "description": "", "severity": "low", "can_override": None}
    verdict = read_verdict(raw(REJECTION | {"violations": [bare], "compliance_score": None}))
    (problem,) = problems_of(verdict)
    assert problem.message == "The rule R1 does not hold."
    assert problem.details == {"rule": "R1", "current": None, "required": None, "overridable": False}


def test_a_rejection_becomes_a_problem_for_each_violation() -> None:
    other = BROKEN.model_copy(update={"rule_id": "R2", "current_value": "AAPL", "can_override": False})
    verdict = read_verdict(raw(REJECTION | {"violations": [v.model_dump(mode="json") for v in (BROKEN, other)]}))
    with pytest.raises(Refused) as refused:
        needs_person(verdict, "symbol")
    first, second = refused.value.problems
    assert first.message == "The limit is 5."
    assert first.details == {"rule": "R1", "current": "7", "required": '{"most": 5}', "overridable": True}
    assert (second.details["rule"], second.details["current"]) == ("R2", "AAPL")
    assert first.path == ("symbol",)


def test_a_rejection_without_a_violation_becomes_a_plain_problem() -> None:
    with pytest.raises(Refused) as refused:
        needs_person(read_verdict(raw(REJECTION)))
    (problem,) = refused.value.problems
    assert problem.code is ProblemCode.RULE_VIOLATION
    assert problem.details["rule"] == "PROTOCOL"


def test_a_warning_that_cannot_proceed_is_a_rejection() -> None:
    with pytest.raises(Refused) as refused:
        needs_person(read_verdict(raw(HONEST | {"overall_status": "WARNING", "can_proceed": False})))
    assert refused.value.problems[0].code is ProblemCode.RULE_VIOLATION


def test_an_engine_that_could_not_judge_is_unavailable_unless_it_names_a_rule() -> None:
    error = REJECTION | {"overall_status": "ERROR"}
    with pytest.raises(ProtocolUnavailable):
        needs_person(read_verdict(raw(error)))
    with pytest.raises(Refused) as refused:
        needs_person(read_verdict(raw(error | {"violations": [BROKEN.model_dump(mode="json")]})))
    assert refused.value.problems[0].code is ProblemCode.RULE_VIOLATION


def test_a_long_value_is_cut_in_the_problem() -> None:
    long = BROKEN.model_copy(update={"current_value": ["x" * 9_000]})
    verdict = Verdict(valid=False, overall_status=OverallStatus.REJECTED, can_proceed=False, violations=(long,))
    assert len(problems_of(verdict)[0].details["current"]) == 500


@pytest.mark.parametrize(
    "body",
    [
        {"week_type": "P-EW"},
        {"confidence": 0.5},
        {"week_type": "P-XX", "confidence": 0.5},
        {"week_type": "P-EW", "confidence": 1.5},
        {"week_type": "P-EW", "confidence": "0.5"},
        {"week_type": "P-EW", "confidence": True},
        {"week_type": "P-EW", "confidence": 0.5, "market_condition": "blue"},
    ],
)
def test_a_malformed_week_is_unavailable(body: dict[str, Any]) -> None:
    with pytest.raises(ProtocolUnavailable):
        read_week(raw(body))


@pytest.mark.parametrize("body", [{}, {"review_id": ""}, {"review_id": 7}, {"review_id": None}, {"id": "r"}])
def test_a_malformed_review_is_unavailable(body: dict[str, Any]) -> None:
    with pytest.raises(ProtocolUnavailable):
        read_review(raw(body))
