"""The schema keeps the contract: every name, argument, default and nullability of core.graphql is there."""

from pathlib import Path

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    build_schema,
    is_introspection_type,
    is_specified_scalar_type,
    print_ast,
)

from schema.schema import build_schema as build

CONTRACT = build_schema((Path(__file__).parent / "core.graphql").read_text("utf-8"))
OURS = build_schema(build().as_str())
# What fork and merge, the audit record and the change feed bring with them.
LATER = {
    *("Direction", "Fork", "ForkEdge", "ForkConnection", "ForkMode", "ForkInheritance", "ForkPreview"),
    *("ForkAccountInput", "ForkPositionInput", "ForkAccountPayload", "ForkAccountResult"),
    *("Merge", "MergeEdge", "MergeConnection", "MergePreview", "MergeConflict", "MergeAccountsInput"),
    *("MergeAccountsPayload", "MergeAccountsResult", "PositionPolicy", "ReconcileRule"),
    *("Lineage", "LineageKind", "LineageEdge"),
    *("Change", "ChangeKind", "Subscription"),
    *("AuditRecord", "AuditEdge", "AuditConnection", "AuditVerification"),
}
LATER_FIELDS = {
    *(f"Account.{name}" for name in ("forkedFrom", "forks", "mergedInto", "mergedFrom", "lineage")),
    *(f"Query.{name}" for name in ("forkPreview", "mergePreview", "audit", "verifyAudit")),
    *(f"Mutation.{name}" for name in ("forkAccount", "mergeAccounts")),
}


def own_types(schema: GraphQLSchema) -> dict[str, GraphQLNamedType]:
    return {
        name: each
        for name, each in schema.type_map.items()
        if not is_introspection_type(each) and not is_specified_scalar_type(each)
    }


def asked() -> dict[str, GraphQLNamedType]:
    return {name: each for name, each in own_types(CONTRACT).items() if name not in LATER}


def default_of(given: GraphQLArgument | GraphQLInputField) -> str | None:
    value = given.ast_node.default_value if given.ast_node else None
    return None if value is None else print_ast(value)


def argument_of(argument: GraphQLArgument) -> tuple[str, str | None]:
    return str(argument.type), default_of(argument)


def test_every_type_is_there_as_the_same_kind() -> None:
    ours = OURS.type_map
    missing = [name for name, each in asked().items() if type(ours.get(name)) is not type(each)]
    assert missing == []


def test_every_field_has_its_type_and_arguments() -> None:
    wrong: list[str] = []
    for name, each in asked().items():
        if not isinstance(each, GraphQLObjectType | GraphQLInterfaceType):
            continue
        ours = OURS.type_map[name]
        assert isinstance(ours, GraphQLObjectType | GraphQLInterfaceType)
        for field_name, field in each.fields.items():
            if f"{name}.{field_name}" in LATER_FIELDS:
                continue
            mine = ours.fields.get(field_name)
            if mine is None or str(mine.type) != str(field.type):
                wrong.append(f"{name}.{field_name}: {field.type}, not {mine and mine.type}")
                continue
            for argument_name, argument in field.args.items():
                given = mine.args.get(argument_name)
                if given is None or argument_of(given) != argument_of(argument):
                    wrong.append(f"{name}.{field_name}({argument_name}:)")
    assert wrong == []


def test_no_field_of_the_contract_asks_for_more_than_it_says() -> None:
    for name, each in asked().items():
        if isinstance(each, GraphQLObjectType):
            ours = OURS.type_map[name]
            assert isinstance(ours, GraphQLObjectType)
            for field_name, field in each.fields.items():
                if f"{name}.{field_name}" in LATER_FIELDS or field_name not in ours.fields:
                    continue
                further = set(ours.fields[field_name].args) - set(field.args)
                for argument_name in further:
                    assert not str(ours.fields[field_name].args[argument_name].type).endswith("!")


def test_every_input_field_has_its_type_and_default() -> None:
    wrong: list[str] = []
    for name, each in asked().items():
        if not isinstance(each, GraphQLInputObjectType):
            continue
        ours = OURS.type_map[name]
        assert isinstance(ours, GraphQLInputObjectType)
        for field_name, field in each.fields.items():
            mine = ours.fields.get(field_name)
            if mine is None or str(mine.type) != str(field.type):
                wrong.append(f"{name}.{field_name}: {field.type}, not {mine and mine.type}")
            elif default_of(mine) != default_of(field):
                wrong.append(f"{name}.{field_name} has another default")
        required = {key for key, one in ours.fields.items() if str(one.type).endswith("!")}
        assert required <= set(each.fields), name
    assert wrong == []


def test_every_enum_has_the_same_values() -> None:
    for name, each in asked().items():
        if isinstance(each, GraphQLEnumType):
            ours = OURS.type_map[name]
            assert isinstance(ours, GraphQLEnumType)
            assert list(ours.values) == list(each.values), name


def test_every_union_has_its_members_and_every_interface_its_types() -> None:
    for name, each in asked().items():
        ours = OURS.type_map[name]
        if isinstance(each, GraphQLUnionType):
            assert isinstance(ours, GraphQLUnionType)
            assert {one.name for one in each.types} <= {one.name for one in ours.types}, name
        if isinstance(each, GraphQLInterfaceType):
            assert isinstance(ours, GraphQLInterfaceType)
            here = {one.name for one in CONTRACT.get_possible_types(each)} - LATER
            assert here <= {one.name for one in OURS.get_possible_types(ours)}, name


def test_the_scalars_are_ours_and_described() -> None:
    for name in ("DateTime", "Date", "Decimal", "JSON"):
        assert isinstance(OURS.type_map[name], GraphQLScalarType)


def test_everything_is_described() -> None:
    silent: list[str] = []
    for name, each in own_types(OURS).items():
        if not each.description:
            silent.append(name)
        if isinstance(each, GraphQLEnumType):
            silent += [f"{name}.{value}" for value, one in each.values.items() if not one.description]
        if isinstance(each, GraphQLObjectType | GraphQLInterfaceType):
            for field_name, field in each.fields.items():
                if not field.description:
                    silent.append(f"{name}.{field_name}")
                silent += [f"{name}.{field_name}({key}:)" for key, one in field.args.items() if not one.description]
        if isinstance(each, GraphQLInputObjectType):
            silent += [f"{name}.{key}" for key, one in each.fields.items() if not one.description]
    assert silent == []
