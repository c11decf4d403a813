"""Writes the API's reference, docs/reference.md, from the schema's text; or checks that the file is not stale.

    python -m scripts.make_reference docs/reference.md [--check]

Its words are those of the schema. Who may ask for a mutation, and whether it can wait for approval, is the services'.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import click
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    build_schema,
    get_named_type,
    print_ast,
)

from accountgraph.sdl import current_sdl
from scripts.who_may import who_may
from services.registry import COMMANDS

_ROOTS = ("Query", "Mutation")
_PREFACE = """# API reference

Every query, mutation and type of the API, written from `schema.graphql` by `make schema`. [The guide](api.md) says what
holds everywhere: signing in, ids, operations, problems, pages, limits.
"""
_SECTIONS: Mapping[str, type[GraphQLNamedType]] = {
    "Objects": GraphQLObjectType,
    "Interfaces": GraphQLInterfaceType,
    "Unions": GraphQLUnionType,
    "Inputs": GraphQLInputObjectType,
    "Enums": GraphQLEnumType,
    "Scalars": GraphQLScalarType,
}

Lines = Iterator[str]
Described = GraphQLField | GraphQLInputField | GraphQLArgument


def reference(sdl: str) -> str:
    """The reference of this schema as Markdown, with an anchor for each type, field and enum value."""
    schema = build_schema(sdl)
    own = {name: each for name, each in schema.type_map.items() if _is_own(each)}
    parts = [_PREFACE, *_contents(schema, own)]
    parts += [_queries(schema), _mutations(schema)]
    users = _users_of_inputs(schema)
    for title, kind in _SECTIONS.items():
        parts.append(f"## {title}\n")
        parts += [_definition(each, schema, users) for _, each in sorted(own.items()) if type(each) is kind]
    return "\n".join(parts).rstrip() + "\n"


def _is_own(named: GraphQLNamedType) -> bool:
    specified = isinstance(named, GraphQLScalarType) and named.ast_node is None
    return not named.name.startswith("__") and named.name not in _ROOTS and not specified


def _contents(schema: GraphQLSchema, own: Mapping[str, GraphQLNamedType]) -> Lines:
    for root, title in zip(_ROOTS, ("Queries", "Mutations"), strict=True):
        yield _index(title, (f"[{name}](#{root}.{name})" for name in _fields(schema, root)))
    for title, kind in _SECTIONS.items():
        yield _index(title, (f"[{name}](#{name})" for name, each in sorted(own.items()) if type(each) is kind))


def _index(title: str, links: Iterable[str]) -> str:
    return f"**[{title}](#{title.lower()})**: {', '.join(links)}.\n"


def _fields(schema: GraphQLSchema, root: str) -> Mapping[str, GraphQLField]:
    named = schema.type_map[root]
    assert isinstance(named, GraphQLObjectType)
    return named.fields


def _input_of(mutation: GraphQLField) -> GraphQLInputObjectType:
    named = get_named_type(mutation.args["input"].type)
    assert isinstance(named, GraphQLInputObjectType)
    return named


def _users_of_inputs(schema: GraphQLSchema) -> dict[str, list[str]]:
    """The mutations that take each input. The one that is taken by a single mutation stands with it."""
    users: dict[str, list[str]] = {}
    for name, field in _fields(schema, "Mutation").items():
        if "input" in field.args:
            users.setdefault(_input_of(field).name, []).append(name)
    return users


def _queries(schema: GraphQLSchema) -> str:
    parts = ["## Queries\n"]
    for name, field in _fields(schema, "Query").items():
        parts += [*_heading(f"Query.{name}", name), f"{_words(field.description)}\n", f"Answers {_type(field.type)}\n"]
        if field.args:
            parts.append(_table("argument", ((f"`{key}`", *_row(each)) for key, each in field.args.items())))
    return "\n".join(parts)


def _mutations(schema: GraphQLSchema) -> str:
    description = schema.mutation_type.description if schema.mutation_type else None
    users = _users_of_inputs(schema)
    parts = ["## Mutations\n", f"{_words(description)}\n"]
    for name, field in _fields(schema, "Mutation").items():
        parts += [*_heading(f"Mutation.{name}", name), f"{_words(field.description)}\n", *_facts(name, field)]
        if "input" in field.args:
            parts += _given(_input_of(field), users)
    return "\n".join(parts)


def _given(taken: GraphQLInputObjectType, users: Mapping[str, Sequence[str]]) -> Lines:
    if len(users[taken.name]) > 1:
        yield f"Takes [{taken.name}](#{taken.name}).\n"
        return
    yield f"{_anchor(taken.name)}`{taken.name}`: {_words(taken.description)}\n"
    yield _input_table(taken)


def _facts(name: str, field: GraphQLField) -> Lines:
    yield f"- Who may: {who_may(name)}."
    if name in COMMANDS:
        yield "- It can wait for a person's approval."
    named = get_named_type(field.type)
    if not isinstance(named, GraphQLUnionType):
        yield f"- Answers {_type(field.type)}\n"
        return
    payloads = [each.name for each in named.types if each.name.endswith("Payload")]
    problems = [each.name for each in named.types if each.name not in payloads]
    yield f"- Answers {_type(field.type)}: {_links(payloads)}."
    yield f"- Problems: {_links(problems)}.\n"


def _definition(named: GraphQLNamedType, schema: GraphQLSchema, users: Mapping[str, Sequence[str]]) -> str:
    if len(takers := users.get(named.name, ())) == 1:
        return f"- [{named.name}](#{named.name}) stands with [{takers[0]}](#Mutation.{takers[0]}).\n"
    parts = [*_heading(named.name, named.name), f"{_words(named.description)}\n"]
    if isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
        parts += _composite(named, schema)
    elif isinstance(named, GraphQLUnionType):
        parts.append(f"One of {_links(each.name for each in named.types)}.\n")
    elif isinstance(named, GraphQLInputObjectType):
        parts.append(_input_table(named))
    elif isinstance(named, GraphQLEnumType):
        rows = ((f"{_anchor(f'{named.name}.{key}')}`{key}`", _cell(each)) for key, each in named.values.items())
        parts.append(_rows(("value", "meaning"), rows))
    return "\n".join(parts)


def _composite(named: GraphQLObjectType | GraphQLInterfaceType, schema: GraphQLSchema) -> Lines:
    if named.interfaces:
        yield f"Implements {_links(each.name for each in named.interfaces)}.\n"
    if isinstance(named, GraphQLInterfaceType):
        yield f"Implemented by {_links(sorted(each.name for each in schema.get_possible_types(named)))}.\n"
    rows: list[Sequence[str]] = []
    for key, field in named.fields.items():
        rows.append((f"{_anchor(f'{named.name}.{key}')}`{key}`", *_row(field)))
        rows += [(f"`{key}({argument}:)`", *_row(each)) for argument, each in field.args.items()]
    yield _table("field", rows)


def _input_table(named: GraphQLInputObjectType) -> str:
    rows = ((f"{_anchor(f'{named.name}.{key}')}`{key}`", *_row(each)) for key, each in named.fields.items())
    return _table("field", rows)


def _heading(anchor: str, title: str) -> Lines:
    yield f"### {_anchor(anchor)}{title}\n"


def _anchor(name: str) -> str:
    return f'<a id="{name}"></a>'


def _links(names: Iterable[str]) -> str:
    return ", ".join(f"[{name}](#{name})" for name in names)


def _type(shown: object) -> str:
    """The type's own notation, with the named type in it a link."""
    text = str(shown)
    name = text.strip("[]!")
    before, _, after = text.partition(name)
    linked = name if name in ("ID", "String", "Int", "Float", "Boolean") else f"[{name}](#{name})"
    return before.replace("[", "\\[") + linked + after.replace("]", "\\]")


def _row(described: Described) -> tuple[str, str]:
    node = described.ast_node
    default = getattr(node, "default_value", None)
    return f"{_type(described.type)}{f' = `{print_ast(default)}`' if default else ''}", _cell(described)


def _cell(described: object) -> str:
    said = _words(getattr(described, "description", None))
    deprecated = getattr(described, "deprecation_reason", None)
    said = f"{said} Deprecated: {_words(deprecated)}" if deprecated else said
    return said.replace("|", "\\|")


def _words(text: str | None) -> str:
    return " ".join((text or "").split())


def _table(first: str, rows: Iterable[Sequence[str]]) -> str:
    return _rows((first, "type", "meaning"), rows)


def _rows(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join([_line(titles), _line(["---"] * len(titles)), *map(_line, rows)]) + "\n"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--check", is_flag=True, help="Compare with the file: exit 1 where it is stale.")
def main(file: Path, *, check: bool) -> None:
    """Writes the API's reference to FILE."""
    text = reference(current_sdl())
    if not check:
        file.write_text(text, encoding="utf-8")
    elif not file.exists() or file.read_text(encoding="utf-8") != text:
        click.echo(f"{file} is stale; `make schema` writes it anew", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
