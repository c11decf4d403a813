"""The reference of the API: complete, word for word, and right about who may."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from graphql import (
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    build_schema,
    introspection_types,
)

from accountgraph.sdl import current_sdl
from scripts import who_may
from scripts.make_reference import main, reference
from tests.schema.test_roles import MUTATIONS

SDL = '''
"""What is read."""
type Query {
  """Things, | by their size."""
  things(
    """How many."""
    first: Int = 3
  ): [Thing!]!
}

"""A thing."""
interface Thing {
  """Its size, in
  metres."""
  size: Int @deprecated(reason: "Use height; it goes on 2027-06-30.")
}

"""A box."""
type Box implements Thing {
  size: Int
  lid: Lid
}

"""How it shuts."""
enum Lid {
  """With a click."""
  HINGED
}

"""What is changed."""
type Mutation {
  """Moves it."""
  move(input: MoveInput!): MoveResult!
}

input MoveInput {
  """Where to."""
  to: [Lid!] = [HINGED]
}

union MoveResult = MovePayload | Stuck

type MovePayload { box: Box }

type Stuck { why: String }
'''


def test_a_small_schema_reads_as_it_should() -> None:
    text = reference(SDL)
    for line in (
        '### <a id="Query.things"></a>things\n\nThings, | by their size.\n\nAnswers \\[[Thing](#Thing)!\\]!\n',
        "| `first` | Int = `3` | How many. |",
        '| <a id="Thing.size"></a>`size` | Int | Its size, in metres. Deprecated: Use height; it goes on 2027-06-30. |',
        "Implemented by [Box](#Box).",
        "Implements [Thing](#Thing).",
        '| <a id="Lid.HINGED"></a>`HINGED` | With a click. |',
        "- It can wait for a person's approval.\n- Answers [MoveResult](#MoveResult)!: [MovePayload](#MovePayload).\n",
        "- Problems: [Stuck](#Stuck).\n",
        '| <a id="MoveInput.to"></a>`to` | \\[[Lid](#Lid)!\\] = `[HINGED]` | Where to. |',
        "- [MoveInput](#MoveInput) stands with [move](#Mutation.move).",
    ):
        assert line in text


def test_it_has_all_of_the_schema_once() -> None:
    text, schema = reference(current_sdl()), build_schema(current_sdl())
    for name, named in schema.type_map.items():
        if name in introspection_types or name in ("ID", "String", "Int", "Float", "Boolean", "Query", "Mutation"):
            continue
        assert text.count(f'<a id="{name}"></a>') == 1, name
        if isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
            for key in named.fields:
                assert text.count(f'<a id="{name}.{key}"></a>') == 1, f"{name}.{key}"
    for root in ("Query", "Mutation"):
        named = schema.type_map[root]
        assert isinstance(named, GraphQLObjectType)
        for key, field in named.fields.items():
            assert f'<a id="{root}.{key}"></a>{key}\n\n{" ".join((field.description or "").split())}\n' in text


@pytest.mark.parametrize("mutation", sorted(MUTATIONS))
def test_who_may_is_who_may(mutation: str) -> None:
    allowed, _ = MUTATIONS[mutation]
    roles = who_may.roles_of(mutation) if mutation in who_may.RIGHTS else []
    assert {*roles, "administrator"} == allowed
    assert (mutation in who_may.ADMINISTRATOR) == (not roles)


def test_what_founds_a_tenant_can_go_without_a_parent() -> None:
    inputs = build_schema(current_sdl()).type_map
    founding: set[str] = set()
    for mutation in MUTATIONS:
        named = inputs.get(f"{mutation[0].upper()}{mutation[1:]}Input")
        if isinstance(named, GraphQLInputObjectType) and "parentId" in named.fields:
            founding |= set() if isinstance(named.fields["parentId"].type, GraphQLNonNull) else {mutation}
    assert founding == who_may.FOUNDING


def test_the_file_is_kept_and_its_staleness_told(tmp_path: Path) -> None:
    file = tmp_path / "reference.md"
    assert CliRunner().invoke(main, [str(file), "--check"]).exit_code == 1
    assert CliRunner().invoke(main, [str(file)]).exit_code == 0
    assert CliRunner().invoke(main, [str(file), "--check"]).exit_code == 0
    file.write_text(file.read_text() + "More.\n")
    told = CliRunner().invoke(main, [str(file), "--check"])
    assert (told.exit_code, "is stale" in told.output) == (1, True)
