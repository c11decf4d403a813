"""Large answers that are asked for again are kept, and shown for as long as the graph says that they still hold."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal

import pytest

from graph.compiled import MOST_RIGHTS
from graph.database import Database, Transaction
from graph.unmoved import SETTLE, Quiet
from resolvers.compiling.kept import LEAST_ASKED, MOST_BYTES, MOST_SCOPES, Kept, Scope, scope_of
from services.granting import Grant, Revoke
from services.groups import UpdateGroup
from services.ledger import Deposit
from services.permissions import Role
from services.problems import Refused
from services.users import SetUserDisabled
from tests.support.both_ways import BothWays, session_of
from tests.support.graphs import connected, statement
from tests.support.house import Address, House, op
from tests.support.reads import viewer_with
from tests.support.size import pick, seed
from tests.support.tree import account, beside, configure, counted, create, move, node_of, status

pytestmark = pytest.mark.anyio
DOCUMENT = (
    "query($id: ID!) { group(id: $id) { name parent { name } groups { nodes { name accounts { totalCount "
    "nodes { name version cash { amount } parent { name } } } } } accounts { nodes { name cash { amount } } } } }"
)
CASH = "query($id: ID!) { group(id: $id) { accounts { nodes { id cash { amount } } } } }"
FEED = statement("MATCH (f:Feed {id: $id}) RETURN f.hash AS head")


Change = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Branch:
    """Both ways over one tree, with answers kept at once; the groups and accounts in it, and its administrator."""

    house: House
    ways: BothWays
    quiet: Quiet
    groups: list[str]
    accounts: list[str]
    token: str

    async def until_kept(self, node: str, token: str) -> None:
        """Asks until the answer is a kept one."""
        for _ in range(LEAST_ASKED + 3):
            if await self.is_kept(node, token):
                return
        raise AssertionError("the answer is never kept")

    async def is_kept(self, node: str, token: str) -> bool:
        """Whether an answer to this was kept; fails where it is not the executor's."""
        before = len(self.ways.calls)
        compiled = await self.ways.same(DOCUMENT, token, id=node)
        await self.quiet.looked()
        return compiled and "reads.compiled" not in self.ways.calls[before:]


@pytest.fixture
async def branch(house: House) -> Branch:
    upper = await house.group("Upper")
    inner, other = await house.group("Inner", upper), await house.group("Other", upper)
    accounts = [await account(house, group) for group in (upper, inner, inner, other)]
    quiet = Quiet(house.desk.database, 0)
    return Branch(
        house,
        BothWays(house, quiet=quiet),
        quiet,
        [upper, inner, other],
        accounts,
        await session_of(house, house.admin.user_id),
    )


async def test_an_answer_is_kept_until_its_tenant_moves(branch: Branch) -> None:
    upper = branch.groups[0]
    await branch.until_kept(upper, branch.token)
    with counted(branch.house) as names:
        await branch.ways.fast(DOCUMENT, branch.token, id=upper)
    assert names == ["reads.unmoved"]
    await branch.house.do(Deposit(operation_id=op(), account_id=branch.accounts[1], amount="1"))
    assert not await branch.is_kept(upper, branch.token)
    await branch.until_kept(upper, branch.token)


async def test_an_answer_is_kept_for_each_scope_and_ends_with_it(branch: Branch) -> None:
    upper, inner, _ = branch.groups
    viewers = [await viewer_with(branch.house, node) for node in (branch.house.root, upper, inner)]
    tokens = [branch.token, *[await session_of(branch.house, each.user_id) for each in viewers]]
    for token in tokens[:3]:
        await branch.until_kept(inner, token)
        assert await branch.is_kept(inner, token)
    for _ in range(LEAST_ASKED + 1):
        assert not await branch.is_kept(inner, tokens[3])  # whose group above is hidden, of which the executor tells
    revoked, disabled = (each.username for each in viewers[:2])
    given = Revoke(operation_id=op(), username=revoked, node_id=branch.house.root, role=Role.VIEWER)
    await branch.house.do(given)
    await branch.house.do(SetUserDisabled(operation_id=op(), username=disabled, disabled=True))
    for token in tokens[1:3]:
        assert not await branch.ways.same(DOCUMENT, token, id=inner)


