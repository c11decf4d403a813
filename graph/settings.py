"""The settings that nodes hold themselves, as JSON text by key, and the keys that groups lock."""

from collections.abc import Collection, Sequence
from typing import Any

import orjson

from graph.database import Reader, Row
from graph.query import Query

OF_GROUPS = Query(
    "settings.of_groups",
    "UNWIND $ids AS id MATCH (g:Group {id: id}) WHERE g.settings <> '{}' OR size(g.locks) > 0 "
    "RETURN id, g.settings AS own, g.locks AS locks",
)
OF_ACCOUNTS = Query(
    "settings.of_accounts",
    "UNWIND $ids AS id MATCH (a:Account {id: id}) OPTIONAL MATCH (a)-[:USES]->(t:Template) "
    "RETURN id, a.settings AS own, a.tier AS tier, t.id AS template, t.settings AS shared",
)


async def of_groups(reader: Reader, ids: Collection[str]) -> dict[str, Row]:
    """The own settings and locks of those groups that have any, by id."""
    rows = await reader.run(OF_GROUPS, ids=list(ids))
    return {row["id"]: {"own": loads(row["own"]), "locks": row["locks"]} for row in rows}


async def of_accounts(reader: Reader, ids: Sequence[str]) -> dict[str, Row]:
    """The own settings, tier, template id and template's settings of accounts, by id."""
    rows = await reader.run(OF_ACCOUNTS, ids=list(ids))
    return {row["id"]: {**row, "own": loads(row["own"]), "shared": loads(row["shared"])} for row in rows}


def loads(text: str | None) -> dict[str, Any]:
    """The settings that a node keeps as text; none where it keeps nothing."""
    return orjson.loads(text) if text else {}


def dumps(values: Any) -> str:
    """Settings as a node keeps them: JSON text with sorted keys."""
    return orjson.dumps(values, option=orjson.OPT_SORT_KEYS).decode()
