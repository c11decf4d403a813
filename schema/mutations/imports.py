"""bulkImport, cancelImport and resumeImport."""

from typing import Annotated, TypeAlias, cast

import strawberry
from strawberry import ID

from graph.database import Row
from resolvers.context import Context
from schema.fields import Info
from schema.mutations import objects
from schema.mutations.answers import Given, OperationInput, UsualProblem, answer
from schema.types.bulk_import import BulkImport
from schema.types.operation import Operation
from services.importing import commands


@strawberry.input(description="A file to be imported, which was sent to /imports before.")
class BulkImportInput(OperationInput):
    """bulkImport's input."""

    group_id: ID = strawberry.field(
        description="The group that it is imported into: lines without a parent come into it, and all that lines name"
        " stands in it or below it."
    )
    upload_id: ID = strawberry.field(description="The upload, as POST /imports told it.")
    dry_run: bool = strawberry.field(
        description="Whether the lines are checked alone, and none takes effect.", default=False
    )
    skip_invalid: bool = strawberry.field(
        description="Whether the other lines take effect where some have problems. Else nothing does.", default=False
    )


@strawberry.input(description="An import under way.")
class ImportInput(OperationInput):
    """cancelImport's and resumeImport's input."""

    import_id: ID = strawberry.field(description="The import.")


@strawberry.type(description="An import, which goes on by itself once it is asked for.")
class BulkImportPayload:
    """The payload of every mutation of imports."""

    bulk_import: BulkImport | None = strawberry.field(description="The import as it is now.")
    operation: Operation = strawberry.field(description="The operation that was asked for.")


BulkImportResult: TypeAlias = Annotated[
    BulkImportPayload | UsualProblem,
    strawberry.union("BulkImportResult", description="An import, or what stands in its way."),
]


@strawberry.type
class ImportMutations:
    """The mutations of imports."""

    @strawberry.mutation(
        description="Imports groups, accounts, settings and opening balances from an uploaded file. All lines are"
        " checked first; then they are done part by part, by the rules of the single mutations. Needs the right to"
        " create in the group, and for each line the rights that its single mutations need."
    )
    async def bulk_import(self, info: Info, given: Given[BulkImportInput]) -> BulkImportResult:
        """Imports a file."""
        return await answer(info.context, commands.BulkImport, given, _payload)

    @strawberry.mutation(
        description="Stops an import. What took effect stays, and the rest can be gone on with. Needs the right to"
        " create in its group."
    )
    async def cancel_import(self, info: Info, given: Given[ImportInput]) -> BulkImportResult:
        """Stops an import."""
        return await answer(info.context, commands.CancelImport, given, _payload)

    @strawberry.mutation(
        description="Goes on with an import that was cancelled. Who asked for it may, with the right to create in its"
        " group."
    )
    async def resume_import(self, info: Info, given: Given[ImportInput]) -> BulkImportResult:
        """Goes on with an import."""
        return await answer(info.context, commands.ResumeImport, given, _payload)


async def _payload(context: Context, operation: Row) -> BulkImportPayload:
    found = await objects.node(context, operation["payload"].get("import"))
    return BulkImportPayload(bulk_import=cast("BulkImport | None", found), operation=objects.operation(operation))
