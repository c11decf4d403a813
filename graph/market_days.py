"""The newest date that a market was seen to have, kept for every process; it never goes back."""

from graph.database import Reader, Row, Transaction
from graph.query import Query

FIND = Query("market_days.find", "MATCH (k:Lease {id: $id}) RETURN k.day AS day")
KEEP = Query(
    "market_days.keep",
    "MERGE (k:Lease {id: $id}) "
    "SET k.day = CASE WHEN k.day IS NULL OR k.day < $day THEN $day ELSE k.day END RETURN k.day AS day",
)
SOME_SYMBOLS = Query(
    "market_days.some_symbols",
    "MATCH (i:Instrument) WHERE i.symbol > '' RETURN i.symbol AS symbol ORDER BY symbol LIMIT $limit",
)


async def find(reader: Reader, market: str) -> str | None:
    """The newest date, as ISO text, of the market of this name; None where none was seen."""
    rows: list[Row] = await reader.run(FIND, id=_key(market))
    return rows[0]["day"] if rows else None


async def keep(transaction: Transaction, market: str, day: str) -> str:
    """Keeps the date where it is the newest; the newest afterwards."""
    return (await transaction.run(KEEP, id=_key(market), day=day))[0]["day"]


async def some_symbols(reader: Reader, limit: int) -> list[str]:
    """Symbols that were quoted here, at most so many."""
    return [row["symbol"] for row in await reader.run(SOME_SYMBOLS, limit=limit)]


def _key(market: str) -> str:
    return f"market-date {market}"
