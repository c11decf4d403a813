"""Inputs as they were given: any JSON, and fields that say something else when they are absent than when null."""

from typing import Annotated, Any

from pydantic import PlainSerializer, SerializerFunctionWrapHandler, model_serializer

from services.commands import Command, PlanT
from services.settings.json_limits import Json, Limits, check_json

# Wider than every field's own limits: what lies beyond is refused before it is stored.
_COMPARABLE = Limits(size=2**20, depth=64, keys=2**16, key_length=2**16)


def _comparable(value: Any) -> Json:
    return "beyond every limit" if check_json(value, _COMPARABLE, ()) else value


JsonInput = Annotated[Any, PlainSerializer(_comparable, return_type=Any)]
"""Any JSON value, untouched until it is checked; one that could not be stored is dumped as a word in its place."""


class Partial(Command[PlanT]):
    """A command in which an absent field differs from null: absent ones are not in what is stored or compared."""

    @model_serializer(mode="wrap")
    def _given(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields: dict[str, Any] = serialize(self)
        return {name: value for name, value in fields.items() if value is not None or self.gives(name)}

    def gives(self, field: str) -> bool:
        """Whether the caller gave the field, be it as null."""
        return field in self.model_fields_set
