"""Instruments, and the last price of each that the house has seen."""

from collections.abc import Collection, Sequence

from graph.database import Reader, Row, Transaction
from graph.query import Query

LAST = Query(
    "prices.last",
    "UNWIND $symbols AS symbol MATCH (i:Instrument {symbol: symbol}) WHERE i.last IS NOT NULL "
    "RETURN symbol, i.last AS last, i.lastAt AS at",
)
SAVE = Query(
    "prices.save",
    "UNWIND $rows AS row MERGE (i:Instrument {symbol: row.symbol}) "
    "ON CREATE SET i.kind = row.kind, i.currency = row.currency, i.multiplier = row.multiplier "
    "SET i.last = row.last, i.lastAt = row.at",
)


async def last(reader: Reader, symbols: Collection[str]) -> list[Row]:
    """The symbol, last price (exact text) and its instant (text) of each instrument that ever had a price here."""
    return await reader.run(LAST, symbols=sorted(symbols))


async def save(transaction: Transaction, rows: Sequence[Row]) -> None:
    """Makes instruments that are new, and keeps their last prices."""
    await transaction.run(SAVE, rows=list(rows))
