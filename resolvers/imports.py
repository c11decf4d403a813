"""Imports: seen by who asked for them, and by who may decide about the group that they import into."""

from graph.database import Row
from resolvers import cursors
from resolvers.context import Context
from resolvers.paging import PageArgs, Slice, window
from services.importing import outcomes
from services.importing.outcomes import LineOutcome, Outcome


async def find(context: Context, import_id: str) -> Row | None:
    """The import, or None where the caller may not see one of this id."""
    return await outcomes.find_visible(context.desk.database, context.caller, import_id)


async def lines(context: Context, row: Row, wanted: LineOutcome | None, args: PageArgs) -> Slice[Outcome]:
    """The lines of a visible import, or those of one outcome, in the file's order. Raises ReadRefused."""
    mark = cursors.mark_of("BulkImport.outcomes", row["id"], wanted or "")
    asked = window(args, mark, (int,))
    after = int(asked.after[0]) if asked.after else 0
    found = await outcomes.page(context.desk.database, row, after, asked.size + 1, wanted)
    shown = found[: asked.size]

    async def has_next() -> bool:
        return len(found) > asked.size

    async def has_previous() -> bool:
        return asked.after is not None

    async def total() -> int:
        return counted(row)[wanted] if wanted else row["lines"]

    marks = [cursors.write(mark, (line.number,)) for line in shown]
    return Slice(shown, marks, has_next, has_previous, total)


def counted(row: Row) -> dict[LineOutcome, int]:
    """How many lines of an import have each outcome; together they are all lines."""
    succeeded, failed = row["succeeded"], row["failed"]
    return {
        LineOutcome.SUCCEEDED: succeeded,
        LineOutcome.FAILED: failed,
        LineOutcome.UNPROCESSED: row["lines"] - succeeded - failed,
    }
