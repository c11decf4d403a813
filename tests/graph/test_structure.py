"""Where nodes stand, also very deep, and the locks of the tree."""

import asyncio
from itertools import pairwise

import pytest

from graph import structure
from graph.database import Database, Transaction
from graph.ids import Kind, new_id
from tests.support.graphs import connected, statement
from tests.support.house import Address

pytestmark = pytest.mark.anyio

DEPTH = 1_000
CHAIN = statement(
    "UNWIND $rows AS row CREATE (g:Group {id: row.id, root: $root}) WITH row, g "
    "MATCH (p:Group {id: row.parent}) CREATE (p)-[:CONTAINS {since: $at}]->(g)"
)
TOP = statement("CREATE (g:Group {id: $root, root: $root})")
ACCOUNT = statement(
    "MATCH (p:Group {id: $parent}) CREATE (p)-[:CONTAINS {since: $at}]->(:Account {id: $id, root: $root})"
)
TEMPLATE = statement(
    "MATCH (p:Group {id: $parent}) CREATE (p)-[:DEFINES {since: $at}]->(:Template {id: $id, root: $root})"
)
PARENTLESS = statement("CREATE (:Account {id: $id, root: $id})")
REVISION = statement("MATCH (s:Structure {id: $root}) RETURN s.revision AS revision")
LOCKS = statement("UNWIND $ids AS id MATCH (a:Account {id: id}) RETURN a.lock AS lock")
AT = "2026-01-01T00:00:00.000000Z"


async def chain(database: Database, depth: int) -> list[str]:
    """The ids, from the root down, of groups each in the one before."""
    ids = [new_id(Kind.GROUP) for _ in range(depth)]
    rows = [{"id": own, "parent": parent} for parent, own in pairwise(ids)]

    async def work(transaction: Transaction) -> None:
        await transaction.run(TOP, root=ids[0])
        await transaction.run(CHAIN, rows=rows, root=ids[0], at=AT)

    await database.write(work, queue=ids[0])
    return ids


async def add(database: Database, kind: Kind, ids: list[str]) -> str:
    """The id of a new account or template of the deepest group."""
    node = new_id(kind)

    async def work(transaction: Transaction) -> None:
        query = ACCOUNT if kind is Kind.ACCOUNT else TEMPLATE
        await transaction.run(query, parent=ids[-1], id=node, root=ids[0], at=AT)

    await database.write(work, queue=ids[0])
    return node


async def test_a_chain_of_a_thousand_is_located_from_the_node_up_to_its_root(database: Database) -> None:
    ids = await chain(database, DEPTH)
    account = await add(database, Kind.ACCOUNT, ids)
    template = await add(database, Kind.TEMPLATE, ids)
    found = await structure.locate(database, [account, template, ids[-1], ids[0], account])
    up = tuple(reversed(ids))
    assert found == {
        account: structure.Located(account, Kind.ACCOUNT, ids[0], (account, *up)),
        template: structure.Located(template, Kind.TEMPLATE, ids[0], (template, *up)),
        ids[-1]: structure.Located(ids[-1], Kind.GROUP, ids[0], up),
        ids[0]: structure.Located(ids[0], Kind.GROUP, ids[0], (ids[0],)),
    }


async def test_an_account_without_a_parent_is_its_own_root(database: Database) -> None:
    node = new_id(Kind.ACCOUNT)

    async def work(transaction: Transaction) -> None:
        await transaction.run(PARENTLESS, id=node)

    await database.write(work, queue=node)
    assert await structure.locate(database, [node]) == {node: structure.Located(node, Kind.ACCOUNT, node, (node,))}


async def test_what_names_nothing_is_left_out(database: Database) -> None:
    ids = await chain(database, 2)
    strange = ["", "grp_", "x" * 300, "grp_' OR 1=1", new_id(Kind.GROUP), new_id(Kind.ACCOUNT), new_id(Kind.USER)]
    # An id of the right form whose prefix is another kind's names nothing either.
    strange.append(ids[1].replace("grp_", "acc_"))
    assert set(await structure.locate(database, [*strange, ids[1]])) == {ids[1]}
    assert await structure.locate(database, []) == {}


async def test_the_structure_s_lock_lets_one_change_at_a_time_through(engine: Address, database: Database) -> None:
    (root,) = await chain(database, 1)

    async def found(transaction: Transaction) -> None:
        await structure.found(transaction, root)

    async def work(transaction: Transaction) -> int:
        await transaction.lock_structures([root])
        ((revision,),) = [row.values() for row in await transaction.run(REVISION, root=root)]
        return revision

    await database.write(found, queue=root)
    async with connected(engine) as other:
        writers = (each.write(work, queue=f"{n}") for n in range(8) for each in (database, other))
        revisions = await asyncio.gather(*writers)
    assert sorted(revisions) == list(range(1, 17))


async def test_locks_of_the_same_accounts_in_another_order_do_not_hinder_each_other(
    engine: Address, database: Database
) -> None:
    ids = await chain(database, 1)
    accounts = [await add(database, Kind.ACCOUNT, ids) for _ in range(4)]

    async def forth(transaction: Transaction) -> None:
        await structure.lock_accounts(transaction, accounts, "forth")

    async def back(transaction: Transaction) -> None:
        await structure.lock_accounts(transaction, accounts[::-1], "back")

    async with connected(engine) as other:
        writers = ((database.write(forth, queue=f"{n}"), other.write(back, queue=f"{n}")) for n in range(4))
        await asyncio.gather(*(writer for pair in writers for writer in pair))
    locks = await database.run(LOCKS, ids=accounts)
    assert len({row["lock"] for row in locks}) == 1, "the last writer's locks are all there"
