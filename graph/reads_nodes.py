"""Single nodes by their ids, many in one statement, and what stands next to them."""

from collections.abc import Collection

from graph import accounts, groups, templates
from graph.database import Reader, Row
from graph.ids import Kind, kind_of
from graph.query import Query

ENTRIES = Query("reads.entries", "UNWIND $ids AS id MATCH (e:Entry {id: id}) RETURN id, e {.*} AS node", by="ids")
PARENTS_OF_GROUPS = Query(
    "reads.parents_of_groups",
    "UNWIND $ids AS id MATCH (:Group {id: id})<-[:CONTAINS]-(g:Group) RETURN id, g.id AS parent",
    by="ids",
)
PARENTS_OF_ACCOUNTS = Query(
    "reads.parents_of_accounts",
    "UNWIND $ids AS id MATCH (:Account {id: id})<-[:CONTAINS]-(g:Group) RETURN id, g.id AS parent",
    by="ids",
)
PARENTS_OF_TEMPLATES = Query(
    "reads.parents_of_templates",
    "UNWIND $ids AS id MATCH (:Template {id: id})<-[:DEFINES]-(g:Group) RETURN id, g.id AS parent",
    by="ids",
)
USED_TEMPLATES = Query(
    "reads.used_templates",
    "UNWIND $ids AS id MATCH (:Account {id: id})-[:USES]->(t:Template) RETURN id, t {.*} AS node",
    by="ids",
)

_PARENTS = {
    Kind.GROUP: PARENTS_OF_GROUPS,
    Kind.ACCOUNT: PARENTS_OF_ACCOUNTS,
    Kind.TEMPLATE: PARENTS_OF_TEMPLATES,
}


async def find(reader: Reader, ids: Collection[str]) -> dict[str, Row]:
    """The properties of the accounts, groups, templates and entries of these ids, one statement for each kind."""
    found: dict[str, Row] = {}
    for kind, wanted in _by_kind(ids).items():
        if kind is Kind.ACCOUNT:
            found |= await accounts.find(reader, wanted)
        elif kind is Kind.GROUP:
            found |= await groups.find(reader, wanted)
        elif kind is Kind.TEMPLATE:
            found |= await templates.find(reader, wanted)
        elif kind is Kind.ENTRY:
            found |= {row["id"]: row["node"] for row in await reader.run(ENTRIES, ids=wanted)}
    return found


async def parents(reader: Reader, ids: Collection[str]) -> dict[str, str]:
    """The group that each group, account and template stands in; a tenant's root is left out."""
    found: dict[str, str] = {}
    for kind, wanted in _by_kind(ids).items():
        query = _PARENTS.get(kind)
        if query is not None:
            found |= {row["id"]: row["parent"] for row in await reader.run(query, ids=wanted)}
    return found


async def used_templates(reader: Reader, ids: Collection[str]) -> dict[str, Row]:
    """The template of each account that uses one."""
    return {row["id"]: row["node"] for row in await reader.run(USED_TEMPLATES, ids=list(ids))}


def _by_kind(ids: Collection[str]) -> dict[Kind, list[str]]:
    by_kind: dict[Kind, list[str]] = {}
    for node_id in ids:
        kind = kind_of(node_id)
        if kind is not None:
            by_kind.setdefault(kind, []).append(node_id)
    return by_kind
