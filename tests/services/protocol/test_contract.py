"""One suite for every adapter of the port: the embedded engine, and HTTP against a real server."""

from collections.abc import AsyncIterator, Iterator
from datetime import date, timedelta
from decimal import Decimal

import pytest

from services.problems import ProblemCode, Refused
from services.protocol.embedded import EmbeddedProtocol
from services.protocol.http import HttpProtocol
from services.protocol.port import ProtocolOperation, ProtocolPort
from services.protocol.rules import judge
from services.protocol.verdict import lets_through, needs_person
from services.protocol.weeks import CallMove, MarketCondition, PutMove, WeekMoves, WeekType
from tests.support.questions import AT, question
from tests.support.ws2_server import ProtocolServer

pytestmark = pytest.mark.anyio

MONDAY = date(2026, 1, 5)
WEEKS = {
    MONDAY: WeekMoves(CallMove(Decimal("0.03")), MarketCondition.GREEN),
    MONDAY + timedelta(weeks=1): WeekMoves(PutMove(Decimal("-0.08"), can_roll=True), MarketCondition.RED),
    MONDAY + timedelta(weeks=2): WeekMoves(None),
}


async def moves_of(monday: date) -> WeekMoves | None:
    return WEEKS.get(monday)


@pytest.fixture(scope="module")
def server() -> Iterator[ProtocolServer]:
    running = ProtocolServer(engine=EmbeddedProtocol(moves_of))
    running.start()
    yield running
    running.stop()


@pytest.fixture(params=["embedded", "http"])
async def port(request: pytest.FixtureRequest, server: ProtocolServer) -> AsyncIterator[ProtocolPort]:
    port = EmbeddedProtocol(moves_of) if request.param == "embedded" else HttpProtocol(server.url)
    yield port
    await port.aclose()


@pytest.mark.parametrize("operation", list(ProtocolOperation))
async def test_every_operation_gets_the_rules_verdict(port: ProtocolPort, operation: ProtocolOperation) -> None:
    asked = question(operation)
    verdict = await port.validate(asked)
    assert verdict == judge(asked)
    assert lets_through(verdict)
    assert needs_person(verdict) is (operation is ProtocolOperation.MERGE)


async def test_a_rejection_is_told_with_its_rules(port: ProtocolPort) -> None:
    asked = question(ProtocolOperation.ORDER, order__symbol="IBM", marketDate="2026-01-08")
    verdict = await port.validate(asked)
    assert verdict == judge(asked)
    with pytest.raises(Refused) as refused:
        needs_person(verdict)
    assert [problem.code for problem in refused.value.problems] == [ProblemCode.RULE_VIOLATION] * 2
    assert refused.value.problems[0].details == {
        "rule": "POLICY_SYMBOL",
        "current": "IBM",
        "required": "AAPL, AMZN, MSFT",
        "overridable": False,
    }


async def test_what_a_person_must_approve_waits(port: ProtocolPort) -> None:
    verdict = await port.validate(question(ProtocolOperation.ORDER, policy={"approval.order": True}))
    assert needs_person(verdict) is True


async def test_a_malformed_fact_is_a_rejection(port: ProtocolPort) -> None:
    verdict = await port.validate(question(ProtocolOperation.WITHDRAWAL, amount="1e3"))
    assert not lets_through(verdict)
    assert [violation.rule_id for violation in verdict.violations] == ["FACT_MALFORMED"]


@pytest.mark.parametrize("days", range(7))
async def test_all_days_of_a_week_have_its_type(port: ProtocolPort, days: int) -> None:
    week = await port.classify_week(MONDAY + timedelta(days=days))
    assert (week.week_type, week.market_condition, week.confidence) == (WeekType.C_WAP, MarketCondition.GREEN, 1.0)


@pytest.mark.parametrize(("weeks", "expected"), [(1, WeekType.P_RO), (2, WeekType.W_IDL), (3, WeekType.W_IDL)])
async def test_other_weeks_have_theirs(port: ProtocolPort, weeks: int, expected: WeekType) -> None:
    week = await port.classify_week(MONDAY + timedelta(weeks=weeks))
    assert week.week_type is expected


async def test_a_review_has_an_id(port: ProtocolPort) -> None:
    review = await port.request_review("acc_1", "an order", {"value": "2005", "lots": [1, None]}, AT)
    other = await port.request_review("acc_2", "an order", {"value": "2005", "lots": [1, None]}, AT)
    assert review
    assert review != other


async def test_an_engine_that_answers_is_healthy(port: ProtocolPort) -> None:
    assert await port.healthy() is True
