"""What a constraint's creation leaves on Neo4j where its client dies meanwhile: an index that nothing will ever fill.

Its name stands in the way of the constraint from then on, also where that is to be created only if it is not there.
"""

import re

import neo4j
from neo4j.exceptions import Neo4jError

CODE = "Neo.ClientError.Schema.IndexWithNameAlreadyExists"
PATIENCE = 8
"""After how many tries, a second or so, it is no longer the work of somebody who is alive."""
_CREATED = re.compile(r"CREATE CONSTRAINT (\w+) IF NOT EXISTS ")
_OF_NOBODY = "SHOW INDEXES YIELD name, owningConstraint WHERE name = $name AND owningConstraint IS NULL RETURN name"


def is_in_the_way(error: BaseException) -> bool:
    """Whether an index with a constraint's name is there, and the constraint is not."""
    return isinstance(error, Neo4jError) and error.code == CODE


async def drop(session: neo4j.AsyncSession, text: str) -> None:
    """Drops the index that stands in the way of the constraint that this statement creates, where it is nobody's."""
    created = _CREATED.match(text)
    if created is None:
        return
    name = created[1]
    found = await (await session.run(_OF_NOBODY, name=name)).data()
    if found:
        await (await session.run(neo4j.Query(f"DROP INDEX {name} IF EXISTS"))).consume()  # pyright: ignore[reportArgumentType]
