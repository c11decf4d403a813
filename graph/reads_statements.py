"""What an account's posted entries sum to, by value date."""

from collections.abc import Collection
from dataclasses import dataclass

from graph.database import Reader
from graph.query import Query
from graph.reads_holdings import SPLIT

BALANCES = Query(
    "statements.balances",
    "UNWIND $ids AS id CALL (id) { MATCH (e:Entry {ledger: id}) "
    "WHERE e.place >= 0 AND e.state = 'POSTED' AND e.valueDate <= $last "
    "WITH e.valueDate < $first AS early, e.amount AS amount "
    "RETURN sum(CASE WHEN early THEN amount / 1000000 ELSE 0 END) AS openHigh, "
    "sum(CASE WHEN early THEN amount % 1000000 ELSE 0 END) AS openLow, "
    "sum(amount / 1000000) AS closeHigh, sum(amount % 1000000) AS closeLow } "
    "RETURN id, openHigh, openLow, closeHigh, closeLow",
)


@dataclass(frozen=True, slots=True)
class Balances:
    """An account's balance before a period's first day and at the end of its last, in minor units."""

    opening: int
    closing: int


async def balances(reader: Reader, ids: Collection[str], first: str, last: str) -> dict[str, Balances]:
    """The balances of each account around the period from `first` to `last`, both ISO dates and inside it."""
    rows = await reader.run(BALANCES, ids=list(ids), first=first, last=last)
    return {
        row["id"]: Balances(row["openHigh"] * SPLIT + row["openLow"], row["closeHigh"] * SPLIT + row["closeLow"])
        for row in rows
    }
