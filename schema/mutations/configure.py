"""configure."""

from typing import Annotated, TypeAlias

import strawberry
from strawberry import ID, UNSET

from graph.database import Row
from resolvers.context import Context
from schema.fields import Info
from schema.mutations import objects
from schema.mutations.answers import Given, OperationInput, UsualProblem, answer
from schema.scalars import JSON
from schema.types.operation import Operation
from schema.types.setting import Setting
from services.configuring import Configure


@strawberry.input(description="Settings of a group, an account or a template; null removes the override.")
class ConfigureInput(OperationInput):
    """configure's input."""

    id: ID = strawberry.field(description="The group, the account or the template.")
    settings: JSON = strawberry.field(
        description="An object of new values by the settings' dotted keys. A null value removes the node's own."
    )
    lock: list[str] | None = strawberry.field(
        description="Keys that a group locks: nothing below it may set them.", default=UNSET
    )
    unlock: list[str] | None = strawberry.field(description="Keys that a group locks no more.", default=UNSET)
    metadata_schema: JSON | None = strawberry.field(
        description="A JSON Schema that a group sets for the metadata of the accounts below it; null removes it.",
        default=UNSET,
    )


@strawberry.type(description="The settings after the change.")
class ConfigurePayload:
    """configure's payload."""

    settings: list[Setting] | None = strawberry.field(
        description="Every setting in force on the node, a template's own; null while it waits for approval."
    )
    operation: Operation = strawberry.field(description="The operation that sets them.")


ConfigureResult: TypeAlias = Annotated[
    ConfigurePayload | UsualProblem,
    strawberry.union("ConfigureResult", description="Settings, or what stands in their way."),
]


@strawberry.type
class ConfigureMutation:
    """configure."""

    @strawberry.mutation(
        description="Sets settings on a group, an account or a template. Needs the right to configure it."
    )
    async def configure(self, info: Info, given: Given[ConfigureInput]) -> ConfigureResult:
        """Sets settings."""
        return await answer(info.context, Configure, given, _payload)


async def _payload(context: Context, operation: Row) -> ConfigurePayload:
    settings = await objects.settings(context, operation["payload"].get("settings"))
    return ConfigurePayload(settings=settings, operation=objects.operation(operation))
