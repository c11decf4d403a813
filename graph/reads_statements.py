"""What an account's posted entries sum to, by value date."""

from collections.abc import Collection
from dataclasses import dataclass

from graph import period_totals
from graph.database import Reader
from graph.query import Query
from graph.reads_holdings import SPLIT

BALANCES = Query(
    "statements.balances",
    "UNWIND $ids AS id CALL (id) { UNWIND $spans AS span MATCH (t:PeriodTotal) "
    "WHERE t.ledger = id AND t.period >= span[1] AND t.period < span[2] "
    "WITH span[0] = 'opening' AS early, t.amount AS amount "
    "RETURN sum(CASE WHEN early THEN amount / 1000000 ELSE 0 END) AS openHigh, "
    "sum(CASE WHEN early THEN amount % 1000000 ELSE 0 END) AS openLow, "
    "sum(CASE WHEN early THEN 0 ELSE amount / 1000000 END) AS closeHigh, "
    "sum(CASE WHEN early THEN 0 ELSE amount % 1000000 END) AS closeLow } "
    "RETURN id, openHigh, openLow, closeHigh, closeLow",
    by="ids",
)


@dataclass(frozen=True, slots=True)
class Balances:
    """An account's balance before a period's first day and at the end of its last, in minor units."""

    opening: int
    closing: int


async def balances(reader: Reader, ids: Collection[str], first: str, last: str) -> dict[str, Balances]:
    """The balances of each account around the period from `first` to `last`, both ISO dates and inside it."""
    opening = [["opening", *span] for span in period_totals.before(first)]
    closing = [["closing", *span] for span in period_totals.until(last)]
    rows = await reader.run(BALANCES, ids=list(ids), spans=[*opening, *closing])
    return {
        row["id"]: Balances(row["openHigh"] * SPLIT + row["openLow"], row["closeHigh"] * SPLIT + row["closeLow"])
        for row in rows
    }
