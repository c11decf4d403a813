"""The sums of groups as nodes: those that a turn changes are read and written together, in statements of bounded size.

A sum that counts very many different quantities is parted, so that a turn writes again only what is near its changes.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace

from graph.checks import packed
from graph.database import Row, Transaction
from graph.query import Query
from graph.stood import NotThereYet
from graph.totals import NOTHING, PARTED, Count, Kept, Sums, is_cash, is_whole, part_key

MOST_COUNTED = 1_000
"""How many quantities one sum counts before it is parted."""
MOST_BYTES = 500_000
"""About how large a statement is."""
_ROW_BYTES = 200
_Place = tuple[str, str]
KEPT = Query("total_rows.kept", "UNWIND $ids AS id MATCH (t:Total {id: id}) RETURN id, t.state AS state")
SET = Query("total_rows.set", "UNWIND $rows AS row MATCH (t:Total {id: row.id}) SET t.state = row.state")
ADD_CASH = Query(
    "total_rows.add_cash",
    "UNWIND $rows AS row MATCH (b:Branch {id: row.branch}) "
    "CREATE (b)-[:SUMS_CASH]->(t:Total {id: row.id, key: row.key, state: row.state})",
)
ADD_HELD = Query(
    "total_rows.add_held",
    "UNWIND $rows AS row MATCH (b:Branch {id: row.branch}) "
    "CREATE (b)-[:SUMS_HELD]->(t:Total {id: row.id, key: row.key, state: row.state})",
)


async def write(transaction: Transaction, totals: Mapping[str, Sums], turn: int) -> None:
    """Writes what a turn adds to each group. Raises NotThereYet where another turn has come between."""
    added = {(group, key): counted for group, sums in totals.items() for key, counted in sums.items()}
    added = {place: counted for place, counted in added.items() if any(counted.values())}
    kept = await _kept(transaction, added)
    added = _apart(added, kept)
    kept |= await _kept(transaction, [place for place in added if place not in kept])
    if any(one.turn >= turn for one in kept.values()):
        raise NotThereYet  # locks do not wait on every engine, and this turn could not be committed
    after: dict[_Place, Kept] = {}
    for place, counted in added.items():
        after |= _parted(place, kept.get(place, NOTHING).plus(counted, turn))
    await _write(transaction, after, kept)


async def _kept(transaction: Transaction, places: Collection[_Place]) -> dict[_Place, Kept]:
    ids = {_id(place): place for place in places}
    found: dict[_Place, Kept] = {}
    for batch in packed(dict.fromkeys(ids, _ROW_BYTES), MOST_BYTES):
        rows = await transaction.run(KEPT, ids=batch)
        found |= {ids[row["id"]]: Kept.read(row["state"]) for row in rows}
    return found


def _apart(added: Mapping[_Place, Count], kept: Mapping[_Place, Kept]) -> dict[_Place, Count]:
    """The same counts, those of parted sums at their parts."""
    found: dict[_Place, Count] = {}
    for (group, key), counted in added.items():
        if PARTED not in kept.get((group, key), NOTHING).now:
            found[group, key] = counted
        else:
            found |= _in_parts(group, key, counted)
    return found


def _parted(place: _Place, kept: Kept) -> dict[_Place, Kept]:
    """The sum, in parts from this turn on where it has become large."""
    group, key = place
    if len(kept.now) <= MOST_COUNTED or not is_whole(key):
        return {place: kept}
    counted = {part: NOTHING.plus(some, kept.turn) for part, some in _in_parts(group, key, kept.now).items()}
    return {place: replace(kept, now={PARTED: 1}), **counted}


def _in_parts(group: str, key: str, counted: Count) -> dict[_Place, Count]:
    """The counts of a whole sum at its parts."""
    parts: dict[_Place, Count] = {}
    for quantity, times in counted.items():
        parts.setdefault((group, part_key(key, quantity)), {})[quantity] = times
    return parts


async def _write(transaction: Transaction, after: Mapping[_Place, Kept], kept: Mapping[_Place, Kept]) -> None:
    rows: dict[str, Row] = {}
    queries: dict[str, Query] = {}
    for (group, key), one in after.items():
        total = _id((group, key))
        rows[total] = {"id": total, "branch": group, "key": key, "state": one.text}
        queries[total] = SET if (group, key) in kept else ADD_CASH if is_cash(key) else ADD_HELD
    for batch in packed({total: _ROW_BYTES + len(row["state"]) for total, row in rows.items()}, MOST_BYTES):
        for query in (SET, ADD_CASH, ADD_HELD):
            some = [rows[total] for total in batch if queries[total] is query]
            if some:
                await transaction.run(query, rows=some)


def _id(place: _Place) -> str:
    return "/".join(place)
