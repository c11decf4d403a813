"""Imports as clients see them."""

from typing import Annotated

import strawberry
from strawberry import UNSET

from graph.database import Row
from graph.ids import Kind
from resolvers import imports, nodes
from resolvers import operations as resolved
from schema.enums import ImportOutcome, ImportPhase
from schema.fields import After, First, Info, described, given, page_args
from schema.problems import Problem, stored
from schema.scalars import DateTime
from schema.types.node import Node, node_of, register
from schema.types.operation import Operation, operation
from schema.types.page import Connection, connection
from services.importing.outcomes import LineOutcome, Outcome


@strawberry.type(description="A line of an import, and what became of it.")
class ImportLine:
    """A line of an import, from its outcome."""

    node_id: strawberry.Private[str | None]
    number: int = strawberry.field(
        description="Its place in the file, from 1 on; empty lines and the header of a CSV file do not count."
    )
    line_id: str | None = strawberry.field(description="The id that the file gives it; null where it gives none.")
    outcome: ImportOutcome = strawberry.field(description="What became of it.")
    problems: list[Problem] = strawberry.field(description="What is wrong with it, by the names of its fields.")

    @described
    async def node(self, info: Info) -> Node | None:
        """The node that it made or changed; null while there is none, and where the viewer may not see it."""
        found = await nodes.find(info.context, self.node_id) if self.node_id else None
        return None if found is None else node_of(*found)


@strawberry.type(
    description="An import of groups, accounts, settings and opening balances from a file. Its counts always sum to"
    " its lines."
)
class BulkImport(Node):
    """An import, from its node's properties."""

    row: strawberry.Private[Row]
    phase: ImportPhase = strawberry.field(description="How far it is.")
    dry_run: bool = strawberry.field(description="Whether its lines are checked alone, and none takes effect.")
    skip_invalid: bool = strawberry.field(
        description="Whether the other lines take effect where some have problems. Else nothing does."
    )
    created_at: DateTime = strawberry.field(description="When it was asked for.")
    lines: int = strawberry.field(description="How many lines it has.")
    checked: int = strawberry.field(description="How many lines were checked so far.")
    succeeded: int = strawberry.field(description="How many lines took effect.")
    failed: int = strawberry.field(description="How many lines have problems.")
    unprocessed: int = strawberry.field(description="How many lines neither took effect nor have problems.")

    @described
    async def operation(self, info: Info) -> Operation:
        """The operation that asked for it, whose state tells whether it is at work."""
        found = await resolved.find(info.context, self.row["operation"])
        assert found is not None, "whoever sees an import sees its group, which its operation names"
        return operation(found)

    @described
    async def outcomes(
        self,
        info: Info,
        first: First = UNSET,
        after: After = UNSET,
        outcome: Annotated[
            ImportOutcome | None, strawberry.argument(description="Only lines of which this became.")
        ] = UNSET,
    ) -> Connection[ImportLine]:
        """What became of its lines, in the file's order."""
        only = given(outcome)
        wanted = LineOutcome(only.value) if only is not None else None
        return connection(await imports.lines(info.context, self.row, wanted, page_args(first, after)), _line)


def bulk_import(row: Row) -> BulkImport:
    """The import with these properties."""
    counts = imports.counted(row)
    return BulkImport(
        id=row["id"],
        row=row,
        phase=ImportPhase(row["phase"]),
        dry_run=row["dryRun"],
        skip_invalid=row["skipInvalid"],
        created_at=row["createdAt"],
        lines=row["lines"],
        checked=row["checked"],
        succeeded=counts[LineOutcome.SUCCEEDED],
        failed=counts[LineOutcome.FAILED],
        unprocessed=counts[LineOutcome.UNPROCESSED],
    )


def _line(line: Outcome) -> ImportLine:
    return ImportLine(
        node_id=line.node,
        number=line.number,
        line_id=line.line_id,
        outcome=ImportOutcome(line.outcome.value),
        problems=[stored(problem) for problem in line.problems],
    )


register(Kind.IMPORT, BulkImport, bulk_import)