async def test_whatever_changes_is_shown(branch: Branch, engine: Address) -> None:
    """Changes by chance, here and by another process, each followed by reads of anyone."""
    dice, house = random.Random(seed()), branch.house
    viewers = [await viewer_with(house, *dice.sample(branch.groups, dice.randint(1, 2))) for _ in range(3)]
    names = [each.username for each in viewers]
    tokens = [branch.token, *[await session_of(house, each.user_id) for each in viewers]]
    kept = 0
    async with beside(house, engine) as other:
        changes = [change for one in (house, other) for change in _changes(branch, one, names, dice)]
        for _ in range(pick(20, 500)):
            await dice.choice(changes)()
            some = dice.sample(tokens, dice.randint(1, 3))
            for _ in range(dice.randint(4, 12)):
                kept += await branch.is_kept(dice.choice(branch.groups[:2]), dice.choice(some))
    assert kept > pick(10, 300), kept


def _changes(branch: Branch, house: House, names: list[str], dice: random.Random) -> list[Change]:
    """Changes of all that an answer may show, each by the given house."""

    async def rename() -> None:
        group = dice.choice(branch.groups)
        version = (await node_of(house, group))["version"]
        name = f"G{dice.randrange(1_000_000)}"
        await house.do(UpdateGroup(operation_id=op(), id=group, version=version, name=name))

    async def right() -> None:
        user, node, role = dice.choice(names), dice.choice(branch.groups), Role.VIEWER
        try:
            await house.do(Grant(operation_id=op(), username=user, node_id=node, role=role))
        except Refused:
            await house.do(Revoke(operation_id=op(), username=user, node_id=node, role=role))

    async def carry() -> None:
        with suppress(Refused):  # where it is there already
            await house.do(move(dice.choice(branch.accounts), dice.choice(branch.groups)))

    async def pay() -> None:
        with suppress(Refused):  # where it is suspended
            await house.do(Deposit(operation_id=op(), account_id=dice.choice(branch.accounts), amount="0.01"))

    async def suspend() -> None:
        node = dice.choice(branch.accounts)
        await status(house, node, "ACTIVE" if (await node_of(house, node))["status"] == "SUSPENDED" else "SUSPENDED")

    async def set_one() -> None:
        node = dice.choice(branch.accounts)
        await house.do(configure(node, {"custom.a": dice.randrange(1_000_000)}))

    async def open_one() -> None:
        await account(house, dice.choice(branch.groups))

    return [rename, right, carry, pay, suspend, set_one, open_one]


async def test_an_acknowledged_deposit_is_seen_at_once(branch: Branch) -> None:
    """Several who pay, and read at once what they have paid."""
    upper, paid = branch.groups[0], Decimal(0)

    async def payer(number: int) -> None:
        nonlocal paid
        into = branch.accounts[0]
        for _ in range(pick(6, 100)):
            await branch.house.do(Deposit(operation_id=op(), account_id=into, amount="1"))
            paid += 1
            for _ in range(number):
                least = paid
                told = await branch.ways.fast(CASH, branch.token, id=upper)
                (shown,) = [one for one in told["data"]["group"]["accounts"]["nodes"] if one["id"] == into]
                assert Decimal(shown["cash"]["amount"]) >= least

    await asyncio.gather(*(payer(number) for number in (1, 2, 5, 9)))
    assert "reads.compiled" in branch.ways.calls


async def test_the_lock_of_a_feed_that_moves_is_taken_seldom(house: House, engine: Address) -> None:
    taken: list[str] = []
    async with connected(engine, observe=lambda name, *_: taken.append(name)) as database:
        quiet = Quiet(database, 3600)
        for _ in range(5):
            assert quiet.head(house.root) is None
            await quiet.looked()
        assert taken.count(SETTLE.name) == 1


