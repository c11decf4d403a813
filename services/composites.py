"""COMPOSITE accounts: what may be a component of one."""

from collections.abc import Mapping, Sequence

from graph.database import Row
from graph.ids import Kind
from services.accounts import AccountKind
from services.commands import Target
from services.permissions import Permission
from services.problems import Problem, Refused, invalid, rule_violation
from services.settings.json_limits import MAX_PROBLEMS
from services.standing import require_together

MAX_COMPONENTS = 1_000
FIELD = "componentIds"


def component_targets(ids: Sequence[str]) -> list[Target]:
    """The components as nodes that the caller has to see."""
    return [Target(node, (Kind.ACCOUNT,), Permission.READ, (FIELD, str(index))) for index, node in enumerate(ids)]


def check_components(ids: Sequence[str]) -> list[Problem]:
    """The problem of a list that is too long or names an account twice."""
    if len(ids) > MAX_COMPONENTS:
        return [invalid(f"componentIds must name at most {MAX_COMPONENTS} accounts", FIELD)]
    if len(set(ids)) < len(ids):
        return [invalid("componentIds must name each account once", FIELD)]
    return []


def judge_components(composite: Row, found: Mapping[str, Row], ids: Sequence[str]) -> list[Problem]:
    """Why accounts may not be components of this one; at most 20 problems."""
    if ids and composite["kind"] != AccountKind.COMPOSITE:
        return [invalid("only a COMPOSITE account has components", FIELD)]
    problems: list[Problem] = []
    for index, node in enumerate(ids):
        problems.extend(_judge(composite, found[node], (FIELD, str(index))))
        if len(problems) >= MAX_PROBLEMS:
            break
    return problems[:MAX_PROBLEMS]


def _judge(composite: Row, component: Row, path: tuple[str, ...]) -> Sequence[Problem]:
    if component["kind"] == AccountKind.COMPOSITE:
        message = "a component must not be a COMPOSITE account itself"
        return [rule_violation("COMPONENT_KIND", message, "COMPOSITE", "INDIVIDUAL or STRATEGY", *path)]
    try:
        require_together(composite, component, *path)
    except Refused as refused:
        return refused.problems
    return ()
