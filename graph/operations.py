"""Operation nodes: the caller's own id, the state, and the outcome of each mutation."""

from collections.abc import Collection, Sequence
from typing import Any

import orjson

from graph.database import Database, Reader, Row, Transaction
from graph.query import Query

FIND_BY_KEY = Query(
    "operations.find_by_key",
    "UNWIND $keys AS key MATCH (o:Operation {key: key}) RETURN key, o {.*} AS operation",
    by="keys",
    of="key",
)
FIND = Query(
    "operations.find", "UNWIND $ids AS id MATCH (o:Operation {id: id}) RETURN id, o {.*} AS operation", by="ids"
)
CREATE = Query("operations.create", "UNWIND $rows AS row CREATE (o:Operation) SET o = row")
CHANGE = Query(
    "operations.change",
    "MATCH (o:Operation {id: $id}) SET o.lock = $id WITH o WHERE o.state IN $states "
    "SET o += $properties RETURN o.id AS id",
)
REMOVE = Query("operations.remove", "MATCH (o:Operation {id: $id}) DETACH DELETE o")
DUE = Query(
    "operations.due",
    "MATCH (o:Operation) WHERE o.dueAt <= $now RETURN o {.*} AS operation ORDER BY o.dueAt LIMIT $limit",
)
BY_STATE = Query(
    "operations.open_by_state",
    "MATCH (o:Operation) WHERE o.dueAt > '' RETURN o.state AS state, count(o) AS total",
)
UNDER_WAY = Query(
    "operations.under_way",
    "MATCH (o:Operation {root: $root, state: $state}) WHERE o.id > 'op_' AND o.kind IN $kinds RETURN o.id AS id "
    "ORDER BY id",
)
CLAIM = Query(
    "operations.claim",
    "MATCH (o:Operation {id: $id}) SET o.lock = $id WITH o WHERE o.dueAt = $due SET o.dueAt = $until RETURN o.id AS id",
)

_JSON = ("input", "payload", "problems")


async def find_by_key(reader: Reader, user_id: str, operation_id: str) -> Row | None:
    """The operation that this user named with this id, or None."""
    key = key_of(user_id, operation_id)
    return (await find_by_keys(reader, [key])).get(key)


async def find_by_keys(reader: Reader, keys: Collection[str]) -> dict[str, Row]:
    """The operations of these keys, by key."""
    rows = await reader.run(FIND_BY_KEY, keys=list(keys))
    return {row["key"]: loaded(row["operation"]) for row in rows}


async def find(reader: Reader, ids: Collection[str]) -> dict[str, Row]:
    """The operations of these node ids, by id."""
    rows = await reader.run(FIND, ids=list(ids))
    return {row["operation"]["id"]: loaded(row["operation"]) for row in rows}


async def create(transaction: Transaction, operation: Row) -> None:
    """Creates an operation; Duplicate at the commit where its key is taken."""
    await transaction.run(CREATE, rows=[stored(operation)])


async def change(transaction: Transaction, node_id: str, states: Collection[str], changes: Row) -> bool:
    """Changes an operation that is in one of the states, under its lock; whether it was."""
    return bool(await transaction.run(CHANGE, id=node_id, states=list(states), properties=stored(changes)))


async def remove(transaction: Transaction, node_id: str) -> None:
    """Removes an operation that turned out to have no effect, so that its id may be tried again."""
    await transaction.run(REMOVE, id=node_id)


async def due(reader: Reader, now: str, limit: int) -> list[Row]:
    """The operations whose next step is due, the longest due first."""
    return [loaded(row["operation"]) for row in await reader.run(DUE, now=now, limit=limit)]


async def open_by_state(reader: Reader) -> dict[str, int]:
    """How many operations are under way, by their state."""
    return {row["state"]: row["total"] for row in await reader.run(BY_STATE)}


async def under_way(reader: Reader, root: str, state: str, kinds: Sequence[str]) -> list[str]:
    """The operations of these kinds in a tenant or the installation that are in the state, the oldest first."""
    return [row["id"] for row in await reader.run(UNDER_WAY, root=root, state=state, kinds=list(kinds))]


async def claim(database: Database, operation: Row, until: str) -> bool:
    """Moves a due operation's instant on, so that one process at a time works at it; whether it was still due."""

    async def work(transaction: Transaction) -> bool:
        return bool(await transaction.run(CLAIM, id=operation["id"], due=operation["dueAt"], until=until))

    return await database.write(work, queue=operation["id"])


def key_of(user_id: str, operation_id: str) -> str:
    """What makes an operation id unique to its caller; ids are compared without regard to case."""
    return f"{user_id}:{operation_id.upper()}"


def stored(operation: Row) -> Row:
    """An operation with its JSON values as text, as the graph keeps them."""
    return {name: _dump(value) if name in _JSON else value for name, value in operation.items()}


def loaded(properties: Row) -> Row:
    """An operation with its JSON values read."""
    return {
        name: orjson.loads(value) if name in _JSON and value is not None else value
        for name, value in properties.items()
    }


def as_read(operation: Row) -> Row:
    """A new operation as reading it would give it: without what is null, its JSON values read anew."""
    return loaded({name: value for name, value in stored(operation).items() if value is not None})


def _dump(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
