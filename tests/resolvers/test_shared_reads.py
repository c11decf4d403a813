"""Many viewers with different grants who read the same nodes at the same time each get what they get alone."""

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any

import pytest

from services.ledger import Deposit
from services.pipeline import Pipeline
from services.signing_in import sign_in
from tests.support.api import PASSWORD, Answer, InProcess, a_user
from tests.support.graphs import connected
from tests.support.house import Address, House, op
from tests.support.size import pick, seed
from tests.support.tree import account

pytestmark = pytest.mark.anyio

ACCOUNT = "id name status cash { amount } parent { id name } settings { key value source { id } }"
NODE = f"{{ node(id: $id) {{ __typename id ... on Account {{ {ACCOUNT} }} ... on Group {{ name }} }} }}"
READS = {
    "account": f"query($id: ID!) {{ account(id: $id) {{ {ACCOUNT} ancestors {{ id }} }} }}",
    "group": "query($id: ID!) { group(id: $id) { id name parent { id } ancestors { id } accounts(first: 5) "
    "{ totalCount nodes { id name } } groups(first: 5) { nodes { id } } } }",
    "node": f"query($id: ID!) {NODE}",
    "accounts": "{ accounts(first: 50) { totalCount nodes { id name parent { id } } } }",
    "viewer": "{ viewer { username grants { role node { id } } } }",
}
Read = tuple[InProcess, str, dict[str, Any]]
ROLES = ("VIEWER", "OPERATOR", "MANAGER", "AUDITOR")
VIEWERS, BRANCHES, PARTS = 8, 3, 2


@dataclass(frozen=True, slots=True)
class Crowd:
    """Viewers, a tree that each sees another part of, and how many reads each statement carried."""

    viewers: list[InProcess]
    nodes: list[str]
    carried: list[int]


@pytest.fixture
async def crowd(house: House, engine: Address) -> AsyncGenerator[Crowd]:
    """Viewers over a tree of groups; one is granted nothing, and one a single account."""
    dice = random.Random(seed())
    nodes = [house.root]
    for branch in range(BRANCHES):
        top = await house.group(f"Branch {branch}")
        for part in range(PARTS):
            group = await house.group(f"Part {branch}.{part}", top)
            own = await account(house, group)
            await house.do(Deposit(operation_id=op(), account_id=own, amount=f"1{branch}{part}.00"))
            nodes += [group, own]
        nodes.append(top)
    carried: list[int] = []
    async with AsyncExitStack() as stack:
        reading = await stack.enter_async_context(connected(engine, carried=lambda _, calls: carried.append(calls)))
        desk = replace(house.desk, database=reading)
        watched = replace(house, desk=desk, pipeline=Pipeline(desk))
        accounts = [node for node in nodes if node.startswith("acc_")]
        granted = [[], [("VIEWER", dice.choice(accounts))]]
        granted += [
            list({(dice.choice(ROLES), dice.choice(nodes[1:])) for _ in range(dice.randint(1, 3))})
            for _ in range(VIEWERS - len(granted))
        ]
        viewers = [await signed_in(watched, await a_user(house, *grants)) for grants in granted]
        yield Crowd(viewers, nodes, carried)


async def signed_in(house: House, user: InProcess) -> InProcess:
    """The same user's client with a session of its own."""
    row = await user.viewer()
    assert row is not None
    session = await sign_in(house.desk, user.guard, row.username, PASSWORD, user.address)
    return InProcess(house, token=session.token)


def asked(crowd: Crowd) -> list[Read]:
    """Every read of every node by every viewer."""
    found: list[Read] = []
    for viewer in crowd.viewers:
        for document in READS.values():
            given = [{"id": node} for node in crowd.nodes] if "$id" in document else [{}]
            found += [(viewer, document, each) for each in given]
    return found


def told(answer: Answer) -> tuple[dict[str, Any] | None, list[str]]:
    """The data, and the messages of the errors."""
    return answer.data, sorted(str(error.message) for error in answer.errors)


async def test_each_viewer_gets_at_the_same_time_what_it_gets_alone(crowd: Crowd) -> None:
    reads = asked(crowd)
    alone = [told(await viewer.run(document, **given)) for viewer, document, given in reads]
    crowd.carried.clear()
    assert len({str(data) for data, _ in alone}) > VIEWERS
    assert not any(errors for _, errors in alone)
    dice = random.Random(seed())
    for _ in range(pick(2, 20)):
        order = list(range(len(reads)))
        dice.shuffle(order)
        together = await asyncio.gather(*(reads[each][0].run(reads[each][1], **reads[each][2]) for each in order))
        for each, answer in zip(order, together, strict=True):
            assert told(answer) == alone[each], reads[each][1:]
    assert max(crowd.carried) > VIEWERS


async def test_a_right_that_is_revoked_is_gone_from_every_read_that_comes_after(house: House, crowd: Crowd) -> None:
    admin = InProcess(house, house.admin.user_id)
    top = crowd.nodes[-1]
    username = (await crowd.viewers[0].ask(READS["viewer"]))["viewer"]["username"]
    document = READS["group"]
    for _ in range(pick(3, 20)):
        await admin.done("grant", username=username, nodeId=top, role="VIEWER")
        busy = [asyncio.create_task(viewer.run(document, id=top)) for viewer in crowd.viewers * 3]
        answers = await asyncio.gather(*(crowd.viewers[0].ask(document, id=top) for _ in range(3)))
        assert all(answer["group"] is not None for answer in answers)
        await admin.done("revoke", username=username, nodeId=top, role="VIEWER")
        more = [asyncio.create_task(viewer.run(document, id=top)) for viewer in crowd.viewers * 3]
        answers = await asyncio.gather(*(crowd.viewers[0].ask(document, id=top) for _ in range(3)))
        assert all(answer["group"] is None for answer in answers)
        await asyncio.gather(*busy, *more)
