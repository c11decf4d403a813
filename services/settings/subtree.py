"""Whether the nodes below a change, or below a move, stay valid: rules between settings, and locks."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from services.problems import Problem, invalid
from services.settings.json_limits import Path
from services.settings.resolution import Effective, Level, SourceKind, Stored, defaults
from services.settings.rules import RULE_KEYS, check_effective

State = Mapping[str, Effective]


@dataclass(frozen=True, slots=True)
class TreeNode:
    """A group or an account as it would be: its parent, own settings, template's settings, and keys that it locks."""

    id: str
    parent_id: str | None
    own: Mapping[str, Stored]
    tier: str | None = None
    template: Mapping[str, Stored] = field(default_factory=dict[str, Stored])
    locks: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Invalid:
    """A node that the change would make invalid, and why."""

    node_id: str
    problems: tuple[Problem, ...]


def check_subtree(
    nodes: Iterable[TreeNode],
    above: Sequence[Level] = (),
    locked: Collection[str] = (),
    *,
    path: Path = ("settings",),
    touched: Collection[str] = (),
) -> Iterator[Invalid]:
    """The nodes that would be invalid, or override a locked key; parents before children, linear in the nodes.

    A node whose parent is not among `nodes` stands below `above` (the ancestors' settings, nearest first) and below
    their `locked` keys. Nodes may come in any order. Raises ValueError where they make no forest.
    """
    return _Walk(nodes, locked, path, touched).run(_state_of(above))


def overridden(own: Iterable[str], template: Iterable[str], locked: Collection[str], path: Path) -> list[Problem]:
    """A problem for each key that is set, here or by the template, though a group above locks it."""
    return [
        invalid(f"{key} is locked by a group above; it cannot be set here or by a template", *path, key)
        for key in sorted({*own, *template})
        if key in locked
    ]


def _state_of(above: Sequence[Level]) -> State:
    state: dict[str, Effective] = {}
    for level in reversed(above):
        state |= _relevant(level.values, level.node_id, level.kind)
    return state


def _relevant(values: Mapping[str, Stored], node_id: str | None, kind: SourceKind) -> dict[str, Effective]:
    return {key: Effective(values[key]["value"], node_id, kind) for key in RULE_KEYS & values.keys()}


class _Walk:
    """One walk over the nodes, depth first on a list of its own: the tree may be a thousand levels deep."""

    def __init__(
        self, nodes: Iterable[TreeNode], locked: Collection[str], path: Path, touched: Collection[str]
    ) -> None:
        self._nodes = {node.id: node for node in nodes}
        self._locked = Counter(locked)
        self._path = path
        self._touched = touched
        self._children: defaultdict[str | None, list[TreeNode]] = defaultdict(list)
        for node in self._nodes.values():
            self._children[node.parent_id if node.parent_id in self._nodes else None].append(node)
        # Most accounts set nothing: all of a group's that share a tier share one verdict. The state is kept beside
        # its verdict, so that no other object can come to have its identity.
        self._verdicts: dict[tuple[int, str | None], tuple[State, tuple[Problem, ...]]] = {}

    def run(self, top: State) -> Iterator[Invalid]:
        """The invalid nodes."""
        seen = 0
        stack: list[tuple[TreeNode, State] | TreeNode] = [(node, top) for node in reversed(self._children[None])]
        while stack:
            item = stack.pop()
            if isinstance(item, TreeNode):
                self._locked.subtract(item.locks)
                continue
            seen += 1
            node, inherited = item
            state = self._state(node, inherited)
            problems = (*self._overrides(node), *self._verdict(state, node.tier))
            if problems:
                yield Invalid(node.id, problems)
            self._locked.update(node.locks)
            stack.append(node)
            stack.extend((child, state) for child in reversed(self._children[node.id]))
        if seen != len(self._nodes):
            raise ValueError("the nodes make no forest")

    def _state(self, node: TreeNode, inherited: State) -> State:
        template = _relevant(node.template, None, SourceKind.TEMPLATE)
        own = _relevant(node.own, node.id, SourceKind.ACCOUNT)
        return {**inherited, **template, **own} if template or own else inherited

    def _overrides(self, node: TreeNode) -> list[Problem]:
        locked = {key for key in {*node.own, *node.template} if self._locked[key] > 0}
        return overridden(node.own, node.template, locked, self._path) if locked else []

    def _verdict(self, state: State, tier: str | None) -> tuple[Problem, ...]:
        known = self._verdicts.get((id(state), tier))
        if known is None:
            found = check_effective({**defaults(tier), **state}, self._path, self._touched)
            known = self._verdicts[id(state), tier] = (state, tuple(found))
        return known[1]
