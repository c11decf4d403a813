"""What an operation meets: faults, refusals, callers who go away, a full house, and a server that stops."""

import asyncio
import json

import httpx
import pytest

from accountgraph.gate import Gate, Phase
from accountgraph.incoming import Buffer, HttpRefused
from accountgraph.limits import Limits
from tests.support.logged import events, logged
from tests.support.small_server import SIGNED_IN, SmallServer, serving

pytestmark = pytest.mark.anyio
PATIENCE = 10


async def test_a_fault_becomes_an_id_that_the_log_knows() -> None:
    with logged() as stream:
        async with serving() as server:
            answer = (await server.ask("{ hello fault }")).json()
        fault = next(event for event in events(stream) if event["event"] == "fault")
    (error,) = answer["errors"]
    assert answer["data"] == {"hello": "hello world", "fault": None}
    assert error["extensions"]["code"] == "INTERNAL"
    assert error["path"] == ["fault"]
    assert error["extensions"]["id"] in error["message"]
    assert "inner word" not in json.dumps(answer)
    assert fault["fault_id"] == error["extensions"]["id"]
    assert "the secret inner word" in fault["exception"]


async def test_a_wrong_result_of_ours_is_a_fault_and_a_wrong_argument_is_not() -> None:
    async with serving() as server:
        fault = (await server.ask("{ nothing }")).json()
        wrong = (await server.ask("query ($n: String) { hello(name: $n) }", variables={"n": None})).json()
    assert fault["data"] is None
    assert fault["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert "Query.nothing" not in fault["errors"][0]["message"]
    assert wrong["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_expected_failures_keep_their_codes() -> None:
    async with serving() as server:
        answer = (await server.ask("{ refused missing gone }")).json()
    refused, missing, gone = answer["errors"]
    assert answer["data"] == {"refused": None, "missing": None, "gone": None}
    assert refused["extensions"]["code"] == "INVALID_INPUT"
    assert refused["extensions"]["path"] == ["first"]
    assert [each["path"] for each in refused["extensions"]["problems"]] == [["first"], ["after"]]
    assert (missing["extensions"]["code"], missing["message"]) == ("NOT_FOUND", "There is no such account.")
    assert gone["extensions"]["code"] == "UNAVAILABLE"
    assert "7687" not in gone["message"]


async def leave_during(server: SmallServer, document: str) -> None:
    """Asks, and hangs up once the resolver runs."""
    async with httpx.AsyncClient(base_url=server.url, headers=SIGNED_IN) as client:
        asking = asyncio.create_task(client.post("/graphql", json={"query": document}))
        await asyncio.wait_for(server.house.entered.wait(), PATIENCE)
        asking.cancel()
        await asyncio.wait({asking})


async def test_a_mutation_ends_though_its_caller_went_away() -> None:
    async with serving() as server:
        await leave_during(server, "mutation { stay }")
        server.house.leave.set()
        await asyncio.wait_for(server.house.left.wait(), PATIENCE)
        await asyncio.wait_for(server.gate.emptied(), PATIENCE)
        assert not server.house.cancelled.is_set()


async def test_a_read_is_cancelled_when_its_caller_goes_away() -> None:
    async with serving() as server:
        await leave_during(server, "{ stay }")
        await asyncio.wait_for(server.house.cancelled.wait(), PATIENCE)
        await asyncio.wait_for(server.gate.emptied(), PATIENCE)
        assert not server.house.left.is_set()


async def test_a_read_that_takes_too_long_is_given_up() -> None:
    async with serving(read_seconds=0.01) as server:
        answer = (await server.ask("{ stay }")).json()
        await asyncio.wait_for(server.house.cancelled.wait(), PATIENCE)
    assert answer["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
    assert "data" not in answer


async def test_an_answer_that_grows_too_large_is_given_up_and_a_large_one_is_taken() -> None:
    document = "query ($v: JSON!) {" + " ".join(f"a{n}: echo(value: $v)" for n in range(100)) + "}"
    value = {"text": "x" * 1_000, "numbers": [1, 2.5, None, True]}
    async with serving(limits=Limits(answer_bytes=100_000)) as server:
        refused = (await server.ask(document, variables={"v": value})).json()
        taken = (await server.ask("query ($v: JSON!) { echo(value: $v) }", variables={"v": value})).json()
        text = (await server.ask(document, variables={"v": "y" * 1_001})).json()
    for answer in (refused, text):
        (error,) = answer["errors"]
        assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
        assert "100,000 bytes" in error["message"]
        assert "data" not in answer
    assert taken == {"data": {"echo": value}}


async def test_a_read_ends_as_its_answer_has_become_too_large_and_a_mutation_does_not() -> None:
    large = "x" * 2_000
    async with serving(limits=Limits(answer_bytes=1_000)) as server:
        read = await server.ask("query ($v: JSON!) { stay echo(value: $v) }", variables={"v": large})
        assert read.json()["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"
        await asyncio.wait_for(server.house.cancelled.wait(), PATIENCE)
        written = (await server.ask("mutation ($v: String!) { signIn(username: $v) }", variables={"v": large})).json()
    assert "operationId" in written["errors"][0]["message"]


async def test_json_that_orjson_does_not_write_comes_back_beside_json_that_it_does() -> None:
    document = "query ($a: JSON!, $b: JSON!, $c: JSON!) { a: echo(value: $a) b: echo(value: $b) c: echo(value: $c) }"
    given = {"a": {"large": [2**70]}, "b": {"text": "plain"}, "c": 2**80}
    async with serving() as server:
        assert (await server.ask(document, variables=given)).json() == {"data": given}


async def test_beyond_the_queue_a_request_is_refused_and_told_when_to_come_again() -> None:
    gate = Gate(running=1, waiting=1)
    async with serving(gate=gate) as server:
        running = asyncio.create_task(server.ask("{ stay }"))
        await asyncio.wait_for(server.house.entered.wait(), PATIENCE)
        waiting = {asyncio.create_task(server.ask("{ hello }")) for _ in range(3)}
        refused: list[httpx.Response] = []
        while len(refused) < 2:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            refused += [each.result() for each in done]
        server.house.leave.set()
        (waited,) = waiting
        assert (await waited).json() == {"data": {"hello": "hello world"}}
        assert (await running).json() == {"data": {"stay": "done"}}
    for response in refused:
        assert response.status_code == 503
        assert response.headers["retry-after"] == "1"
        assert response.json()["errors"][0]["extensions"]["code"] == "OVERLOADED"


@pytest.mark.parametrize("phase", [Phase.STARTING, Phase.STOPPING])
async def test_a_server_that_starts_or_stops_says_so(phase: Phase) -> None:
    async with serving() as server:
        server.gate.phase = phase
        response = await server.ask("{ hello }")
    assert response.status_code == 503
    assert response.headers["retry-after"]
    assert response.json()["errors"][0]["extensions"]["code"] == "UNAVAILABLE"


async def test_a_gate_that_closes_lets_those_inside_finish() -> None:
    async with serving() as server:
        running = asyncio.create_task(server.ask("mutation { stay }"))
        await asyncio.wait_for(server.house.entered.wait(), PATIENCE)
        server.gate.close()
        refused = await server.ask("{ hello }")
        server.house.leave.set()
        await asyncio.wait_for(server.gate.emptied(), PATIENCE)
        assert (await running).json() == {"data": {"stay": "done"}}
    assert refused.status_code == 503


async def test_those_who_wait_get_their_turn_in_order_or_are_refused_in_time() -> None:
    gate, order = Gate(running=1, waiting=5, wait_seconds=5), list[int]()
    first_may_leave = asyncio.Event()

    async def take(number: int) -> None:
        async with gate.entered():
            order.append(number)
            if number == 0:
                await first_may_leave.wait()

    tasks = [asyncio.create_task(take(number)) for number in range(4)]
    await asyncio.wait(tasks[:1], timeout=0)
    first_may_leave.set()
    await asyncio.gather(*tasks)
    assert order == [0, 1, 2, 3]
    impatient = Gate(running=1, waiting=5, wait_seconds=0.01)
    async with impatient.entered():
        with pytest.raises(HttpRefused) as refusal:
            async with impatient.entered():
                pass
    assert refusal.value.status == 503
    async with impatient.entered():
        pass


async def test_bodies_are_held_within_a_bound_together() -> None:
    buffer = Buffer(most=100)
    with buffer.hold() as take:
        take(60)
        with buffer.hold() as take_more:
            take_more(30)
            with pytest.raises(HttpRefused) as refusal:
                take_more(30)
            assert buffer.held == 90
        assert refusal.value.status == 503
        assert buffer.held == 60
    assert buffer.held == 0


async def test_the_log_tells_the_request_its_operation_and_its_operation_id() -> None:
    with logged() as stream:
        async with serving() as server:
            await server.client.post(
                "/graphql",
                json={
                    "query": "mutation Pay($w: DepositInput!) { deposit(what: $w) }",
                    "variables": {"w": {"operationId": "op-7", "amount": 1}},
                },
                headers={"X-Request-Id": "r-7"},
            )
        (event,) = events(stream)
    told = {name: event[name] for name in ("event", "request_id", "kind", "operation", "operation_id", "outcome")}
    assert told == {
        "event": "request",
        "request_id": "r-7",
        "kind": "mutation",
        "operation": "Pay",
        "operation_id": "op-7",
        "outcome": "ok",
    }


async def test_requests_and_refusals_are_counted() -> None:
    async with serving() as server, httpx.AsyncClient(base_url=server.url) as stranger:
        await server.ask("query Greet { hello }")
        await stranger.post("/graphql", json={"query": "query Probe { hello }"})
        told = server.metrics.render().decode()
    assert 'accountgraph_requests_total{kind="query",operation="Greet",outcome="ok"} 1.0' in told
    assert 'accountgraph_refusals_total{code="UNAUTHENTICATED"} 1.0' in told
    assert "Probe" not in told
