"""Posting sets as they were booked, and the edges from correcting entries to what they correct."""

from collections.abc import Sequence

from graph.database import Reader, Row, Transaction
from graph.query import Query

SET_OF = Query(
    "corrections.set_of",
    "MATCH (one:Entry {id: $id}) MATCH (e:Entry {set: one.set}) "
    "RETURN e {.*} AS entry, EXISTS { (e)<-[:CORRECTS]-(:Entry) } AS corrected ORDER BY entry.id",
)
LINK = Query(
    "corrections.link",
    "UNWIND $rows AS row MATCH (n:Entry {id: row.entry}) MATCH (o:Entry {id: row.corrects}) "
    "CREATE (n)-[:CORRECTS {since: $at}]->(o)",
)


async def set_of(reader: Reader, entry_id: str) -> list[Row]:
    """The entries of an entry's posting set, in order of id, each with whether it was `corrected`."""
    return [{**row["entry"], "corrected": row["corrected"]} for row in await reader.run(SET_OF, id=entry_id)]


async def link(transaction: Transaction, rows: Sequence[Row], at: str) -> None:
    """Leads from each new entry to the one that it corrects (`entry` and `corrects`)."""
    await transaction.run(LINK, rows=list(rows), at=at)
