"""Compiled reads that arrive together go together, and each is answered inside its own viewer's scope."""

import asyncio
import random
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from services.granting import Grant, Revoke
from services.permissions import Role
from services.users import SetUserDisabled
from tests.support.both_ways import Asked, BothWays, session_of
from tests.support.graphs import connected
from tests.support.house import Address, House, op
from tests.support.reads import viewer_with
from tests.support.size import pick, seed
from tests.support.tree import account

pytestmark = pytest.mark.anyio

BRANCHES, PARTS = 3, 2
SHARED = (
    "query($id: ID!) { account(id: $id) { id name cash { amount } parent { id name parent { id } } } }",
    "query($id: ID!) { group(id: $id) { id name locks parent { id name } } }",
    (
        "query($id: ID!, $n: Int = 2) { node(id: $id) { __typename id "
        "... on Group { groups(first: $n) { nodes { id } } accounts(first: 1) { nodes { id parent { id } } } } } }"
    ),
    "query($id: ID!, $to: ID!) { a: node(id: $id) { id } b: node(id: $to) { id ... on Account { status } } }",
)


@dataclass(frozen=True, slots=True)
class Crowd:
    """Both ways over one tree, the ids in it, viewers' tokens, and how many reads each statement carried."""

    house: House
    ways: BothWays
    nodes: list[str]
    tokens: list[str]
    carried: list[int]

    def asked(self, dice: random.Random, count: int) -> list[Asked]:
        """Reads of any node by anyone."""
        return [self._one(dice) for _ in range(count)]

    def _one(self, dice: random.Random) -> Asked:
        document = dice.choice(SHARED)
        given: dict[str, str | int] = {"id": dice.choice(self.nodes)}
        if "$to" in document:
            given["to"] = dice.choice(self.nodes)
        if "$n" in document and dice.random() < 0.3:
            given["n"] = dice.choice((0, 1, 100))
        return document, dice.choice(self.tokens), given


@pytest.fixture
async def crowd(house: House, engine: Address) -> AsyncGenerator[Crowd]:
    """Viewers of whom each sees another part of a tree, overlapping, and some who see nothing any more."""
    dice = random.Random(seed())
    nodes = [house.root]
    for branch in range(BRANCHES):
        nodes.append(top := await house.group(f"Branch {branch}"))
        for part in range(PARTS):
            nodes.append(group := await house.group(f"Part {branch}.{part}", top))
            nodes += [await account(house, group) for _ in range(2)]
    accounts = [node for node in nodes if node.startswith("acc_")]
    granted = [[], [dice.choice(accounts)], *(dice.sample(nodes[1:], dice.randint(1, 3)) for _ in range(5))]
    viewers = [await viewer_with(house, *each, role=dice.choice((Role.VIEWER, Role.AUDITOR))) for each in granted]
    tokens = [await session_of(house, user) for user in (house.admin.user_id, *(each.user_id for each in viewers))]
    revoked, disabled = await viewer_with(house, nodes[1]), await viewer_with(house, house.root)
    await house.do(Revoke(operation_id=op(), username=revoked.username, node_id=nodes[1], role=Role.VIEWER))
    await house.do(SetUserDisabled(operation_id=op(), username=disabled.username, disabled=True))
    tokens += [await session_of(house, each.user_id) for each in (revoked, disabled)]
    tokens += [await session_of(house, house.admin.user_id, lasts=timedelta(-1)), "nobody's"]
    carried: list[int] = []
    async with connected(engine, carried=lambda _, calls: carried.append(calls)) as reading:
        watched = replace(house, desk=replace(house.desk, database=reading))
        yield Crowd(house, BothWays(watched), [*nodes, "acc_00000000000000000000000000", "x"], tokens, carried)


async def test_whoever_reads_at_the_same_time_sees_their_own_scope(crowd: Crowd) -> None:
    dice = random.Random(seed())
    asked = crowd.asked(dice, pick(150, 600))
    alone = await crowd.ways.alone(asked)
    assert len({told.text for told in alone}) > len(crowd.tokens)
    crowd.carried.clear()
    for _ in range(pick(2, 30)):
        order = list(range(len(asked)))
        dice.shuffle(order)
        together = await crowd.ways.together([asked[each] for each in order])
        for each, told in zip(order, together, strict=True):
            assert told == alone[each], asked[each]
    assert max(crowd.carried) > len(crowd.tokens)


async def test_a_role_counts_at_once_and_no_longer_in_the_midst_of_others(crowd: Crowd) -> None:
    house, ways, top = crowd.house, crowd.ways, crowd.nodes[1]
    document = "query($id: ID!) { group(id: $id) { id name } }"
    viewer = await viewer_with(house)
    mine: Asked = (document, await session_of(house, viewer.user_id), {"id": top})
    others: list[Asked] = [(document, token, {"id": top}) for token in crowd.tokens * 3]
    seen, hidden = await ways.alone([others[0], mine])
    assert seen != hidden
    for _ in range(pick(3, 30)):
        for command, right in ((Grant, seen), (Revoke, hidden)):
            busy = asyncio.create_task(ways.together(others))
            await house.do(command(operation_id=op(), username=viewer.username, node_id=top, role=Role.VIEWER))
            assert await ways.together([mine, *others[:3], mine]) == [right, *(await busy)[:3], right]
