"""The plan of an operation: one statement and the functions that make the answer of its rows, compiled once.

An operation has a plan for each way that its @skip and @include may fall out; page sizes and ids are bound for each
request.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from graphql import (
    GRAPHQL_MAX_INT,
    GRAPHQL_MIN_INT,
    DirectiveNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLID,
    GraphQLInt,
    GraphQLNonNull,
    GraphQLSchema,
    Node,
    OperationDefinitionNode,
    VariableNode,
)
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource, get_argument_values, get_variable_values

from graph import compiled
from graph.compiled import NodeRead, RootRead, Statements
from graph.ids import Kind, kind_of
from graph.query import Query
from resolvers import cursors
from resolvers.compiling.fields import NodeType, Uncovered
from resolvers.compiling.selection import Field, Page, Selecting
from resolvers.compiling.shaping import Shape, node_shape
from resolvers.paging import PageArgs, window
from resolvers.refusals import ReadRefused

MOST_PLANS = 4
"""How many ways of an operation's @skip and @include are kept; a further one is left to the executor."""
MOST_SHARED = 32
"""A read that may have more nodes than this has a statement of its own: others shall not wait for it."""
Rows = Mapping[str, list[Any]]
_LABELS: dict[Kind | None, str] = {Kind.ACCOUNT: "Account", Kind.GROUP: "Group"}


@dataclass(frozen=True, slots=True)
class RootPlan:
    """A field of the query, and for each type that its node may be of, what is read and how it is shown."""

    key: str
    asked: Field
    types: Mapping[str, tuple[RootRead, Shape]]


@dataclass(frozen=True, slots=True)
class Bound:
    """A plan with the values of one request."""

    plan: "Plan"
    asked: tuple[str, ...]
    """The ids of the roots, in the order of the statement."""
    parameters: dict[str, Any]
    """The sizes of the pages, and where they begin."""
    shared: bool
    """Whether it goes with others of its plan; one that does not is large."""
    labels: Sequence[str]
    """The type of each root's node, as its id tells it."""
    sizes: Sequence[int]

    @property
    def query(self) -> Query:
        """The statement to run."""
        return self.plan.statements.shared if self.shared else self.plan.statements.alone

    @property
    def key(self) -> Hashable:
        """What is equal for equal questions of equal form alone."""
        return self.plan.number, self.asked, tuple(self.parameters.items())

    def answer(self, row: Rows) -> dict[str, Any]:
        """The answer's data. Raises Uncovered where a node is not there, or is none that the viewer sees."""
        labels = iter(self.labels)
        return {key: self._root(root, next(labels), row) if root else text for key, root, text in self.plan.entries}

    def _root(self, root: RootPlan, label: str, row: Rows) -> Any:
        read, shape = root.types[label]
        found = row[read.name]
        # A walk up to the viewer's scope may end too early while something moves: the executor makes sure.
        if not found:
            raise Uncovered
        return shape(found[0], self.sizes)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked of the graph, and how the answer is made of it."""

    statements: Statements
    reads: Sequence[RootRead]
    entries: Sequence[tuple[str, RootPlan | None, str]]
    """The answer's keys, each with its root, or with its text."""
    pages: Sequence[Page]
    number: int = field(default_factory=count().__next__)
    """Its own alone in this process."""

    def bind(self, variables: VariableValues) -> Bound:
        """The plan for these variables. Raises Uncovered for arguments that it does not take, and wrong ones."""
        asked = [""] * len(self.reads)
        labels = [_bind_root(root, variables, asked) for _, root, _ in self.entries if root is not None]
        parameters: dict[str, Any] = {}
        sizes = [_bind_page(page, variables, asked, parameters) for page in self.pages]
        small = not sizes or sum(_nodes(read.node, parameters) for read in self.reads) <= MOST_SHARED
        return Bound(self, tuple(asked), parameters, small, labels, sizes)


def _nodes(read: NodeRead, sizes: Mapping[str, int]) -> int:
    """How many nodes a read has at most."""
    above = _nodes(read.above, sizes) if read.above else 0
    return 1 + above + sum(sizes[f"{page.name}_limit"] * _nodes(page.node, sizes) for page in read.below)


def _bind_root(root: RootPlan, variables: VariableValues, asked: list[str]) -> str:
    node_id = _arguments(root.asked, variables)["id"]
    label = _LABELS.get(kind_of(node_id), "")
    if label not in root.types:
        raise Uncovered
    asked[root.types[label][0].place - 1] = node_id
    return label


