"""How large a document may be. All of it is checked before validation, whose own work these limits bound."""

from collections.abc import Iterator
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
)

LIMIT_EXCEEDED = "LIMIT_EXCEEDED"


@dataclass(frozen=True, slots=True)
class Limits:
    """The most of everything that a caller controls in a request."""

    body_bytes: int = 262_144
    depth: int = 50
    aliases: int = 250
    nodes: int = 25_000
    """Objects of lists that a request may ask for."""
    answer_bytes: int = 33_554_432
    """Bytes of the values of an answer."""
    tokens: int = 66_000
    comments: int = 10_000
    selections: int = 25_000
    """Fields, spreads and inline fragments as they are written."""
    fields: int = 10_000
    """Fields of the answer's shape, after fragments are spread and what is asked twice is merged."""
    steps: int = 50_000
    """Selections that are passed while fragments are spread."""
    pairs: int = 50_000
    """Pairs of selections that ask for the same field; validation compares each pair."""
    root_fields: int = 250
    operations: int = 20
    fragments: int = 200
    directives: int = 500
    variables: int = 250
    value_depth: int = 100
    """Levels of a variable's value."""
    stranger_characters: int = 4_096
    """The longest document that is read for a caller who is not signed in."""
    stranger_fields: int = 10


def limit_exceeded(message: str, node: Node | None = None) -> GraphQLError:
    """The error of a request that is larger than a limit allows."""
    return GraphQLError(message, node, extensions={"code": LIMIT_EXCEEDED})


def too_deep(limits: Limits, node: Node | None = None) -> GraphQLError:
    """The error of a document that has more levels than a limit allows."""
    return limit_exceeded(f"The document is too deep: at most {limits.depth} levels are taken.", node)


def check_document(document: DocumentNode, limits: Limits) -> None:
    """Raises a GraphQLError with the code LIMIT_EXCEEDED where the document is larger than a limit allows.

    Takes time linear in the document, and beyond that no more steps than the limits say. A document whose fragments
    form a cycle passes: validation refuses it.
    """
    fragments = fragments_of(document)
    _check_counts(document, len(fragments), limits)
    _Written(limits).count(document)
    if find_cycle(fragments) is None:
        _check_spread(document, fragments, limits)


def fragments_of(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    """The document's fragments by name."""
    return {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}


def find_cycle(fragments: dict[str, FragmentDefinitionNode]) -> str | None:
    """The name of a fragment that leads back to itself, or None. Linear, and without recursion."""
    targets = {name: tuple(_spreads(fragment.selection_set)) for name, fragment in fragments.items()}
    done: set[str] = set()
    for root in targets:
        path: dict[str, Iterator[str]] = {} if root in done else {root: iter(targets[root])}
        while path:
            name = next(reversed(path))
            target = next(path[name], None)
            if target is None:
                del path[name]
                done.add(name)
            elif target in path:
                return target
            elif target in targets and target not in done:
                path[target] = iter(targets[target])
    return None


def _spreads(selection_set: SelectionSetNode) -> Iterator[str]:
    stack = [selection_set]
    while stack:
        for selection in stack.pop().selections:
            if isinstance(selection, FragmentSpreadNode):
                yield selection.name.value
            elif nested := selection_set_of(selection):
                stack.append(nested)


def selection_set_of(selection: SelectionNode) -> SelectionSetNode | None:
    """What is selected below a field or an inline fragment; None for a leaf and for a spread."""
    return selection.selection_set if isinstance(selection, FieldNode | InlineFragmentNode) else None


def _check_counts(document: DocumentNode, fragments: int, limits: Limits) -> None:
    operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    _at_most(len(operations), limits.operations, "operations")
    _at_most(fragments, limits.fragments, "fragments")
    for operation in operations:
        _at_most(len(operation.variable_definitions or ()), limits.variables, "variables of an operation", operation)


def _at_most(count: int, most: int, what: str, node: Node | None = None) -> None:
    if count > most:
        raise limit_exceeded(f"The document has too many {what}: at most {most:,} are taken.", node)


class _Written:
    """Counts what is written, each selection once."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._selections = self._aliases = self._directives = 0

    def count(self, document: DocumentNode) -> None:
        for definition in document.definitions:
            if isinstance(definition, OperationDefinitionNode | FragmentDefinitionNode):
                self._directives += len(definition.directives or ())
                self._definition(definition.selection_set)

    def _definition(self, top: SelectionSetNode) -> None:
        # Inline fragments are levels here, so that a chain of them without a field has an end too.
        stack = [(top, 1)]
        while stack:
            selection_set, depth = stack.pop()
            if depth > 2 * self._limits.depth:
                raise too_deep(self._limits, selection_set)
            for selection in selection_set.selections:
                self._selection(selection)
                if nested := selection_set_of(selection):
                    stack.append((nested, depth + 1))

    def _selection(self, selection: SelectionNode) -> None:
        self._selections += 1
        self._directives += len(selection.directives or ())
        self._aliases += isinstance(selection, FieldNode) and selection.alias is not None
        _at_most(self._aliases, self._limits.aliases, "aliases", selection)
        _at_most(self._selections, self._limits.selections, "selections", selection)
        _at_most(self._directives, self._limits.directives, "directives", selection)


def _check_spread(document: DocumentNode, fragments: dict[str, FragmentDefinitionNode], limits: Limits) -> None:
    spread = _Spread(fragments, limits)
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            roots = spread.fields([definition.selection_set], 1)
            _at_most(roots, limits.root_fields, "root fields", definition)
    for name, fragment in fragments.items():
        if name not in spread.reached:
            spread.fields([fragment.selection_set], 1)


class _Spread:
    """Counts the answer's shape: fragments spread, and fields under one name of the answer merged."""

    def __init__(self, fragments: dict[str, FragmentDefinitionNode], limits: Limits) -> None:
        self._fragments = fragments
        self._limits = limits
        self._steps = self._fields = self._pairs = 0
        self.reached: set[str] = set()

    def fields(self, selection_sets: list[SelectionSetNode], depth: int) -> int:
        """How many fields these selections have, merged; raises where a limit is passed at any level of them."""
        if depth > self._limits.depth:
            raise too_deep(self._limits, selection_sets[0])
        groups = self._merge(selection_sets)
        self._fields += len(groups)
        _at_most(self._fields, self._limits.fields, "fields")
        for group in groups.values():
            self._pairs += len(group) * (len(group) - 1) // 2
            _at_most(self._pairs, self._limits.pairs, "selections of the same field", group[0])
            if below := [each.selection_set for each in group if each.selection_set]:
                self.fields(below, depth + 1)
        return len(groups)

    def _merge(self, selection_sets: list[SelectionSetNode]) -> dict[str, list[FieldNode]]:
        groups: dict[str, list[FieldNode]] = {}
        visited: set[str] = set()
        stack = list(selection_sets)
        while stack:
            for selection in stack.pop().selections:
                self._steps += 1
                _at_most(self._steps, self._limits.steps, "selections, once its fragments are spread,", selection)
                if isinstance(selection, FieldNode):
                    groups.setdefault((selection.alias or selection.name).value, []).append(selection)
                elif isinstance(selection, InlineFragmentNode):
                    stack.append(selection.selection_set)
                elif isinstance(selection, FragmentSpreadNode):
                    self._spread(selection.name.value, visited, stack)
        return groups

    def _spread(self, name: str, visited: set[str], stack: list[SelectionSetNode]) -> None:
        if name not in visited and (fragment := self._fragments.get(name)):
            visited.add(name)
            self.reached.add(name)
            stack.append(fragment.selection_set)
