"""What the check of the books reads: pages, windows and sums, each from an id or an index of what it is about."""

from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from dataclasses import dataclass

from graph.database import Reader, Row
from graph.ids import Kind, kind_of
from graph.query import Query

PAGE = 500
ROWS = 2_000
MOST_SUMMED = 20_000
# A sum is read in two parts, so that no sum of amounts, however many, leaves the engines' 64-bit integers.
PART = 1_000_000

TENANTS = Query(
    "checks.tenants",
    "MATCH (:Installation {id: $id})-[:HOSTS]->(n) WHERE n.id > $after RETURN n.id AS id ORDER BY id LIMIT $limit",
)
GROUP = Query("checks.group", "MATCH (g:Group {id: $id}) RETURN g.id AS id, COUNT { (g)-[:CONTAINS]->() } AS children")
CHILDREN = Query(
    "checks.children",
    "UNWIND $ids AS id MATCH (:Group {id: id})-[:CONTAINS]->(n) WHERE n.id > $after "
    "RETURN n.id AS id, COUNT { (n)-[:CONTAINS]->() } AS children ORDER BY id LIMIT $limit",
)
_ENTRY = (
    "RETURN e.ledger AS ledger, e.id AS id, e.set AS set, e.place AS place, e.state AS state, e.amount AS amount, "
    "e.at AS at, e.currency AS currency, e.balanceAfter AS balance, e.valueDate AS day"
)
ENTRIES = Query(
    "checks.entries",
    f"MATCH (e:Entry) WHERE e.ledger IN $ledgers AND e.place > 0 {_ENTRY} ORDER BY ledger, place",
)
WINDOW = Query(
    "checks.entries_window",
    f"MATCH (e:Entry) WHERE e.ledger = $ledger AND e.place > $after AND e.place <= $until {_ENTRY} ORDER BY place",
)
SUMS = Query(
    "checks.sums",
    "MATCH (e:Entry) WHERE e.ledger IN $ledgers AND e.id > '' "
    "WITH e.ledger AS ledger, e.place AS place, "
    "CASE WHEN e.state = 'POSTED' AND e.at <= $until THEN e.amount ELSE 0 END AS amount "
    "RETURN ledger, sum(amount / $part) AS high, sum(amount % $part) AS low, max(place) AS last ORDER BY ledger",
)
TOTALS = Query(
    "checks.totals",
    "MATCH (t:PeriodTotal) WHERE t.ledger IN $ledgers AND t.period > '' "
    "RETURN t.ledger AS ledger, t.period AS period, t.amount AS amount, t.first AS first, t.last AS last "
    "ORDER BY ledger, period",
)
UNEVEN_SETS = Query(
    "checks.uneven_sets",
    "UNWIND $sets AS set MATCH (e:Entry {set: set}) WHERE e.state = 'POSTED' "
    "WITH set, e.currency AS currency, sum(e.amount) AS total WHERE total <> 0 "
    "RETURN set, currency, total ORDER BY set, currency",
)
ACCOUNTS = Query(
    "checks.accounts",
    "UNWIND $ids AS id MATCH (a:Account {id: id}) "
    "RETURN a {.*} AS node, COUNT { (a)-[:HOLDS]->() } AS positions ORDER BY node.id",
)
LOTS = Query(
    "checks.lots",
    "UNWIND $ids AS id MATCH (p:Position {id: id})-[:LOT]->(l:Lot) "
    "RETURN id AS position, l.price AS price, sum(l.quantity) AS quantity ORDER BY position, price",
)
HOLDS = Query(
    "checks.holds",
    "MATCH (o:Order) WHERE o.account IN $accounts AND o.open = true "
    "RETURN o.account AS account, o.symbol AS symbol, sum(o.held) AS held, sum(o.heldQuantity) AS quantity "
    "ORDER BY account, symbol",
)
BEYOND = Query(
    "checks.beyond",
    "MATCH (o:Order) WHERE o.account IN $accounts AND o.open IN [true, false] AND o.beyond > 0 "
    "RETURN o.account AS account, sum(o.beyond) AS beyond, max(o.id) AS last ORDER BY account",
)
ORDER_COUNTS = Query(
    "checks.order_counts",
    "MATCH (o:Order) WHERE o.account IN $accounts AND o.open IN [true, false] "
    "RETURN o.account AS account, count(o) AS orders ORDER BY account",
)
ORDERS = Query(
    "checks.orders",
    "MATCH (o:Order) WHERE o.account IN $accounts AND o.open IN [true, false] AND o.id > $after "
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


def packed(weights: Mapping[str, int], most: int) -> Generator[list[str]]:
    """The keys in their order, in batches whose weights are together at most `most`; a heavier key is a batch alone."""
    batch, room = list[str](), most
    for key, weight in weights.items():
        if batch and weight > room:
            yield batch
            batch, room = [], most
        batch.append(key)
        room -= weight
    if batch:
        yield batch


async def tenants(reader: Reader, installation: str) -> AsyncGenerator[str]:
    """The id of each tenant's root."""
    async for rows in _pages(reader, TENANTS, id=installation):
        for row in rows:
            yield row["id"]


async def accounts_of(reader: Reader, root: str) -> AsyncGenerator[list[str]]:
    """The ids of a tenant's accounts, from its root down, page by page."""
    if kind_of(root) is Kind.ACCOUNT:
        yield [root]
        return
    found: list[str] = []
    groups = {row["id"]: row["children"] for row in await reader.run(GROUP, id=root)}
    while groups:
        batch = next(packed(groups, PAGE))
        for group in batch:
            del groups[group]
        async for rows in _pages(reader, CHILDREN, ids=batch):
            groups |= {row["id"]: row["children"] for row in rows if kind_of(row["id"]) is Kind.GROUP}
            found += [row["id"] for row in rows if kind_of(row["id"]) is Kind.ACCOUNT]
            while len(found) >= PAGE:
                yield found[:PAGE]
                del found[:PAGE]
    if found:
        yield found


async def orders_of(reader: Reader, accounts: Sequence[str]) -> AsyncGenerator[list[str]]:
    """The ids of the accounts' orders, page by page."""
    counts = {row["account"]: row["orders"] for row in await reader.run(ORDER_COUNTS, accounts=list(accounts))}
    for batch in packed(counts, PAGE):
        async for rows in _pages(reader, ORDERS, accounts=batch):
            yield [row["id"] for row in rows]


async def _pages(reader: Reader, query: Query, **parameters: str | list[str]) -> AsyncGenerator[list[Row]]:
    after = ""
    while True:
        rows = await reader.run(query, **parameters, after=after, limit=PAGE)
        yield rows
        if len(rows) < PAGE:
            return
        after = rows[-1]["id"]


async def accounts(reader: Reader, ids: Sequence[str]) -> dict[str, tuple[Row, int]]:
    """Each account's own properties and the number of its positions, by id; what is missing is left out."""
    return {row["node"]["id"]: (row["node"], row["positions"]) for row in await reader.run(ACCOUNTS, ids=list(ids))}


async def entries(reader: Reader, places: Mapping[str, int]) -> AsyncGenerator[list[Row]]:
    """The entries of ledgers, each up to its place, window by window, those of one ledger in order of place."""
    for batch in packed(places, ROWS):
        until = places[batch[0]]
        if until > ROWS:
            for after in range(0, until, ROWS):
                window = {"ledger": batch[0], "after": after, "until": min(after + ROWS, until)}
                yield await reader.run(WINDOW, **window)
        else:
            rows = await reader.run(ENTRIES, ledgers=batch)
            yield [row for row in rows if row["place"] <= places[row["ledger"]]]


async def sums(reader: Reader, places: Mapping[str, int], until: str) -> dict[str, tuple[int, int]]:
    """For each ledger the sum of what was posted up to an instant (text), in minor units, and its last place.

    `places` says about how many entries each has.
    """
    found: dict[str, tuple[int, int]] = dict.fromkeys(places, (0, 0))
    for batch in packed(places, MOST_SUMMED):
        for row in await reader.run(SUMS, ledgers=batch, until=until, part=PART):
            found[row["ledger"]] = (row["high"] * PART + row["low"], row["last"] or 0)
    return found


async def totals(reader: Reader, places: Mapping[str, int]) -> AsyncGenerator[tuple[str, list[Row]]]:
    """The totals by value date of each ledger. `places` says about how many entries each has."""
    for batch in packed(places, ROWS):
        found: dict[str, list[Row]] = {ledger: [] for ledger in batch}
        for row in await reader.run(TOTALS, ledgers=batch):
            found[row["ledger"]].append(row)
        for one in found.items():
            yield one


async def lots(reader: Reader, ids: Sequence[str]) -> dict[str, list[Row]]:
    """The open lots of each position, as one of price and quantity for each price, by position id."""
    found: dict[str, list[Row]] = {position: [] for position in ids}
    for row in await reader.run(LOTS, ids=list(ids)):
        found[row["position"]].append(row)
    return found


async def uneven_sets(reader: Reader, sets: Sequence[str]) -> list[Row]:
    """Those of the posting sets that do not sum to zero: set, currency, total."""
    return await reader.run(UNEVEN_SETS, sets=list(sets))


async def holds(reader: Reader, accounts: Sequence[str]) -> dict[str, dict[str, tuple[int, int]]]:
    """What open orders hold, by account and symbol: cash in minor units, and quantity (1e-8)."""
    found: dict[str, dict[str, tuple[int, int]]] = {account: {} for account in accounts}
    for row in await reader.run(HOLDS, accounts=list(accounts)):
        found[row["account"]][row["symbol"]] = (row["held"], row["quantity"])
    return found


async def beyond(reader: Reader, accounts: Sequence[str]) -> dict[str, tuple[int, str]]:
    """What fills cost beyond what their orders held, in minor units, and the last such order, by account."""
    rows = await reader.run(BEYOND, accounts=list(accounts))
    return {row["account"]: (row["beyond"], row["last"]) for row in rows}


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
