"""createTemplate and updateTemplate."""

from typing import Annotated, TypeAlias

import strawberry
from strawberry import ID

from graph.database import Row
from resolvers.context import Context
from schema.fields import Info
from schema.mutations import objects
from schema.mutations.answers import Given, OperationInput, UsualProblem, VersionProblem, answer
from schema.scalars import JSON
from schema.types.operation import Operation
from schema.types.template import Template
from services.templates import CreateTemplate, UpdateTemplate


@strawberry.input(description="A new template.")
class CreateTemplateInput(OperationInput):
    """createTemplate's input."""

    name: str = strawberry.field(description="Its name: 1 to 200 characters without control characters.")
    parent_id: ID = strawberry.field(description="The group that defines it.")
    settings: JSON = strawberry.field(description="Its settings: an object of values by the settings' dotted keys.")


@strawberry.type(description="The template that was created.")
class CreateTemplatePayload:
    """createTemplate's payload."""

    template: Template = strawberry.field(description="The new template.")
    operation: Operation = strawberry.field(description="The operation that created it.")


CreateTemplateResult: TypeAlias = Annotated[
    CreateTemplatePayload | UsualProblem,
    strawberry.union("CreateTemplateResult", description="A new template, or what stands in its way."),
]


@strawberry.input(description="Another name for a template.")
class UpdateTemplateInput(OperationInput):
    """updateTemplate's input."""

    id: ID = strawberry.field(description="The template.")
    version: int = strawberry.field(description="The version of the template that the caller saw.")
    name: str = strawberry.field(description="Its new name: 1 to 200 characters without control characters.")


@strawberry.type(description="The template that was changed.")
class UpdateTemplatePayload:
    """updateTemplate's payload."""

    template: Template | None = strawberry.field(
        description="The template; null while its operation waits for approval."
    )
    operation: Operation = strawberry.field(description="The operation that changed it.")


UpdateTemplateResult: TypeAlias = Annotated[
    UpdateTemplatePayload | VersionProblem,
    strawberry.union("UpdateTemplateResult", description="A changed template, or what stands in its way."),
]


@strawberry.type
class TemplateMutations:
    """The mutations of templates."""

    @strawberry.mutation(
        description="Creates a template in a group; accounts of the tenant use it. Needs the right to create there."
    )
    async def create_template(self, info: Info, given: Given[CreateTemplateInput]) -> CreateTemplateResult:
        """Creates a template."""
        return await answer(info.context, CreateTemplate, given, _created)

    @strawberry.mutation(description="Renames a template; `configure` sets its settings. Needs the right to update it.")
    async def update_template(self, info: Info, given: Given[UpdateTemplateInput]) -> UpdateTemplateResult:
        """Renames a template."""
        return await answer(info.context, UpdateTemplate, given, _updated)


async def _created(context: Context, operation: Row) -> CreateTemplatePayload:
    template = await objects.required(objects.template(context, operation["payload"].get("template")))
    return CreateTemplatePayload(template=template, operation=objects.operation(operation))


async def _updated(context: Context, operation: Row) -> UpdateTemplatePayload:
    template = await objects.template(context, operation["payload"].get("template"))
    return UpdateTemplatePayload(template=template, operation=objects.operation(operation))
