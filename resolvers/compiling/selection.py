"""From an operation's selection to what is read of the graph: the fields of each object, as the executor collects them.

The fields are collected by the executor's own functions, so that fragments, directives and merged selections mean the
same, and keys stand in the same order.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from graphql import (
    FragmentDefinitionNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    get_named_type,
    is_leaf_type,
)
from graphql.execution.collect_fields import FieldDetailsList, FragmentDetails, collect_fields, collect_subfields
from graphql.execution.values import VariableValues

from graph.compiled import ListRead, NodeRead, RootRead
from resolvers.compiling.fields import Children, NodeType, Uncovered, Value

MOST_FIELDS = 300
"""How many fields a plan has at most: it bounds the memory of the plans that are kept."""
TYPENAME = "__typename"
ROOT_LABELS = {"account": ("Account",), "group": ("Group",), "node": ("Account", "Group")}


@dataclass(slots=True)
class Field:
    """A field of the answer under its key. `definition` is None for __typename."""

    key: str
    name: str
    details: FieldDetailsList
    definition: GraphQLField | None


Constant = str
"""A value that is the same in every answer."""


@dataclass(slots=True)
class Made:
    """A value that is made of properties; `parts` are the fields that are asked of it, where it has any."""

    value: Value
    definition: GraphQLField
    parts: list[tuple[str, Constant | Field]] | None = None


@dataclass(slots=True)
class Above:
    """The group that a node stands in."""

    node: "Node"


@dataclass(slots=True)
class Page:
    """A page of nodes: what is asked of the connection, of its edges and of its page info, by key."""

    asked: Field
    children: Children
    read: ListRead
    number: int
    """Which of the operation's pages it is."""
    root: RootRead | None = None
    """The root whose list it is, where it is of one: of no other the id is known before."""
    entries: "list[tuple[str, Constant | Total | Node | Edges | Info]]" = field(default_factory=list)


@dataclass(slots=True)
class Total:
    """How many nodes the whole list has."""


@dataclass(slots=True)
class Edges:
    """What is asked of each edge; a Field is the cursor."""

    entries: "list[tuple[str, Constant | Field | Node]]"


@dataclass(slots=True)
class Info:
    """What is asked of the page info."""

    entries: list[tuple[str, Constant | Field]]


@dataclass(slots=True)
class Node:
    """What is asked of a node that is read."""

    read: NodeRead
    entries: list[tuple[str, Constant | Made | Above | Page]]


@dataclass(slots=True)
class Root:
    """A field of the query: a node by its id, of one of these types."""

    asked: Field
    reads: dict[str, tuple[RootRead, Node]]


class Selecting:
    """Reads one operation's selection under given variables. Raises Uncovered for what the compiler does not know."""

    def __init__(
        self,
        schema: GraphQLSchema,
        types: Mapping[str, NodeType],
        operation: OperationDefinitionNode,
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: VariableValues,
    ) -> None:
        self._schema = schema
        self._types = types
        self._operation = operation
        self._fragments = {name: FragmentDetails(each) for name, each in fragments.items()}
        self._variables = variables
        self._fields = 0
        self._roots: dict[int, RootRead] = {}
        self.pages: list[Page] = []

    def roots(self) -> list[tuple[str, Constant | Root]]:
        """The fields of the query, by key."""
        query = self._schema.query_type
        assert query is not None
        found = collect_fields(self._schema, self._fragments, self._variables, query, self._operation, True)  # noqa: FBT003
        return [
            (each.key, query.name if each.definition is None else self._root(each))
            for each in self._counted(query, found.grouped_field_set)
        ]

    def _root(self, asked: Field) -> Root:
        if asked.name not in ROOT_LABELS:
            raise Uncovered
        reads: dict[str, tuple[RootRead, Node]] = {}
        for label in ROOT_LABELS[asked.name]:
            read = NodeRead(self._types[label].label, ["id"])
            self._roots[id(read)] = root = RootRead(read)
            reads[label] = (root, self._node(asked, label, read))
        return Root(asked, reads)

    def _node(self, asked: Field, type_name: str, read: NodeRead) -> Node:
        return Node(read, [(each.key, self._of_node(each, type_name, read)) for each in self._below(asked, type_name)])

    def _of_node(self, asked: Field, type_name: str, read: NodeRead) -> Constant | Made | Above | Page:
        known = self._types[type_name]
        if asked.definition is None:
            return type_name
        if value := known.values.get(asked.name):
            read.needs(*value.properties)
            return Made(value, asked.definition, self._parts(asked, asked.definition))
        if children := known.children.get(asked.name):
            return self._page(asked, children, read)
        if asked.name != "parent":
            raise Uncovered
        read.needs("id")
        read.above = read.above or NodeRead("Group", ["id"])
        return Above(self._node(asked, "Group", read.above))

    def _parts(self, asked: Field, definition: GraphQLField) -> list[tuple[str, Constant | Field]] | None:
        named = get_named_type(definition.type)
        return None if is_leaf_type(named) else self._leaves(asked, named.name)

    def _leaves(self, asked: Field, type_name: str) -> list[tuple[str, Constant | Field]]:
        below = self._below(asked, type_name)
        return [(each.key, type_name if each.definition is None else each) for each in below]

    def _page(self, asked: Field, children: Children, above: NodeRead) -> Page:
        given = {each.name.value for each in asked.details[0].node.arguments or ()}
        read = ListRead(NodeRead(children.label, ["createdAt", "id"]), children.ordering, follows="after" in given)
        above.needs("id")
        above.below.append(read)
        page = Page(asked, children, read, len(self.pages), self._roots.get(id(above)))
        self.pages.append(page)
        name = f"{children.label}Connection"
        for each in self._below(asked, name):
            page.entries.append((each.key, self._of_page(each, name, page)))
        return page

    def _of_page(self, asked: Field, type_name: str, page: Page) -> Constant | Total | Node | Edges | Info:
        if asked.definition is None:
            return type_name
        if asked.name == "totalCount":
            page.read.counted = True
            return Total()
        if asked.name == "nodes":
            return self._node(asked, page.children.label, page.read.node)
        if asked.name == "edges":
            return Edges(list(self._of_edges(asked, f"{page.children.label}Edge", page)))
        if asked.name == "pageInfo":
            return Info(self._leaves(asked, "PageInfo"))
        raise Uncovered

    def _of_edges(self, asked: Field, type_name: str, page: Page) -> Iterator[tuple[str, Constant | Field | Node]]:
        for each in self._below(asked, type_name):
            if each.definition is None:
                yield each.key, type_name
            elif each.name == "node":
                yield each.key, self._node(each, page.children.label, page.read.node)
            else:
                yield each.key, each

    def _below(self, asked: Field, type_name: str) -> list[Field]:
        found = self._schema.type_map[type_name]
        assert isinstance(found, GraphQLObjectType)
        collected = collect_subfields(
            self._schema, self._fragments, self._variables, self._operation, found, asked.details, hide_suggestions=True
        )
        return list(self._counted(found, collected.grouped_field_set))

    def _counted(self, parent: GraphQLObjectType, found: Mapping[str, FieldDetailsList]) -> Iterator[Field]:
        self._fields += len(found)
        if self._fields > MOST_FIELDS:
            raise Uncovered
        for key, details in found.items():
            name = details[0].node.name.value
            # The root's introspection fields have no definition of the parent's own, and are not known here.
            definition = None if name == TYPENAME else parent.fields.get(name)
            if definition is None and name != TYPENAME:
                raise Uncovered
            yield Field(key, name, details, definition)