def _bind_page(page: Page, variables: VariableValues, asked: Sequence[str], parameters: dict[str, Any]) -> int:
    given = {name: value for name, value in _arguments(page.asked, variables).items() if value is not None}
    first, after = given.pop("first", None), given.pop("after", None)
    if given.pop("subtree", False) or given or (after is not None and page.root is None):
        raise Uncovered
    ordering, name = page.children.ordering, page.read.name
    mark = cursors.mark_of(page.children.name, asked[page.root.place - 1], ordering.name) if page.root and after else ""
    found = window(PageArgs(first=first, after=after, size=page.children.size), mark, ordering.types)
    parameters[f"{name}_limit"] = found.size + 1
    if page.read.follows:
        keys = found.after or (None,) * len(ordering.keys)
        parameters |= {f"{name}_a{number}": key for number, key in enumerate(keys)}
    return found.size


def _arguments(asked: Field, variables: VariableValues) -> dict[str, Any]:
    assert asked.definition is not None
    return get_argument_values(asked.definition, asked.details[0].node, variables)


@dataclass(slots=True)
class Compiled:
    """An operation, with the plans that were made of it so far."""

    schema: GraphQLSchema
    types: Mapping[str, NodeType]
    operation: OperationDefinitionNode
    fragments: Mapping[str, FragmentDefinitionNode]
    conditions: Sequence[str] = ()
    """The variables that decide what is skipped and included."""
    signatures: Sequence[GraphQLVariableSignature] = ()
    plans: dict[tuple[Any, ...], Plan | None] = field(default_factory=dict[tuple[Any, ...], Plan | None])

    def __post_init__(self) -> None:
        nodes: list[Node] = [self.operation, *self.fragments.values()]
        self.conditions = sorted({name for node in nodes for name in _conditions(node)})
        found = [get_variable_signature(self.schema, each) for each in self.operation.variable_definitions or ()]
        self.signatures = [each for each in found if not isinstance(each, GraphQLError)]
        assert len(self.signatures) == len(found), "a valid operation's variables have input types"

    def bind(self, given: Mapping[str, Any]) -> Bound:
        """The plan for the variables of a request. Raises Uncovered where the executor has to answer it."""
        if self.plans == {(): None}:
            raise Uncovered  # known without the variables, which the executor has to look at anyhow
        variables = self._plain(given) or self._coerced(given)
        plan = self._plan(variables)
        if plan is None:
            raise Uncovered
        try:
            return plan.bind(variables)
        except (GraphQLError, ReadRefused):
            raise Uncovered from None

    def _plain(self, given: Mapping[str, Any]) -> VariableValues | None:
        """The values of variables that are taken as they are given; None where one is of another sort."""
        sources = {each.name: VariableValueSource(each, given.get(each.name)) for each in self.signatures}
        if not all(_as_given(source.signature.type, source.value) for source in sources.values()):
            return None
        return VariableValues(sources, {name: source.value for name, source in sources.items()})

    def _coerced(self, given: Mapping[str, Any]) -> VariableValues:
        definitions = self.operation.variable_definitions or ()
        variables = get_variable_values(self.schema, definitions, dict(given))
        if not isinstance(variables, VariableValues):
            raise Uncovered
        return variables

    def _plan(self, variables: VariableValues) -> Plan | None:
        way = tuple(variables.coerced.get(name) for name in self.conditions)
        if way not in self.plans:
            if len(self.plans) >= MOST_PLANS:
                return None
            self.plans[way] = self._compiled(variables)
        return self.plans[way]

    def _compiled(self, variables: VariableValues) -> Plan | None:
        selecting = Selecting(self.schema, self.types, self.operation, self.fragments, variables)
        try:
            found = selecting.roots()
        except (Uncovered, GraphQLError):
            return None
        reads = [read for _, root in found if not isinstance(root, str) for read, _ in root.reads.values()]
        if not reads:
            return None
        statements = compiled.statement(reads)  # which settles where everything stands
        entries: list[tuple[str, RootPlan | None, str]] = []
        for key, root in found:
            if isinstance(root, str):
                entries.append((key, None, root))
            else:
                types = {label: (read, node_shape(node)) for label, (read, node) in root.reads.items()}
                entries.append((key, RootPlan(key, root.asked, types), ""))
        return Plan(statements, reads, entries, selecting.pages)


def _as_given(kind: Any, value: Any) -> bool:
    """Whether this value of a variable is what the executor would make of it: a text as an ID, a number as an Int."""
    named = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
    if named is GraphQLID:
        return type(value) is str
    return named is GraphQLInt and type(value) is int and GRAPHQL_MIN_INT <= value <= GRAPHQL_MAX_INT


def _conditions(node: Node) -> Iterator[str]:
    """The variables in the directives of a node and of everything in it."""
    stack: list[Node] = [node]
    while stack:
        each = stack.pop()
        if isinstance(each, DirectiveNode):
            yield from (a.value.name.value for a in each.arguments or () if isinstance(a.value, VariableNode))
            continue
        for key in each.keys:
            value = getattr(each, key, None)
            if isinstance(value, Node):
                stack.append(value)
            elif isinstance(value, list | tuple):
                stack.extend(one for one in value if isinstance(one, Node))
