"""Entries of the double-entry ledger, the cash that accounts hold by them, and valuation records.

An entry's `ledger` is an account's id, or the id of a LedgerAccount for what lies outside. Its `place` orders the
account's statement; a pending entry gets its final place when it is posted.
"""

from collections.abc import Sequence

from graph.database import Row, Transaction
from graph.query import Query

SET_CASH = Query(
    "ledger.set_cash",
    "UNWIND $rows AS row MATCH (a:Account {id: row.id}) SET a.cash = row.cash, a.held = row.held, a.place = row.place",
)
CREATE_ENTRIES = Query("ledger.create_entries", "UNWIND $rows AS row CREATE (e:Entry) SET e = row")
CHANGE_ENTRY = Query("ledger.change_entry", "MATCH (e:Entry {id: $id}) SET e += $properties")
REMOVE_ENTRY = Query("ledger.remove_entry", "MATCH (e:Entry {id: $id}) DELETE e")
OUTSIDE = Query(
    "ledger.outside",
    "UNWIND $rows AS row MERGE (l:LedgerAccount {id: row.id}) "
    "ON CREATE SET l.root = row.root, l.currency = row.currency, l.purpose = row.purpose, "
    "l.simulated = row.simulated",
)
CREATE_VALUATIONS = Query("ledger.create_valuations", "UNWIND $rows AS row CREATE (v:Valuation) SET v = row")


async def set_cash(transaction: Transaction, rows: Sequence[Row]) -> None:
    """Writes the cash, the held cash (both minor units) and the last place of locked accounts."""
    await transaction.run(SET_CASH, rows=list(rows))


async def create_entries(transaction: Transaction, rows: Sequence[Row]) -> None:
    """Creates entries."""
    await transaction.run(CREATE_ENTRIES, rows=list(rows))


async def change_entry(transaction: Transaction, entry_id: str, properties: Row) -> None:
    """Posts, voids or shrinks a pending entry."""
    await transaction.run(CHANGE_ENTRY, id=entry_id, properties=properties)


async def remove_entry(transaction: Transaction, entry_id: str) -> None:
    """Removes a pending entry whose request was refused after all."""
    await transaction.run(REMOVE_ENTRY, id=entry_id)


async def ensure_outside(transaction: Transaction, rows: Sequence[Row]) -> None:
    """Makes the outside ledger accounts that are not there yet."""
    await transaction.run(OUTSIDE, rows=list(rows))


async def create_valuations(transaction: Transaction, rows: Sequence[Row]) -> None:
    """Creates valuation records."""
    await transaction.run(CREATE_VALUATIONS, rows=list(rows))
