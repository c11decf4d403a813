"""Compares the books of accounts with the market's own record, order by order and account by account."""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal

from graph import accounts, positions
from graph.database import Database, Row
from graph.money import from_scaled
from tests.support.graphs import statement
from tests.support.ws4_venue import Trade

ORDERS = statement(
    "MATCH (o:Order) WHERE o.account = $account AND o.id > '' MATCH (p:Operation {id: o.operation}) "
    "RETURN o {.*} AS node, p.operationId AS asked, p.state AS state ORDER BY node.id",
)
ENTRIES = statement("MATCH (e:Entry) WHERE e.ledger = $account AND e.id > '' RETURN e {.*} AS entry")
FINAL = {"SUCCEEDED", "FAILED", "CANCELLED"}


async def agree(database: Database, flows: Mapping[str, int], trades: Sequence[Trade]) -> int:
    """Asserts that the books are the market's; how many orders traded. `flows` is each account's other cash (cents)."""
    assert {trade.account_id for trade in trades} <= set(flows), "the market traded for nobody else"
    by_order = {trade.order_id: trade for trade in trades}
    assert len(by_order) == len(trades)
    asked: Counter[str] = Counter()
    for account, cash in flows.items():
        rows = await database.run(ORDERS, account=account)
        entries = [row["entry"] for row in await database.run(ENTRIES, account=account)]
        for row in rows:
            order, trade = row["node"], by_order.pop(row["node"]["id"], None)
            assert row["state"] in FINAL, (order["id"], row["state"])
            _order_agrees(order, trade, [entry for entry in entries if entry.get("order") == order["id"]])
            asked[row["asked"]] += trade is not None
        await _account_agrees(database, account, cash, [trade for trade in trades if trade.account_id == account])
    assert by_order == {}, "every trade of the market is booked"
    assert max(asked.values(), default=0) <= 1, "no request traded twice"
    return asked.total()


def cents(amount: Decimal) -> int:
    """The amount of dollars in cents, rounded half to even."""
    return int((amount * 100).quantize(Decimal(1), rounding="ROUND_HALF_EVEN"))


def _order_agrees(order: Row, trade: Trade | None, entries: Sequence[Row]) -> None:
    assert (order["open"], order["held"], order["heldQuantity"]) == (False, 0, 0), order
    assert {entry["state"] for entry in entries} <= {"POSTED", "VOIDED"}, entries
    posted = [entry for entry in entries if entry["state"] == "POSTED"]
    if trade is None:
        assert (order["filledQuantity"], posted) == (0, []), order
        return
    assert (order["symbol"], order["side"]) == (trade.symbol, trade.side)
    assert from_scaled(order["filledQuantity"]) == trade.quantity, order
    assert Decimal(order["averagePrice"]) == trade.price, order
    assert Decimal(order["charged"]) == trade.commission, order
    traded = [entry for entry in posted if entry["kind"] == "TRADE"]
    fees = [entry for entry in posted if entry["kind"] == "FEE"]
    sign = -1 if trade.side == "BUY" else 1
    assert len(traded) + len(fees) == len(posted)
    assert from_scaled(sum(entry["quantity"] for entry in traded)) == trade.quantity
    assert sum(entry["amount"] for entry in traded) == sign * cents(trade.quantity * trade.price)
    assert sum(entry["amount"] for entry in fees) == -cents(trade.commission)


async def _account_agrees(database: Database, account: str, flows: int, trades: Sequence[Trade]) -> None:
    """Asserts that no hold is left, and that cash and positions are what the flows and the market's trades leave."""
    held: Counter[str] = Counter()
    cash = flows
    for trade in trades:
        bought = trade.side == "BUY"
        held[trade.symbol] += int(trade.quantity.scaleb(8)) * (1 if bought else -1)
        cash -= cents(trade.quantity * trade.price) * (1 if bought else -1) + cents(trade.commission)
    node = (await accounts.find(database, [account]))[account]
    assert (node["cash"], node["held"]) == (cash, 0), account
    found = (await positions.of_accounts(database, [account]))[account]
    assert {row["symbol"]: (row["quantity"], row["held"]) for row in found} == {
        symbol: (quantity, 0) for symbol, quantity in held.items() if quantity
    }
