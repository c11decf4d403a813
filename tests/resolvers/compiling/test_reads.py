"""Compiled reads say what the executor says, byte for byte, and nothing that the viewer may not see."""

import random
from datetime import timedelta
from itertools import count

import neo4j
import pytest

from graph.ids import Kind, new_id
from services.granting import Revoke
from services.ledger import Deposit
from services.permissions import Role
from tests.support.both_ways import BothWays, session_of
from tests.support.house import Address, House, op
from tests.support.reads import again, aggregate, place, viewer_with
from tests.support.size import pick, seed
from tests.support.tree import account, configure

pytestmark = pytest.mark.anyio
LEAVES = {
    "Account": ("id name description kind tier status currency simulated version createdAt updatedAt metadata"
                " cash{amount} cash{currency,__typename} available{amount,currency} __typename").split(),
    "Group": "id name locks metadataSchema version createdAt updatedAt closedAt __typename".split(),
}  # fmt: skip
UNCOVERED = {"Account": "ancestors{id}", "Group": "ancestors{name}"}
INFO = "pageInfo{hasNextPage hasPreviousPage startCursor endCursor}"


class Asking:
    """Composes operations by chance."""

    def __init__(self, ids: list[str], dice: random.Random) -> None:
        self._ids, self._dice, self._number = ids, dice, count()

    def document(self) -> str:
        """An operation over $on (a Boolean that is true by default) and $n (an Int that is 2)."""
        roots = " ".join(self._root() for _ in range(self._dice.choice((1, 1, 2))))
        fragment = "fragment F on Node { id ... on Account { name cash { amount } } ... on Group { name locks } }"
        spread = f'node(id: "{self._dice.choice(self._ids)}") {{ ...F }}' if self._dice.random() < 0.3 else ""
        given = "($on: Boolean! = true" + (", $n: Int = 2)" if "$n" in roots else ")")
        return f"query Q{given} {{ __typename @include(if: $on) {roots} {spread} }} {fragment if spread else ''}"

    def _root(self) -> str:
        node = self._dice.choice(self._ids)
        name = self._dice.choice(("node", {"acc": "account", "grp": "group"}.get(node[:3], "group")))
        kind = {"account": "Account", "group": "Group"}.get(name)
        inner = self._of(kind, 3) if kind else f"... on Account{self._of('Account', 2)} ... on Group{{ id }} id"
        return f'a{next(self._number)}: {name}(id: "{node}") {inner if kind else "{" + inner + "}"}'

    def _of(self, kind: str, depth: int) -> str:
        dice = self._dice
        fields = dice.sample(LEAVES[kind], dice.randint(1, 6))
        fields = [self._maybe(each) for each in fields]
        if depth and dice.random() < 0.4:
            fields.append(f"a{next(self._number)}: parent{self._of('Group', depth - 1)}")
        if kind == "Group" and depth:
            fields += [self._list(child, depth) for child in ("Account", "Group") if dice.random() < 0.5]
        if dice.random() < 0.02:
            fields.append(UNCOVERED[kind])
        dice.shuffle(fields)
        return "{" + " ".join(fields) + "}"

    def _maybe(self, field: str) -> str:
        chance = self._dice.random()
        if chance < 0.1:
            name, brace, rest = field.partition("{")
            return f"{name} {self._dice.choice(('@skip', '@include'))}(if: $on) {brace}{rest}"
        return f"b{next(self._number)}: {field}" if chance < 0.3 else field

    def _list(self, child: str, depth: int) -> str:
        first = self._dice.choice(("", "(first: 2)", "(first: $n)", "(first: 0)", "(first: null)"))
        inside = self._of(child, depth - 1)
        if self._dice.random() < 0.02:
            first = "(first: 101)"
        parts = self._dice.choice((f"nodes{inside}", f"edges{{cursor node{inside}}} {INFO}", f"{INFO} nodes{inside}"))
        return f"a{next(self._number)}: {child.lower()}s{first} {{ {parts} __typename }}"


