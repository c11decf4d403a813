"""Requests are counted to the tenant of who holds their token, and otherwise to their address."""

import asyncio

import httpx
import pytest

from accountgraph.callers import Callers
from accountgraph.gate import Gate
from services.permissions import Viewer
from tests.support.small_server import TOKEN, serving

pytestmark = pytest.mark.anyio


def test_users_of_one_tenant_are_one_caller_and_all_unknown_tokens_of_an_address_are_another() -> None:
    callers = Callers(most=4)
    callers.learn("t1", Viewer("u1", "ada", administrator=False, session_id="s", tenant="g1"))
    callers.learn("t2", Viewer("u2", "bob", administrator=False, session_id="s", tenant="g1"))
    callers.learn("t3", Viewer("u3", "cy", administrator=False, session_id="s"))
    callers.learn("t4", Viewer("u4", "root", administrator=True, session_id="s", tenant="g1"))
    assert [callers.of(f"t{n}", "::1") for n in range(1, 5)] == ["g1", "g1", "u3", "u4"]
    assert callers.of("x", "::1") == callers.of("y", "::1") == callers.of(None, "::1") != callers.of("x", "::2")
    callers.learn("t5", Viewer("u5", "eve", administrator=False, session_id="s"))
    assert not callers.knows("t1")
    assert callers.knows("t5")


async def test_behind_a_busy_tenant_another_ones_request_is_the_next_but_one_to_run() -> None:
    reached = {64: asyncio.Event(), 65: asyncio.Event()}

    def observe(_running: int, waiting: int) -> None:
        if waiting in reached:
            reached[waiting].set()

    callers, gate = Callers(), Gate(running=1, waiting=100, observe=observe)
    callers.learn(TOKEN, Viewer("u1", "ada", administrator=False, session_id="s", tenant="g1"))
    callers.learn("other", Viewer("u2", "bob", administrator=False, session_id="s", tenant="g2"))
    ended: list[str] = []
    async with serving(gate=gate, callers=callers) as server:

        async def ask(query: str, token: str) -> None:
            response = await server.client.post(
                "/graphql", json={"query": query}, headers={"Authorization": f"Bearer {token}"}
            )
            assert response.status_code in {200, 401}
            ended.append(token)

        server.client.timeout = httpx.Timeout(30, pool=None)
        running = asyncio.create_task(ask("{ stay }", TOKEN))
        await asyncio.wait_for(server.house.entered.wait(), 10)
        busy = [asyncio.create_task(ask("{ hello }", TOKEN)) for _ in range(64)]
        await asyncio.wait_for(reached[64].wait(), 10)
        calm = asyncio.create_task(ask("{ hello }", "other"))
        await asyncio.wait_for(reached[65].wait(), 10)
        server.house.leave.set()
        await asyncio.gather(running, calm, *busy)
    assert ended.index("other") <= 6
