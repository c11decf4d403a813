"""The settings that nodes hold themselves, as JSON text by key, and what groups lock and ask of metadata.

What lies below a group is read in one statement, and accounts that set the same are one row: the cost of a check
grows with the groups and with what differs, not with every account.
"""

from collections.abc import Collection, Sequence
from typing import Any

import orjson

from graph import steady
from graph.database import Reader, Row
from graph.query import Query

OF_GROUPS = Query(
    "settings.of_groups",
    "UNWIND $ids AS id MATCH (g:Group {id: id}) "
    "WHERE g.settings <> '{}' OR size(g.locks) > 0 OR g.metadataSchema IS NOT NULL "
    "RETURN id, g.settings AS own, g.locks AS locks, g.metadataSchema AS schema",
    by="ids",
)
# As OF_GROUPS has it, of every group above these accounts.
ABOVE_ACCOUNTS = Query(
    "settings.above_accounts",
    "UNWIND $ids AS id MATCH (:Account {id: id})<-[:CONTAINS*1..]-(g:Group) WITH DISTINCT g "
    "RETURN g.id AS id, g.settings AS own, g.locks AS locks, g.metadataSchema AS schema, "
    "g.settings <> '{}' OR size(g.locks) > 0 OR g.metadataSchema IS NOT NULL AS sets",
)
OF_ACCOUNTS = Query(
    "settings.of_accounts",
    "UNWIND $ids AS id MATCH (a:Account {id: id}) OPTIONAL MATCH (a)-[:USES]->(t:Template) "
    "RETURN id, a.settings AS own, a.tier AS tier, t.id AS template, t.settings AS shared",
    by="ids",
)
_OF_GROUPS = "UNWIND ids AS id MATCH (t:Group {id: id}) WITH DISTINCT t.root AS tenant"
_BEFORE, _AFTER = steady.before("ids", _OF_GROUPS), steady.after("ids", _OF_GROUPS)
BELOW = Query(
    "settings.below",
    f"WITH $ids AS ids {_BEFORE} CALL (ids) {{ "
    "UNWIND ids AS id MATCH (:Group {id: id})-[:CONTAINS*0..]->(g:Group) "
    "OPTIONAL MATCH (g)<-[:CONTAINS]-(up:Group) "
    "OPTIONAL MATCH (g)-[:CONTAINS]->(a:Account) WHERE a.status <> 'CLOSED' "
    "OPTIONAL MATCH (a)-[:USES]->(t:Template) "
    "WITH g, up, a.tier AS tier, a.settings AS set, t.settings AS shared, min(a.id) AS account "
    "RETURN collect({group: g.id, parent: up.id, own: g.settings, locks: g.locks, "
    f"tier: tier, set: set, shared: shared, account: account}}) AS found }} {_AFTER} RETURN found, {steady.STEADY}",
)
USERS = Query(
    "settings.users",
    "MATCH (:Template {id: $id})<-[:USES]-(a:Account)<-[:CONTAINS]-(g:Group) WHERE a.status <> 'CLOSED' "
    "RETURN g.id AS group, a.tier AS tier, a.settings AS set, min(a.id) AS account ORDER BY account",
)
ABOVE = Query(
    "settings.above",
    f"WITH $ids AS ids {_BEFORE} CALL (ids) {{ "
    "UNWIND ids AS id MATCH (n:Group {id: id})<-[:CONTAINS*0..]-(g:Group) WITH DISTINCT g "
    "OPTIONAL MATCH (g)<-[:CONTAINS]-(up:Group) "
    "RETURN collect({group: g.id, parent: up.id, own: g.settings, locks: g.locks}) AS found } "
    f"{_AFTER} RETURN found, {steady.STEADY}",
)
METADATA_BELOW = Query(
    "settings.metadata_below",
    "MATCH (top:Group {id: $id})-[:CONTAINS*0..]->(:Group)-[:CONTAINS]->(a:Account) WHERE a.status <> 'CLOSED' "
    "RETURN a.metadata AS metadata, min(a.id) AS account ORDER BY account LIMIT $limit",
)


async def of_groups(reader: Reader, ids: Collection[str]) -> dict[str, Row]:
    """The own settings, locks and metadata schema (None where there is none) of those groups that have any, by id."""
    rows = await reader.run(OF_GROUPS, ids=list(ids))
    return {row["id"]: {**row, "own": loads(row["own"]), "schema": _read(row["schema"])} for row in rows}


async def of_accounts(reader: Reader, ids: Sequence[str]) -> dict[str, Row]:
    """The own settings, tier, template id and template's settings of accounts, by id."""
    rows = await reader.run(OF_ACCOUNTS, ids=list(ids))
    return {row["id"]: {**row, "own": loads(row["own"]), "shared": loads(row["shared"])} for row in rows}


async def below(reader: Reader, group_id: str) -> list[Row]:
    """A group and the groups below it, each with its parent, and one account for each way to set something there.

    A group has as many rows as its accounts differ, and at least one, whose `account` may be None. `own` (the
    group's), `set` (the account's) and `shared` (its template's) are text. CLOSED accounts are left out.
    """
    (row,) = await steady.read(reader, BELOW, ids=[group_id])
    return row["found"]


async def users(reader: Reader, template_id: str) -> list[Row]:
    """One account, not CLOSED, for each way that a template is used: its group, tier and own settings."""
    return await reader.run(USERS, id=template_id)


async def above(reader: Reader, group_ids: Collection[str]) -> list[Row]:
    """The groups and all groups above them, each once with its parent, own settings and locks."""
    if not group_ids:
        return []
    (row,) = await steady.read(reader, ABOVE, ids=list(group_ids))
    return row["found"]


async def metadata_below(reader: Reader, group_id: str, limit: int) -> list[Row]:
    """The different metadata (text) of the accounts below a group that are not CLOSED, each with one account."""
    return await reader.run(METADATA_BELOW, id=group_id, limit=limit)


def loads(text: str | None) -> dict[str, Any]:
    """The settings that a node keeps as text; none where it keeps nothing."""
    return orjson.loads(text) if text else {}


def dumps(values: Any) -> str:
    """Settings as a node keeps them: JSON text with sorted keys."""
    return orjson.dumps(values, option=orjson.OPT_SORT_KEYS).decode()


def _read(text: str | None) -> Any:
    return None if text is None else orjson.loads(text)
