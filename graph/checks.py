"""What the check of the books reads: pages, windows and sums, each from an id or an index of what it is about."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from graph.database import Reader, Row
from graph.ids import Kind, kind_of
from graph.query import Query

PAGE = 500
# A sum is read in two parts, so that no sum of amounts, however many, leaves the engines' 64-bit integers.
PART = 1_000_000

TENANTS = Query(
    "checks.tenants",
    "MATCH (:Installation {id: $id})-[:HOSTS]->(n) WHERE n.id > $after RETURN n.id AS id ORDER BY id LIMIT $limit",
)
CHILDREN = Query(
    "checks.children",
    "MATCH (:Group {id: $id})-[:CONTAINS]->(n) WHERE n.id > $after RETURN n.id AS id ORDER BY id LIMIT $limit",
)
ENTRIES = Query(
    "checks.entries",
    "MATCH (e:Entry) WHERE e.ledger = $ledger AND e.place > $after AND e.place <= $until "
    "RETURN e.id AS id, e.set AS set, e.place AS place, e.state AS state, e.amount AS amount, e.at AS at, "
    "e.currency AS currency, e.balanceAfter AS balance ORDER BY place",
)
BEYOND = Query(
    "checks.entries_beyond",
    "MATCH (e:Entry) WHERE e.ledger = $ledger AND e.place > $after RETURN count(e) AS total",
)
SUM = Query(
    "checks.sum",
    "MATCH (e:Entry) WHERE e.ledger = $ledger AND e.id > '' AND e.state = 'POSTED' AND e.at <= $until "
    "RETURN sum(e.amount / $part) AS high, sum(e.amount % $part) AS low",
)
UNEVEN_SETS = Query(
    "checks.uneven_sets",
    "UNWIND $sets AS set MATCH (e:Entry {set: set}) WHERE e.state = 'POSTED' "
    "WITH set, e.currency AS currency, sum(e.amount) AS total WHERE total <> 0 "
    "RETURN set, currency, total ORDER BY set, currency",
)
ACCOUNT = Query("checks.account", "MATCH (a:Account {id: $id}) RETURN a {.*} AS node")
HOLDS = Query(
    "checks.holds",
    "MATCH (o:Order) WHERE o.account = $account AND o.open = true "
    "RETURN o.symbol AS symbol, sum(o.held) AS held, sum(o.heldQuantity) AS quantity ORDER BY symbol",
)
ORDERS = Query(
    "checks.orders",
    "MATCH (o:Order) WHERE o.account = $account AND o.open = $open AND o.id > $after "
    "RETURN o.id AS id ORDER BY id LIMIT $limit",
)
UNFINISHED = Query(
    "checks.unfinished",
    "MATCH (o:Operation) WHERE o.root = $root AND o.id > '' AND o.state IN $final AND o.finishedAt IS NULL "
    "RETURN o.id AS id, o.state AS state ORDER BY id LIMIT $limit",
)
HEAD = Query("checks.head", "MATCH (f:Feed {id: $feed}) RETURN f.number AS number, f.hash AS hash, f.at AS at")
RECORDS = Query(
    "checks.records",
    "MATCH (c:Change) WHERE c.feed = $feed AND c.number > $after AND c.number <= $until "
    "RETURN c {.*} AS record ORDER BY c.number",
)


@dataclass(frozen=True, slots=True)
class Head:
    """The last record of a feed: its number (0 where there is none), hash and instant as text."""

    number: int
    hash: str
    at: str


async def tenants(reader: Reader, installation: str) -> AsyncGenerator[str]:
    """The id of each tenant's root."""
    async for node in _pages(reader, TENANTS, id=installation):
        yield node


async def accounts_of(reader: Reader, root: str) -> AsyncGenerator[str]:
    """The id of each account of a tenant, from its root down."""
    if kind_of(root) is Kind.ACCOUNT:
        yield root
        return
    groups = [root]
    while groups:
        async for node in _pages(reader, CHILDREN, id=groups.pop()):
            if kind_of(node) is Kind.GROUP:
                groups.append(node)
            else:
                yield node


async def orders_of(reader: Reader, account: str) -> AsyncGenerator[str]:
    """The id of each order of an account, the ended ones first."""
    for is_open in (False, True):
        async for order in _pages(reader, ORDERS, account=account, open=is_open):
            yield order


async def _pages(reader: Reader, query: Query, **parameters: str | bool) -> AsyncGenerator[str]:
    after = ""
    while True:
        rows = await reader.run(query, **parameters, after=after, limit=PAGE)
        for row in rows:
            yield row["id"]
        if len(rows) < PAGE:
            return
        after = rows[-1]["id"]


async def account(reader: Reader, account_id: str) -> Row | None:
    """The account's own properties, or None where there is none."""
    rows = await reader.run(ACCOUNT, id=account_id)
    return rows[0]["node"] if rows else None


async def entries(reader: Reader, ledger: str, until: int) -> AsyncGenerator[list[Row]]:
    """The entries of an account up to that place, in order of place, window by window."""
    for after in range(0, until, PAGE):
        yield await reader.run(ENTRIES, ledger=ledger, after=after, until=min(after + PAGE, until))


async def entries_beyond(reader: Reader, ledger: str, place: int) -> int:
    """How many entries of an account come after that place."""
    return (await reader.run(BEYOND, ledger=ledger, after=place))[0]["total"]


async def sum_of(reader: Reader, ledger: str, until: str) -> int:
    """The sum of a ledger's posted entries up to an instant (text), in minor units; 0 where there is none."""
    row = (await reader.run(SUM, ledger=ledger, until=until, part=PART))[0]
    return row["high"] * PART + row["low"]


async def uneven_sets(reader: Reader, sets: Sequence[str]) -> list[Row]:
    """Those of the posting sets that do not sum to zero: set, currency, total."""
    return await reader.run(UNEVEN_SETS, sets=list(sets))


async def holds(reader: Reader, account_id: str) -> dict[str, tuple[int, int]]:
    """What the account's open orders hold, by symbol: cash in minor units, and quantity (1e-8)."""
    rows = await reader.run(HOLDS, account=account_id)
    return {row["symbol"]: (row["held"], row["quantity"]) for row in rows}


async def unfinished(reader: Reader, root: str, final: Sequence[str]) -> list[Row]:
    """Operations of a feed in a final state that lack the instant of their end: id, state; at most a page."""
    return await reader.run(UNFINISHED, root=root, final=list(final), limit=PAGE)


async def head(reader: Reader, feed: str) -> Head | None:
    """The feed's head, or None where there is no such feed."""
    rows = await reader.run(HEAD, feed=feed)
    return Head(rows[0]["number"], rows[0]["hash"], rows[0]["at"]) if rows else None


async def records(reader: Reader, feed: str, until: int) -> AsyncGenerator[list[Row]]:
    """The records of a feed up to that number, in order, window by window."""
    for after in range(0, until, PAGE):
        rows = await reader.run(RECORDS, feed=feed, after=after, until=min(after + PAGE, until))
        yield [row["record"] for row in rows]