async def planted(house: House) -> list[str]:
    """Ids of nodes of all sorts in the house's tenant, and of none."""
    upper, lower = await house.group("Upper"), await house.group("Lower \U0001f333")
    inner = await house.group("Inner", upper)
    rich = await account(house, inner, name='Ré "x"', tier="REV", metadata={"b": [1, {"a": None}], "c": 2.5})
    yen = await account(house, inner, currency="JPY", description="\u2028")
    await house.do(Deposit(operation_id=op(), account_id=rich, amount="12.30"))
    await house.do(configure(upper, {"custom.a": 1}, lock=["custom.a"], metadata_schema={"type": "object"}))
    plain = [await place(house, inner, name=f"N{number}") for number in range(4)]
    sums = await place(house, lower, kind="COMPOSITE")
    await aggregate(house, sums, rich)
    found = [house.root, upper, lower, inner, inner, rich, rich, yen, *plain[:2]]
    return [*found, *found, sums, new_id(Kind.ACCOUNT), "x"]


async def test_generated_operations_are_answered_the_same_both_ways(house: House) -> None:
    ids, dice = await planted(house), random.Random(seed())
    low = await viewer_with(house, ids[3])
    one = await viewer_with(house, ids[5], ids[2])
    stranger = await viewer_with(house)
    users = [*[house.admin.user_id] * 4, low.user_id, one.user_id, stranger.user_id]
    tokens = [await session_of(house, user) for user in users]
    tokens += [await session_of(house, house.admin.user_id, lasts=timedelta(-1)), "nobody's"]
    ways, asking = BothWays(house), Asking(ids, dice)
    fast = 0
    for _ in range(pick(150, 10_000)):
        document = asking.document()
        given = {
            name: value for name, value in (("on", False), ("n", 1)) if dice.random() < 0.3 and f"${name}" in document
        }
        fast += await ways.same(document, dice.choice(tokens), **given)
    assert fast > pick(45, 3_000), fast


async def test_a_revoked_role_and_an_ended_session_hide_at_once(house: House) -> None:
    ids = await planted(house)
    viewer = await viewer_with(house, ids[1])
    token = await session_of(house, viewer.user_id)
    ways, document = BothWays(house), f'{{ account(id: "{ids[5]}") {{ id }} }}'
    assert await ways.same(document, token)
    await house.do(Revoke(operation_id=op(), username=viewer.username, node_id=ids[1], role=Role.VIEWER))
    assert not (await again(house, viewer.username)).grants
    assert not await ways.same(document, token)


async def test_a_nested_read_takes_one_statement_however_many_nodes(house: House) -> None:
    await planted(house)
    token = await session_of(house, house.admin.user_id)
    ways = BothWays(house)
    document = (
        "query($id: ID!) { group(id: $id) { groups { nodes { accounts { nodes { id } } groups { nodes { id } } } } } }"
    )
    assert await ways.same(document, token, id=house.root)
    before = len(ways.calls)
    assert await ways.same(document, token, id=house.root)
    assert ways.calls[before : before + 2] == ["reads.compiled", "reads.compiled"]
    assert len(ways.texts) == 1


async def test_no_compiled_statement_scans_a_label(house: House, engine: Address) -> None:
    await planted(house)
    token = await session_of(house, house.admin.user_id)
    ways = BothWays(house)
    inner = "parent { name } groups { nodes { id parent { id } accounts { nodes { name parent { id } } } } }"
    assert await ways.same(
        f"query($id: ID!) {{ group(id: $id) {{ {inner} }} node(id: $id) {{ id }} }}", token, id=house.root
    )
    login = (engine.username, engine.password)
    async with neo4j.AsyncGraphDatabase.driver(engine.uri, auth=login) as driver:
        for text in ways.texts:
            _, summary, _ = await driver.execute_query(f"EXPLAIN {text}", database_=engine.database)  # pyright: ignore[reportArgumentType, reportCallIssue]
            assert summary.plan is not None
            assert "Scan" not in summary.plan["args"]["string-representation"].replace("NodeIndexScan", "")
