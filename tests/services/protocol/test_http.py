"""WS2 over HTTP when it misbehaves: nothing gets through, in bounded time and memory, and nobody is asked twice."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date
from typing import Any

import pytest

from services.problems import ProblemCode, Refused
from services.protocol.http import BUDGET_SECONDS, MAX_BODY_BYTES, MAX_CONNECTIONS, HttpProtocol
from services.protocol.port import ProtocolOperation, ProtocolPort, Question
from services.protocol.verdict import OverallStatus, ProtocolUnavailable, lets_through, needs_person
from services.protocol.weeks import WeekType
from tests.support.questions import AT, question
from tests.support.ws2_server import Fault, ProtocolServer

pytestmark = pytest.mark.anyio

ASKED = question(ProtocolOperation.DEPOSIT)
DAY = date(2026, 1, 7)
APPROVED: dict[str, Any] = {"valid": True, "overall_status": "APPROVED", "can_proceed": True, "violations": []}


def validate(port: ProtocolPort) -> Awaitable[object]:
    return port.validate(ASKED)


def classify(port: ProtocolPort) -> Awaitable[object]:
    return port.classify_week(DAY)


def review(port: ProtocolPort) -> Awaitable[object]:
    return port.request_review("acc_1", "an order", {"value": "1"}, AT)


Call = Callable[[ProtocolPort], Awaitable[object]]
CALLS: list[Call] = [validate, classify, review]
# Against these the budget is all that ends a call, so it is short here.
NEVER_ENDING = {Fault.HELD, Fault.SLOW_BODY}
# What leaves the connection broken, so that a question is asked once more.
BREAKING = {Fault.DROPPED, Fault.TRUNCATED}


@pytest.fixture
async def server() -> AsyncIterator[ProtocolServer]:
    async with ProtocolServer() as running:
        yield running


@pytest.fixture
async def port(server: ProtocolServer) -> AsyncIterator[HttpProtocol]:
    client = HttpProtocol(server.url)
    yield client
    await client.aclose()


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault is not Fault.CONTRADICTION])
async def test_a_fault_is_unavailable_and_the_next_call_works(server: ProtocolServer, fault: Fault) -> None:
    for call in CALLS:
        server.requests.clear()
        await _unavailable(server, call, fault)
        await server.idle()
        tries = 2 if fault in BREAKING and call is not review else 1
        assert len(server.requests) == tries or (fault in NEVER_ENDING and not server.requests)
    client = HttpProtocol(server.url, budget=30)
    assert [await call(client) for call in CALLS]
    await client.aclose()


async def _unavailable(server: ProtocolServer, call: Call, fault: Fault) -> None:
    client = HttpProtocol(server.url, budget=0.2 if fault in NEVER_ENDING else 30)
    server.fault = fault
    with pytest.raises(ProtocolUnavailable) as refused:
        await call(client)
    assert [problem.code for problem in refused.value.problems] == [ProblemCode.UNAVAILABLE]
    server.fault = None
    await client.aclose()


async def test_a_contradiction_is_unavailable(server: ProtocolServer, port: HttpProtocol) -> None:
    server.fault = Fault.CONTRADICTION
    with pytest.raises(ProtocolUnavailable):
        await port.validate(ASKED)


@pytest.mark.parametrize("fault", BREAKING)
async def test_a_question_survives_one_broken_connection(
    server: ProtocolServer, port: HttpProtocol, fault: Fault
) -> None:
    server.next_faults.extend([fault, fault])
    with pytest.raises(ProtocolUnavailable):
        await port.validate(ASKED)
    server.next_faults.append(fault)
    assert lets_through(await port.validate(ASKED))
    server.next_faults.append(fault)
    assert (await port.classify_week(DAY)).week_type is WeekType.W_IDL
    assert len(server.requests) == 6


@pytest.mark.parametrize("fault", BREAKING)
async def test_a_person_is_never_asked_twice(server: ProtocolServer, port: HttpProtocol, fault: Fault) -> None:
    server.next_faults.append(fault)
    with pytest.raises(ProtocolUnavailable):
        await review(port)
    assert [request.path for request in server.requests] == ["/hitl-review"]


async def test_a_call_that_came_too_late_leaves_nothing_open(server: ProtocolServer) -> None:
    client = HttpProtocol(server.url, budget=1)
    server.fault = Fault.HELD
    with pytest.raises(ProtocolUnavailable):
        await client.validate(ASKED)
    await server.idle()
    assert len(server.requests) == 1
    await client.aclose()


async def test_a_caller_that_goes_away_ends_its_call(server: ProtocolServer) -> None:
    client = HttpProtocol(server.url, budget=30)
    server.fault = Fault.HELD
    task = asyncio.create_task(client.validate(ASKED))
    await server.received(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await server.idle()
    server.fault = None
    assert lets_through(await client.validate(ASKED))
    await client.aclose()


async def test_the_connections_are_bounded_and_all_callers_get_their_answer(server: ProtocolServer) -> None:
    client = HttpProtocol(server.url, budget=30)
    server.fault = Fault.HELD
    calls = [asyncio.create_task(client.validate(ASKED)) for _ in range(3 * MAX_CONNECTIONS)]
    await server.received(MAX_CONNECTIONS)
    server.release()
    assert all(lets_through(verdict) for verdict in await asyncio.gather(*calls))
    assert server.most_at_once == MAX_CONNECTIONS
    await client.aclose()


async def test_closing_ends_what_is_under_way(server: ProtocolServer) -> None:
    client = HttpProtocol(server.url, budget=30)
    server.fault = Fault.HELD
    task = asyncio.create_task(client.validate(ASKED))
    await server.received(1)
    await client.aclose()
    with pytest.raises(ProtocolUnavailable):
        await task
    with pytest.raises(ProtocolUnavailable):
        await client.validate(ASKED)
    assert await client.healthy() is False
    await client.aclose()


async def test_a_server_that_is_gone_is_unavailable_and_unhealthy_until_it_is_back() -> None:
    async with ProtocolServer() as server:
        client = HttpProtocol(server.url)
        assert await client.healthy() is True
    assert await client.healthy() is False
    for call in CALLS:
        with pytest.raises(ProtocolUnavailable):
            await call(client)
    async with ProtocolServer(port=server.port):
        assert await client.healthy() is True
        assert lets_through(await client.validate(ASKED))
    await client.aclose()


@pytest.mark.parametrize("fault", [Fault.STATUS_500, Fault.DROPPED, Fault.REDIRECT, Fault.HUGE])
async def test_a_server_that_fails_is_unhealthy(server: ProtocolServer, port: HttpProtocol, fault: Fault) -> None:
    server.fault = fault
    assert await port.healthy() is False


async def test_a_redirect_is_not_followed(server: ProtocolServer, port: HttpProtocol) -> None:
    server.fault = Fault.REDIRECT
    with pytest.raises(ProtocolUnavailable):
        await port.validate(ASKED)
    assert [request.path for request in server.requests] == ["/validate-protocol"]


async def test_an_answer_of_the_longest_length_is_read(server: ProtocolServer, port: HttpProtocol) -> None:
    empty = len('{"valid": true, "overall_status": "APPROVED", "can_proceed": true, "violations": [], "pad": ""}')
    server.answer = APPROVED | {"pad": "x" * (MAX_BODY_BYTES - empty)}
    assert lets_through(await port.validate(ASKED))
    server.answer = APPROVED | {"pad": "x" * (MAX_BODY_BYTES - empty + 1)}
    with pytest.raises(ProtocolUnavailable):
        await port.validate(ASKED)


async def test_what_is_sent_is_what_the_contract_says(server: ProtocolServer, port: HttpProtocol) -> None:
    await port.validate(Question("acc_1", ProtocolOperation.ORDER, AT, {"operation": "CREATE", "amount": "5.00"}))
    await port.classify_week(DAY)
    await port.request_review("acc_1", "an order", {"value": "5.00"}, AT)
    asked, classified, reviewed = server.requests
    assert (asked.method, asked.path) == ("POST", "/validate-protocol")
    assert asked.body == {
        "account_id": "acc_1",
        "timestamp": "2026-01-07T15:30:00.000000Z",
        "trade_data": {"operation": "ORDER", "amount": "5.00"},
    }
    assert (classified.method, classified.path) == ("GET", "/week-classification/2026-01-07")
    assert (reviewed.method, reviewed.path) == ("POST", "/hitl-review")
    assert reviewed.body == {
        "account_id": "acc_1",
        "reason": "an order",
        "data": {"value": "5.00"},
        "timestamp": "2026-01-07T15:30:00.000000Z",
    }


async def test_a_base_path_is_kept(server: ProtocolServer) -> None:
    client = HttpProtocol(server.url + "/ws2/")
    server.answer = lambda request: APPROVED if request.path == "/ws2/validate-protocol" else None
    assert lets_through(await client.validate(ASKED))
    await client.aclose()


async def test_an_engine_may_change_its_mind(server: ProtocolServer, port: HttpProtocol) -> None:
    server.answer = APPROVED | {"requires_approval": True}
    assert needs_person(await port.validate(ASKED)) is True
    server.answer = APPROVED | {"valid": False, "overall_status": "REJECTED", "can_proceed": False}
    verdict = await port.validate(ASKED)
    assert verdict.overall_status is OverallStatus.REJECTED
    with pytest.raises(Refused):
        needs_person(verdict)


@pytest.mark.parametrize("url", ["", "ws2", "ftp://host", "http://", "http://host/?a=1", "http://host:x", "//host"])
def test_an_address_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="http or https"):
        HttpProtocol(url)


def test_the_time_for_a_call_is_the_contract_s() -> None:
    assert BUDGET_SECONDS == 2.0
