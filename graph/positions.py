"""What accounts hold: positions of instruments, each with the lots that it consists of.

Quantities are integers of 1e-8. `held` is the quantity that open orders hold back. `cost` is what its lots cost
together, without commission, and `averagePrice` that for one (at most 6 decimals), both exact decimal text. A lot
keeps the price that it was bought at. A sold out position leaves HOLDS for HELD, and an emptied lot LOT for SPENT.
"""

from collections.abc import Collection, Sequence

from graph.database import Reader, Row, Transaction
from graph.query import Query

OF_ACCOUNTS = Query(
    "positions.of_accounts",
    "UNWIND $ids AS id MATCH (a:Account {id: id})-[:HOLDS]->(p:Position) "
    "RETURN id AS account, p {.*} AS position ORDER BY p.symbol",
    by="ids",
    of="account",
)
LOTS = Query(
    "positions.lots",
    "UNWIND $ids AS id MATCH (p:Position {id: id})-[:LOT]->(l:Lot) RETURN id AS position, l {.*} AS lot "
    "ORDER BY l.place",
)
OF_SYMBOL = Query(
    "positions.of_symbol",
    "MATCH (a:Account {id: $account})-[:HOLDS]->(p:Position) WHERE p.symbol = $symbol RETURN p {.*} AS position",
)
OPEN = Query(
    "positions.open",
    "MATCH (a:Account {id: $account}) CREATE (a)-[:HOLDS {since: $at}]->(p:Position) SET p = $properties",
)
CHANGE = Query("positions.change", "MATCH (p:Position {id: $id}) SET p += $properties")
CLOSE = Query(
    "positions.close",
    "MATCH (p:Position {id: $id})<-[h:HOLDS]-(a:Account) CREATE (a)-[:HELD {since: h.since, until: $at}]->(p) DELETE h",
)
ADD_LOT = Query(
    "positions.add_lot",
    "MATCH (p:Position {id: $position}) CREATE (p)-[:LOT {since: $at}]->(l:Lot) SET l = $properties",
)
SHRINK_LOTS = Query(
    "positions.shrink_lots", "UNWIND $rows AS row MATCH (l:Lot {id: row.id}) SET l.quantity = row.quantity"
)
SPEND_LOTS = Query(
    "positions.spend_lots",
    "UNWIND $ids AS id MATCH (l:Lot {id: id})<-[r:LOT]-(p:Position) "
    "CREATE (p)-[:SPENT {since: r.since, until: $at}]->(l) SET l.quantity = 0 DELETE r",
)
ENSURE_INSTRUMENT = Query(
    "positions.ensure_instrument",
    "MERGE (i:Instrument {symbol: $symbol}) ON CREATE SET i.kind = $kind, i.currency = $currency, "
    "i.multiplier = $multiplier, i.last = $last, i.lastAt = $at",
)


async def of_accounts(reader: Reader, ids: Collection[str]) -> dict[str, list[Row]]:
    """The present positions of each account by its id, in order of symbol; an empty list where it has none."""
    found: dict[str, list[Row]] = {account: [] for account in ids}
    for row in await reader.run(OF_ACCOUNTS, ids=list(found)):
        found[row["account"]].append(row["position"])
    return found


async def lots(reader: Reader, ids: Collection[str]) -> dict[str, list[Row]]:
    """The open lots of each position, oldest first, by position id."""
    found: dict[str, list[Row]] = {position: [] for position in ids}
    for row in await reader.run(LOTS, ids=list(found)):
        found[row["position"]].append(row["lot"])
    return found


async def of_symbol(reader: Reader, account_id: str, symbol: str) -> Row | None:
    """The account's present position of the symbol, or None."""
    rows = await reader.run(OF_SYMBOL, account=account_id, symbol=symbol)
    return rows[0]["position"] if rows else None


async def open_position(transaction: Transaction, properties: Row, at: str) -> None:
    """Creates a position that its account holds from that instant on."""
    await transaction.run(OPEN, account=properties["account"], properties=properties, at=at)


async def change(transaction: Transaction, position_id: str, properties: Row) -> None:
    """Sets properties of a position."""
    await transaction.run(CHANGE, id=position_id, properties=properties)


async def close(transaction: Transaction, position_id: str, at: str) -> None:
    """Ends the holding of a position that is sold out."""
    await transaction.run(CLOSE, id=position_id, at=at)


async def add_lot(transaction: Transaction, properties: Row, at: str) -> None:
    """Creates a lot of its position."""
    await transaction.run(ADD_LOT, position=properties["position"], properties=properties, at=at)


async def set_lots(transaction: Transaction, rows: Sequence[Row], at: str) -> None:
    """Writes the quantities of lots (id and quantity); one without any is spent from that instant on."""
    spent = [row["id"] for row in rows if row["quantity"] == 0]
    shrunk = [{"id": row["id"], "quantity": row["quantity"]} for row in rows if row["quantity"] != 0]
    if shrunk:
        await transaction.run(SHRINK_LOTS, rows=shrunk)
    if spent:
        await transaction.run(SPEND_LOTS, ids=spent, at=at)


async def ensure_instrument(transaction: Transaction, instrument: Row) -> None:
    """Makes the instrument where it is new: symbol, kind, currency, multiplier, last (exact text) and at (text)."""
    await transaction.run(ENSURE_INSTRUMENT, **instrument)
