"""Compiled reads: an operation that asks for nothing but what the graph holds, answered by one statement."""

from collections.abc import Mapping
from typing import Any

from graphql import FragmentDefinitionNode, GraphQLSchema, OperationDefinitionNode

from graph import clock
from graph.compiled import UNTIL
from graph.database import Reader
from resolvers.compiling.fields import NodeType, Uncovered
from resolvers.compiling.plan import Compiled
from services.access import token_hash
from services.permissions import PERMISSIONS, Permission

READERS = sorted(role.value for role, held in PERMISSIONS.items() if Permission.READ in held)
"""The roles that may read what they are granted on."""


class CompiledReads:
    """Answers reads of one schema from one graph. `types` are the types whose objects it knows, by name."""

    def __init__(self, schema: GraphQLSchema, types: Mapping[str, NodeType], reader: Reader) -> None:
        self._schema = schema
        self._types = types
        self._reader = reader

    def compiled(self, operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]) -> Compiled:
        """What is to be kept with a valid operation."""
        return Compiled(self._schema, self._types, operation, fragments)

    async def answer(self, compiled: Compiled, token: str, variables: Mapping[str, Any]) -> dict[str, Any] | None:
        """The data for who holds the token; None where the executor has to answer. Raises EngineUnavailable.

        None also where the token opens no session now: whether it does is asked by the statement itself. A small read
        goes with others of its plan that arrive at the same time.
        """
        try:
            bound = compiled.bind(variables)
            now = clock.to_text(clock.now())
            asked = [(token_hash(token), *bound.asked)]
            rows = await self._reader.run(bound.query, asked=asked, readers=READERS, **bound.parameters)
            return bound.answer(rows[0]) if rows and rows[0][UNTIL] > now else None
        except Uncovered:
            return None
