"""Account nodes, as rows of their own properties, and the edges to their template and components."""

from collections.abc import Collection
from typing import Any

from graph.database import Reader, Row, Transaction
from graph.query import Query
from graph.sort_keys import sort_key

FIND = Query("accounts.find", "UNWIND $ids AS id MATCH (a:Account {id: id}) RETURN id, a {.*} AS node", by="ids")
CREATE_ROOT = Query(
    "accounts.create_root",
    "MATCH (i:Installation {id: $installation}) CREATE (a:Account) SET a = $properties "
    "CREATE (i)-[:HOSTS {since: $at}]->(a)",
)
CREATE_BELOW = Query(
    "accounts.create_below",
    "MATCH (p:Group {id: $parent}) CREATE (a:Account) SET a = $properties CREATE (p)-[:CONTAINS {since: $at}]->(a)",
)
CHANGE = Query("accounts.change", "MATCH (a:Account {id: $id}) SET a += $properties")
USE = Query(
    "accounts.use",
    "MATCH (a:Account {id: $id}) MATCH (t:Template {id: $template}) CREATE (a)-[:USES {since: $at}]->(t)",
)
END_USE = Query(
    "accounts.end_use",
    "MATCH (a:Account {id: $id})-[e:USES]->(t:Template) CREATE (a)-[:USED {since: e.since, until: $at}]->(t) DELETE e",
)
AGGREGATE = Query(
    "accounts.aggregate",
    "MATCH (a:Account {id: $id}) UNWIND $components AS component MATCH (c:Account {id: component}) "
    "CREATE (a)-[:AGGREGATES {since: $at}]->(c)",
)
END_AGGREGATES = Query(
    "accounts.end_aggregates",
    "MATCH (a:Account {id: $id})-[e:AGGREGATES]->(c:Account) WHERE c.id IN $components "
    "CREATE (a)-[:AGGREGATED {since: e.since, until: $at}]->(c) DELETE e",
)
COMPONENTS = Query(
    "accounts.components", "MATCH (:Account {id: $id})-[:AGGREGATES]->(c:Account) RETURN c.id AS id ORDER BY id"
)
# What a node may lack; a row always has it.
ABSENT: Row = dict.fromkeys(("description", "tier", "lock", "nameKey"))


async def find(reader: Reader, ids: Collection[str]) -> dict[str, Row]:
    """The properties of the accounts of these ids, by id."""
    rows = await reader.run(FIND, ids=list(ids))
    return {row["node"]["id"]: {**ABSENT, **row["node"]} for row in rows}


async def create(transaction: Transaction, properties: Row, parent: str | None, installation: str) -> None:
    """Creates an account in its group, or as a tenant's root at the installation."""
    at = properties["createdAt"]
    row = {**properties, **_sorted_by(properties)}
    if parent is None:
        await transaction.run(CREATE_ROOT, properties=row, installation=installation, at=at)
    else:
        await transaction.run(CREATE_BELOW, properties=row, parent=parent, at=at)


async def change(transaction: Transaction, account_id: str, **properties: Any) -> None:
    """Sets properties of an account; None removes one."""
    await transaction.run(CHANGE, id=account_id, properties={**properties, **_sorted_by(properties)})


async def use_template(transaction: Transaction, account_id: str, template: str | None, at: str) -> None:
    """Lets an account read its settings from another template than before, or from none."""
    await transaction.run(END_USE, id=account_id, at=at)
    if template is not None:
        await transaction.run(USE, id=account_id, template=template, at=at)


async def components(reader: Reader, account_id: str) -> list[str]:
    """The ids of the accounts that a COMPOSITE account aggregates now, in order."""
    return [row["id"] for row in await reader.run(COMPONENTS, id=account_id)]


async def aggregate(transaction: Transaction, account_id: str, added: list[str], ended: list[str], at: str) -> None:
    """Adds components to a COMPOSITE account, and ends others."""
    if ended:
        await transaction.run(END_AGGREGATES, id=account_id, components=ended, at=at)
    if added:
        await transaction.run(AGGREGATE, id=account_id, components=added, at=at)


def _sorted_by(properties: Row) -> Row:
    return {"nameKey": sort_key(properties["name"])} if "name" in properties else {}