async def test_a_feed_is_quiet_once_it_ends_where_it_ended(house: House) -> None:
    database: Database = house.desk.database
    quiet = Quiet(database, 0)

    async def heads(feed: str, times: int) -> list[str | None]:
        found: list[str | None] = []
        for _ in range(times):
            found.append(quiet.head(feed))
            await quiet.looked()
        return found

    (row,) = await database.run(FEED, id=house.root)
    assert await heads(house.root, 4) == [None, None, row["head"], row["head"]]
    await house.group("One more")
    quiet.moved(house.root)
    (row,) = await database.run(FEED, id=house.root)
    assert await heads(house.root, 3) == [None, None, row["head"]]
    assert await heads("grp_none", 3) == [None, None, None]


async def test_no_read_waits_for_a_writer(branch: Branch, engine: Address) -> None:
    """A writer that holds the feed's lock keeps answers from being kept, and nobody from being answered."""
    written, let_go = asyncio.Event(), asyncio.Event()

    async def hold(transaction: Transaction) -> None:
        await transaction.run(SETTLE, feed=branch.house.root, token="held")
        written.set()
        await let_go.wait()

    async with connected(engine) as other, asyncio.timeout(60):
        holding = asyncio.create_task(other.write(hold, queue=branch.house.root))
        await written.wait()
        for _ in range(LEAST_ASKED + 2):
            assert await branch.ways.same(DOCUMENT, branch.token, id=branch.groups[0])
        let_go.set()
        await holding
        await branch.quiet.looked()


async def test_nodes_of_several_tenants_have_no_tenant(branch: Branch) -> None:
    quiet = Quiet(branch.house.desk.database, 0)
    made = await branch.house.do(create(branch.house).model_copy(update={"parent_id": None}))
    alone = made.payload["account"]
    assert await quiet.tenant(branch.groups) == branch.house.root
    assert await quiet.tenant([branch.groups[0], alone]) is None
    assert await quiet.tenant([alone]) == alone


def test_what_was_asked_last_is_kept_within_so_many_bytes() -> None:
    kept = Kept(most=100)
    for key in range(10):
        kept.keep(key, "f", "h", None, bytes(30))
        kept.find(0)
    assert [key for key in range(10) if kept.find(key)] == [0, 8, 9]
    kept.keep("large", "f", "h", None, bytes(MOST_BYTES + 1))
    assert kept.find("large") is None


def test_the_end_of_a_feed_parts_answers_of_before_and_after() -> None:
    kept = Kept()
    kept.keep("q", "f", "one", None, bytes(1))
    kept.keep("q", "f", "one", ("a",), bytes(2))
    kept.keep("q", "f", "two", ("b",), bytes(3))
    question = kept.find("q")
    assert question is not None
    assert (question.head, list(question.answers)) == ("two", [("b",)])


def test_few_scopes_are_kept_and_none_that_is_cut_off() -> None:
    kept = Kept()
    for number in range(MOST_SCOPES + 1):
        kept.keep("q", "f", "h", (str(number),), bytes(1))
    question = kept.find("q")
    assert question is not None
    assert len(question.answers) == 1
    long: Scope = scope_of([False, [str(number) for number in range(MOST_RIGHTS + 1)]])
    kept.keep("p", "f", "h", long, bytes(1))
    assert kept.find("p") is None
    assert scope_of([True, ["b"]]) is None
    assert scope_of([False, ["b", "a"]]) == ("a", "b")


def test_what_was_forgotten_is_to_be_asked_often_again() -> None:
    kept = Kept()
    assert [kept.is_due("q") for _ in range(LEAST_ASKED + 1)] == [*[False] * (LEAST_ASKED - 1), True, True]
    kept.drop("q")
    assert not kept.is_due("q")
