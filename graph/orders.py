"""Order nodes: what an account asked the market for, what of it is booked, and what it holds back meanwhile.

Quantities are integers of 1e-8 and money is minor units; prices and the market's own figures are exact decimal text.
An order holds `held` of cash (a buy) or `heldQuantity` of its position (a sell) while it is `open`; `beyond` is what
its fills cost beyond what it held.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from graph.database import Reader, Row, Transaction
from graph.operations import loaded
from graph.query import Query

CREATE = Query("orders.create", "CREATE (o:Order) SET o = $properties")
CHANGE = Query("orders.change", "MATCH (o:Order {id: $id}) SET o += $properties")
REMOVE = Query("orders.remove", "MATCH (o:Order {id: $id}) DETACH DELETE o")
FIND = Query("orders.find", "UNWIND $ids AS id MATCH (o:Order {id: id}) RETURN o {.*} AS node ORDER BY node.id")
OF_OPERATION = Query("orders.of_operation", "MATCH (o:Order {operation: $operation}) RETURN o {.*} AS node")
STANDING = Query(
    "orders.standing",
    "MATCH (o:Order {id: $id}) MATCH (a:Account {id: o.account}) MATCH (p:Operation {id: o.operation}) "
    "OPTIONAL MATCH (e:Entry {id: o.entry}) "
    "RETURN o {.*} AS node, a {.*} AS account, p {.*} AS operation, e {.*} AS entry",
)
OPEN = Query(
    "orders.open_of_account",
    "MATCH (o:Order) WHERE o.account = $account AND o.open = true AND o.id > $after "
    "RETURN o {.*} AS node ORDER BY node.id LIMIT $limit",
)
EXPOSURE = Query(
    "orders.exposure",
    "MATCH (o:Order) WHERE o.account = $account AND o.open = true "
    "RETURN count(o) AS orders, "
    "sum(CASE WHEN o.side = 'BUY' AND o.symbol = $symbol THEN o.quantity - o.filledQuantity ELSE 0 END) AS buying",
)
COUNT_OPEN = Query(
    "orders.count_open", "MATCH (o:Order) WHERE o.account = $account AND o.open = true RETURN count(o) AS orders"
)
COUNT_TRADED = Query("orders.count_traded", "MATCH (a:Account {id: $id}) SET a.orders = coalesce(a.orders, 0) + 1")
FIRST_FUNDING = Query(
    "orders.first_funding",
    "MATCH (e:Entry) WHERE e.ledger = $account AND e.place = 1 AND e.state = 'POSTED' RETURN e.amount AS amount",
)
# What an order may lack; a row always has it.
ABSENT: Row = {
    **dict.fromkeys(("limitPrice", "averagePrice", "cancelOperation", "reason", "endedAt", "lock")),
    "beyond": 0,
}


@dataclass(frozen=True, slots=True)
class Standing:
    """An order with its account, its operation and the entry that waits for it (None where the order is removed)."""

    order: Row
    account: Row
    operation: Row
    entry: Row


async def create(transaction: Transaction, properties: Row) -> None:
    """Creates an order."""
    await transaction.run(CREATE, properties=properties)


async def change(transaction: Transaction, order_id: str, properties: Row) -> None:
    """Sets properties of an order; None removes one."""
    await transaction.run(CHANGE, id=order_id, properties=properties)


async def remove(transaction: Transaction, order_id: str) -> None:
    """Removes an order whose request was refused after all."""
    await transaction.run(REMOVE, id=order_id)


async def find(reader: Reader, ids: Sequence[str]) -> dict[str, Row]:
    """The orders of these ids, by id."""
    return {row["node"]["id"]: _whole(row["node"]) for row in await reader.run(FIND, ids=list(ids))}


async def of_operation(reader: Reader, operation_id: str) -> Row | None:
    """The order that an operation (by its node id) placed, or None."""
    rows = await reader.run(OF_OPERATION, operation=operation_id)
    return _whole(rows[0]["node"]) if rows else None


async def standing(reader: Reader, order_id: str) -> Standing | None:
    """The order with all that its settlement changes, or None where there is none."""
    rows = await reader.run(STANDING, id=order_id)
    if not rows:
        return None
    row = rows[0]
    return Standing(_whole(row["node"]), row["account"], loaded(row["operation"]), row["entry"])


async def open_of_account(reader: Reader, account_id: str, after: str, limit: int) -> list[Row]:
    """The account's open orders whose ids come after `after`, oldest first, at most `limit`."""
    rows = await reader.run(OPEN, account=account_id, after=after, limit=limit)
    return [_whole(row["node"]) for row in rows]


async def count_open(reader: Reader, account: str) -> int:
    """How many orders of the account are open."""
    return (await reader.run(COUNT_OPEN, account=account))[0]["orders"]


async def exposure(reader: Reader, account_id: str, symbol: str) -> tuple[int, int]:
    """How many orders of the account are open, and how much of the symbol its open buys may still add (1e-8)."""
    row = (await reader.run(EXPOSURE, account=account_id, symbol=symbol))[0]
    return row["orders"], row["buying"] or 0


async def count_traded(transaction: Transaction, account_id: str) -> None:
    """Counts one more order that traded on the account's `orders`."""
    await transaction.run(COUNT_TRADED, id=account_id)


async def first_funding(reader: Reader, account_id: str) -> int | None:
    """The amount of the account's first posted entry, in minor units, or None where it has none."""
    rows = await reader.run(FIRST_FUNDING, account=account_id)
    return rows[0]["amount"] if rows else None


def _whole(properties: Row) -> Row:
    return {**ABSENT, **properties}
