"""The schema's text, and what must hold when it changes."""

import re
from collections.abc import Iterator
from datetime import date

from graphql import (
    BreakingChange,
    DirectiveNode,
    EnumTypeDefinitionNode,
    InputObjectTypeDefinitionNode,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    StringValueNode,
    build_schema,
    find_breaking_changes,
    parse,
)

_DATED = re.compile(r"\b([0-9]{4}-[0-9]{2}-[0-9]{2})\b")
LEAST_REASON = 20


def current_sdl() -> str:
    """The schema as this program has it, as text."""
    from schema.schema import build_schema as build

    return f"{build().as_str().rstrip()}\n"


def breaking_changes(old: str, new: str) -> list[str]:
    """Each change from the old schema to the new one that breaks clients, in words."""
    changes: list[BreakingChange] = find_breaking_changes(build_schema(old), build_schema(new))
    return [change.description for change in changes]


def poor_deprecations(sdl: str) -> list[str]:
    """The coordinate of each deprecation that does not tell both a date (of its end) and a reason."""
    return [coordinate for coordinate, reason in _deprecations(sdl) if not _is_told(reason)]


def _is_told(reason: str) -> bool:
    match = _DATED.search(reason)
    if match is None or len(reason) < LEAST_REASON:
        return False
    try:
        date.fromisoformat(match[1])
    except ValueError:
        return False
    return True


def _deprecations(sdl: str) -> Iterator[tuple[str, str]]:
    for definition in parse(sdl).definitions:
        if isinstance(definition, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode):
            for field in definition.fields or ():
                coordinate = f"{definition.name.value}.{field.name.value}"
                yield from _reasons(coordinate, field.directives)
                for argument in field.arguments or ():
                    yield from _reasons(f"{coordinate}({argument.name.value}:)", argument.directives)
        elif isinstance(definition, InputObjectTypeDefinitionNode):
            for field in definition.fields or ():
                yield from _reasons(f"{definition.name.value}.{field.name.value}", field.directives)
        elif isinstance(definition, EnumTypeDefinitionNode):
            for value in definition.values or ():
                yield from _reasons(f"{definition.name.value}.{value.name.value}", value.directives)


def _reasons(coordinate: str, directives: tuple[DirectiveNode, ...] | None) -> Iterator[tuple[str, str]]:
    for directive in directives or ():
        if directive.name.value == "deprecated":
            values = [argument.value for argument in directive.arguments or ()]
            yield coordinate, "".join(value.value for value in values if isinstance(value, StringValueNode))
