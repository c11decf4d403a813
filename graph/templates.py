"""Template nodes, which groups define and accounts use."""

from collections.abc import Collection
from typing import Any

from graph.database import Reader, Row, Transaction
from graph.query import Query

CREATE = Query(
    "templates.create",
    "MATCH (g:Group {id: $parent}) CREATE (t:Template) SET t = $properties CREATE (g)-[:DEFINES {since: $at}]->(t)",
)
FIND = Query("templates.find", "UNWIND $ids AS id MATCH (t:Template {id: id}) RETURN id, t {.*} AS node", by="ids")
CHANGE = Query("templates.change", "MATCH (t:Template {id: $id}) SET t += $properties")


async def create(transaction: Transaction, properties: Row, parent: str) -> None:
    """Creates a template that the parent group defines."""
    await transaction.run(CREATE, properties=properties, parent=parent, at=properties["createdAt"])


async def find(reader: Reader, ids: Collection[str]) -> dict[str, Row]:
    """The properties of the templates of these ids, by id."""
    rows = await reader.run(FIND, ids=list(ids))
    return {row["node"]["id"]: row["node"] for row in rows}


async def change(transaction: Transaction, template_id: str, **properties: Any) -> None:
    """Sets properties of a template."""
    await transaction.run(CHANGE, id=template_id, properties=properties)
