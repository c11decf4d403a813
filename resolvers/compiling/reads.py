"""Compiled reads: an operation that asks for nothing but what the graph holds, answered by one statement.

A large answer that is asked for again and again is kept while its tenant does not move: then a statement that asks who
holds the token, and where the tenant's feed ends, is enough.
"""

from collections.abc import Callable, Mapping
from typing import Any

from graphql import FragmentDefinitionNode, GraphQLSchema, OperationDefinitionNode

from graph import clock
from graph.compiled import RIGHTS, UNTIL
from graph.database import Reader, Row
from graph.query import Query
from graph.unmoved import UNMOVED, Quiet
from resolvers.compiling.fields import NodeType, Uncovered
from resolvers.compiling.kept import KEPT_BYTES, Kept, Question, scope_of
from resolvers.compiling.plan import Bound, Compiled
from services.access import token_hash
from services.permissions import PERMISSIONS, Permission

READERS = sorted(role.value for role, held in PERMISSIONS.items() if Permission.READ in held)
"""The roles that may read what they are granted on."""
Encode = Callable[[dict[str, Any]], bytes | None]


class CompiledReads:
    """Answers reads of one schema from one graph. `types` are the types whose objects it knows, by name.

    Answers are kept where it is told which tenants are `quiet`: as many as `kept_bytes` hold.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        types: Mapping[str, NodeType],
        reader: Reader,
        quiet: Quiet | None = None,
        kept_bytes: int = KEPT_BYTES,
    ) -> None:
        self._schema = schema
        self._types = types
        self._reader = reader
        self._quiet = quiet
        self._kept = Kept(kept_bytes)

    def compiled(self, operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]) -> Compiled:
        """What is to be kept with a valid operation."""
        return Compiled(self._schema, self._types, operation, fragments)

    async def answer(
        self, compiled: Compiled, token: str, variables: Mapping[str, Any], encode: Encode
    ) -> bytes | None:
        """The data for who holds the token, as JSON; None where the executor has to answer. Raises EngineUnavailable.

        None also where the token opens no session now, which the statement itself asks, and where `encode` gives none.
        A small read goes with others of its plan that arrive at the same time.
        """
        try:
            bound = compiled.bind(variables)
            hashed = token_hash(token)
            if self._quiet is None or bound.shared:
                return await self._read(bound, hashed, encode)
            return await self._kept_answer(bound, hashed) or await self._large(self._quiet, bound, hashed, encode)
        except Uncovered:
            return None

    async def _kept_answer(self, bound: Bound, hashed: str) -> bytes | None:
        """The answer as it was kept, where the graph says that it still holds."""
        question = self._kept.find(bound.key)
        if question is None:
            return None
        row = _opened(await self._reader.run(UNMOVED, asked=[(hashed, question.feed)], readers=READERS))
        if row["head"] == question.head:
            return question.answers.get(scope_of(row[RIGHTS]))
        self._moved(bound, question)
        return None

    def _moved(self, bound: Bound, question: Question) -> None:
        assert self._quiet is not None
        self._quiet.moved(question.feed)
        self._kept.drop(bound.key)

    async def _large(self, quiet: Quiet, bound: Bound, hashed: str, encode: Encode) -> bytes | None:
        """The answer as the graph tells it now, which is kept where it may be asked for again."""
        if not self._kept.is_due(bound.key):
            return await self._read(bound, hashed, encode)
        feed = await quiet.tenant([node_id for node_id in bound.asked if node_id])
        head = quiet.head(feed) if feed else None
        if feed is None or not head:
            return await self._read(bound, hashed, encode)
        row = await self._row(bound, bound.plan.statements.kept, hashed)
        text = encode(bound.answer(row))
        if text is not None:
            self._kept.keep(bound.key, feed, head, scope_of(row[RIGHTS]), text)
        return text

    async def _read(self, bound: Bound, hashed: str, encode: Encode) -> bytes | None:
        return encode(bound.answer(await self._row(bound, bound.query, hashed)))

    async def _row(self, bound: Bound, query: Query, hashed: str) -> Row:
        asked = [(hashed, *bound.asked)]
        return _opened(await self._reader.run(query, asked=asked, readers=READERS, **bound.parameters))


def _opened(rows: list[Row]) -> Row:
    """The row of a token that opens a session now. Raises Uncovered."""
    if not rows or rows[0][UNTIL] <= clock.to_text(clock.now()):
        raise Uncovered
    return rows[0]
