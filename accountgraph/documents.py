"""Documents, read once: parsed, within limits, validated, and kept while there is room for them."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    Node,
    NoFragmentCyclesRule,
    OperationDefinitionNode,
    SelectionSetNode,
    Source,
    specified_rules,
    validate,
)
from graphql.language import FieldNode, FragmentDefinitionNode, FragmentSpreadNode
from graphql.language.parser import Parser
from strawberry import Schema
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from accountgraph.cost import Cost, plan
from accountgraph.errors import Code, ErrorBody, body, document_errors
from accountgraph.limits import Limits, check_document, find_cycle, fragments_of, selection_set_of, too_deep
from resolvers.compiling.plan import Compiled

RULES = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)
OPEN_FIELDS = frozenset({"__typename", "signIn"})
MAX_KEPT_CHARACTERS = 256_000
"""About 45 MB of parsed documents."""
MAX_KEPT_LENGTH = 16_000


class DocumentRefused(Exception):
    """A document that cannot be executed, with the errors to answer."""

    def __init__(self, *errors: ErrorBody) -> None:
        super().__init__(errors[0]["message"])
        self.errors = list(errors)


@dataclass(slots=True)
class Operation:
    """One operation of a document."""

    node: OperationDefinitionNode
    fragments: Mapping[str, FragmentDefinitionNode]
    root_fields: tuple[str, ...] = ()
    cost: Cost = field(default_factory=Cost)
    compiled: Compiled | None = None
    """Its plans, once it is asked again."""

    @property
    def name(self) -> str | None:
        """The name that the document gives it."""
        return self.node.name.value if self.node.name else None

    @property
    def kind(self) -> str:
        """query, mutation or subscription."""
        return self.node.operation.value

    @property
    def is_open(self) -> bool:
        """Whether it asks for nothing but what needs no sign-in."""
        return OPEN_FIELDS.issuperset(self.root_fields)


@dataclass(slots=True)
class Document:
    """A parsed document. `valid` once it is known to fit the schema."""

    text: str
    ast: DocumentNode
    operations: tuple[Operation, ...]
    valid: bool = False

    def operation(self, name: str | None) -> Operation:
        """The operation to execute: the one of this name, or the only one. Raises DocumentRefused."""
        if name is None and len(self.operations) == 1:
            return self.operations[0]
        for each in self.operations:
            if name is not None and each.name == name:
                return each
        message = (
            "The document has several operations; operationName says which one to execute."
            if name is None and self.operations
            else "The document has no operation of this name."
            if self.operations
            else "The document has no operation."
        )
        raise DocumentRefused(body(message, Code.OPERATION_RESOLUTION_FAILURE))


class Documents:
    """Reads documents for one schema."""

    def __init__(self, schema: Schema, limits: Limits, sizes: Mapping[str, int] | None = None) -> None:
        self.schema = graphql_schema(schema)
        self._limits = limits
        self._sizes = sizes
        self._kept: OrderedDict[str, Document] = OrderedDict()
        self._kept_characters = 0

    def read(self, text: str) -> Document:
        """The document of this text, parsed and within limits. Raises DocumentRefused."""
        if document := self._kept.get(text):
            self._kept.move_to_end(text)
            return document
        try:
            ast = parse(text, self._limits)
            check_document(ast, self._limits)
        except GraphQLError as error:
            raise DocumentRefused(*document_errors([error], Code.PARSE_FAILED)) from None
        return Document(text, ast, _operations(ast))

    def known(self, text: str) -> Document | None:
        """The document of this text, where it is kept."""
        return self._kept.get(text)

    def validate(self, document: Document) -> None:
        """Checks the document against the schema; from then on it is kept. Raises DocumentRefused."""
        if document.valid:
            return
        fragments = fragments_of(document.ast)
        # The other rules cost more than a small document is worth where fragments form a cycle.
        rules = [NoFragmentCyclesRule] if find_cycle(fragments) else RULES
        errors = validate(self.schema, document.ast, rules, max_errors=20, hide_suggestions=True)
        if errors:
            raise DocumentRefused(*document_errors(errors, Code.VALIDATION_FAILED))
        for operation in document.operations:
            operation.cost = plan(self.schema, fragments, operation.node, self._sizes)
        document.valid = True

    def keep(self, document: Document) -> None:
        """Keeps a valid document for the next time, in the place of those that were used longest ago."""
        if len(document.text) > MAX_KEPT_LENGTH or document.text in self._kept:
            return
        self._kept[document.text] = document
        self._kept_characters += len(document.text)
        while self._kept_characters > MAX_KEPT_CHARACTERS:
            text, _ = self._kept.popitem(last=False)
            self._kept_characters -= len(text)

    def used(self, document: Document) -> None:
        """Counts a document that is kept as used now."""
        if document.text in self._kept:
            self._kept.move_to_end(document.text)

    @property
    def kept(self) -> int:
        """How many documents are kept."""
        return len(self._kept)


def graphql_schema(schema: Schema) -> GraphQLSchema:
    """The graphql-core schema that a Strawberry schema stands on."""
    return schema._schema  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]


class _Parser(Parser):
    """Leaves out a selection that repeats one beside it word for word, as in `id id id`.

    That changes no answer, and spares validation from comparing them with each other.
    """

    def parse_selection_set(self) -> SelectionSetNode:
        node = super().parse_selection_set()
        kept = {_written(each): each for each in reversed(node.selections)}
        if len(kept) == len(node.selections):
            return node
        return SelectionSetNode(selections=tuple(reversed(kept.values())), loc=node.loc)


def _written(node: Node) -> str:
    assert node.loc, "the parser tells where each node stands"
    return node.loc.source.body[node.loc.start : node.loc.end]


def parse(text: str, limits: Limits) -> DocumentNode:
    """The document of this text. Raises GraphQLError, also where it has more tokens than the limits say."""
    parser = _Parser(Source(text), max_lexical_tokens=limits.tokens, max_comments=limits.comments)
    try:
        return parser.parse_document()
    except RecursionError:
        pass
    # Outside the handler, so that the error does not keep the frames of the recursion.
    raise too_deep(limits)


def _operations(ast: DocumentNode) -> tuple[Operation, ...]:
    fragments = fragments_of(ast)
    nodes = [each for each in ast.definitions if isinstance(each, OperationDefinitionNode)]
    return tuple(Operation(node, fragments, _root_fields(node, fragments)) for node in nodes)


def _root_fields(node: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]) -> tuple[str, ...]:
    names: list[str] = []
    visited: set[str] = set()
    stack = [node.selection_set]
    while stack:
        for each in stack.pop().selections:
            if isinstance(each, FieldNode):
                names.append(each.name.value)
            elif isinstance(each, FragmentSpreadNode):
                if each.name.value not in visited and (fragment := fragments.get(each.name.value)):
                    visited.add(each.name.value)
                    stack.append(fragment.selection_set)
            elif nested := selection_set_of(each):
                stack.append(nested)
    return tuple(names)
