"""How many objects of lists a request asks for, told from the document and its variables alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLArgument,
    GraphQLCompositeType,
    GraphQLField,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    is_composite_type,
)
from graphql.utilities.coerce_input_value import coerce_default_value

ASSUMED_SIZE = 10
"""Objects of a list that has no page argument, where no `sizes` say otherwise."""
ASSUMED_PAGE = 100
"""Objects of a page whose size is not given and has no default."""
MOST = 10**12
_PAGE_ARGUMENTS = ("first", "last")
_ID_ARGUMENTS = ("ids",)

Variables = Mapping[str, Any]
Parents = list[tuple[SelectionSetNode, GraphQLCompositeType]]


@dataclass(frozen=True, slots=True)
class Size:
    """The size of a list: fixed, or that of a variable's value (an Int, or a list) when it is known."""

    fixed: int
    variable: str | None = None

    def of(self, variables: Variables) -> int:
        """The size under these variables; a value that is no size counts nothing, as it will be refused."""
        if self.variable is None or variables.get(self.variable) is None:
            return self.fixed
        value = variables[self.variable]
        if isinstance(value, list | tuple):
            return len(value)
        return max(value, 0) if isinstance(value, int) and not isinstance(value, bool) else 0


@dataclass(slots=True)
class Cost:
    """A field with a selection below it: how many objects it has, whether they count, and what lies below each."""

    size: Size = field(default_factory=lambda: Size(1))
    counts: bool = False
    below: "list[Cost]" = field(default_factory=list["Cost"])

    def nodes(self, variables: Variables) -> int:
        """Objects of lists that are asked for, here and below."""
        each = int(self.counts) + sum(cost.nodes(variables) for cost in self.below)
        return min(self.size.of(variables) * each, MOST)


def plan(
    schema: GraphQLSchema,
    fragments: Mapping[str, FragmentDefinitionNode],
    operation: OperationDefinitionNode,
    sizes: Mapping[str, int] | None = None,
) -> Cost:
    """The cost of a valid operation. `sizes` tells of lists without page arguments, by `Type.field`."""
    root = schema.get_root_type(operation.operation)
    if root is None:
        return Cost()
    planner = _Planner(schema, fragments, _defaults(operation), sizes or {})
    return Cost(below=planner.below([(operation.selection_set, root)]))


def _defaults(operation: OperationDefinitionNode) -> dict[str, ValueNode | None]:
    return {each.variable.name.value: each.default_value for each in operation.variable_definitions or ()}


class _Planner:
    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: Mapping[str, FragmentDefinitionNode],
        defaults: Mapping[str, ValueNode | None],
        sizes: Mapping[str, int],
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._defaults = defaults
        self._sizes = sizes

    def below(self, parents: Parents) -> list[Cost]:
        """A cost for each field of the answer that has a list in or below it; what is asked twice counts once."""
        costs: list[Cost] = []
        for (_, parent_name), nodes in self._merge(parents).items():
            parent = self._schema.type_map[parent_name]
            definition = getattr(parent, "fields", {}).get(nodes[0].name.value)
            if isinstance(definition, GraphQLField) and is_composite_type(get_named_type(definition.type)):
                cost = self._cost(parent, definition, nodes)
                costs += [cost] if cost.counts or cost.below else []
        return costs

    def _merge(self, parents: Parents) -> dict[tuple[str, str], list[FieldNode]]:
        groups: dict[tuple[str, str], list[FieldNode]] = {}
        visited: set[tuple[str, str]] = set()
        stack = list(parents)
        while stack:
            selection_set, parent = stack.pop()
            for each in selection_set.selections:
                if isinstance(each, FieldNode):
                    key = (each.alias or each.name).value
                    groups.setdefault((key, parent.name), []).append(each)
                elif isinstance(each, InlineFragmentNode):
                    condition = each.type_condition.name.value if each.type_condition else parent.name
                    stack.extend(self._under(each.selection_set, condition))
                elif isinstance(each, FragmentSpreadNode) and (each.name.value, parent.name) not in visited:
                    visited.add((each.name.value, parent.name))
                    fragment = self._fragments[each.name.value]
                    stack.extend(self._under(fragment.selection_set, fragment.type_condition.name.value))
        return groups

    def _under(self, selection_set: SelectionSetNode, type_name: str) -> Parents:
        named = self._schema.type_map.get(type_name)
        return [(selection_set, named)] if is_composite_type(named) else []

    def _cost(self, parent: GraphQLNamedType, definition: GraphQLField, nodes: list[FieldNode]) -> Cost:
        named = get_named_type(definition.type)
        assert is_composite_type(named), "only fields with something below them have a cost"
        below = self.below([(each.selection_set, named) for each in nodes if each.selection_set])
        size = self._page(definition, nodes[0]) or self._list(parent, definition, nodes[0])
        return Cost(size or Size(1), size is not None, below)

    def _page(self, definition: GraphQLField, node: FieldNode) -> Size | None:
        names = [name for name in _PAGE_ARGUMENTS if name in definition.args]
        if not names:
            return None
        given = {each.name.value: each.value for each in node.arguments or ()}
        chosen = next((name for name in names if name in given), names[0])
        return self._size(definition.args[chosen], given.get(chosen), ASSUMED_PAGE)

    def _list(self, parent: GraphQLNamedType, definition: GraphQLField, node: FieldNode) -> Size | None:
        # What lies inside a connection is the page that has been counted already.
        if not _is_list(definition) or parent.name.endswith("Connection"):
            return None
        given = {each.name.value: each.value for each in node.arguments or ()}
        for name in _ID_ARGUMENTS:
            if name in definition.args and name in given:
                return self._size(definition.args[name], given[name], ASSUMED_SIZE)
        return Size(self._sizes.get(f"{parent.name}.{node.name.value}", ASSUMED_SIZE))

    def _size(self, argument: GraphQLArgument, given: ValueNode | None, assumed: int) -> Size:
        default = coerce_default_value(argument)
        fixed = default if isinstance(default, int) else assumed
        if isinstance(given, VariableNode):
            name = given.name.value
            return Size(_literal(self._defaults.get(name), fixed), name)
        return Size(_literal(given, fixed))


def _literal(node: ValueNode | None, otherwise: int) -> int:
    if isinstance(node, IntValueNode):
        return max(int(node.value[:20]), 0)
    return len(node.values) if isinstance(node, ListValueNode) else otherwise


def _is_list(definition: GraphQLField) -> bool:
    inner = definition.type.of_type if isinstance(definition.type, GraphQLNonNull) else definition.type
    return isinstance(inner, GraphQLList)
