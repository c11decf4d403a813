"""What a change of settings, or a move, would do to the groups and accounts below it or to a template's users."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice

import orjson

from graph import accounts, groups, settings
from graph.database import Reader, Row
from graph.structure import locate
from services.permissions import Viewer
from services.problems import Problem, ProblemCode, refuse
from services.settings.json_limits import MAX_PROBLEMS, Json
from services.settings.metadata import check_against
from services.settings.resolution import Stored
from services.settings.subtree import Invalid, TreeNode

MAX_NAMED = 10
MAX_METADATA = 10_000
MAX_METADATA_BYTES = 16 * 1024 * 1024
MAX_SECONDS = 10.0
_TURN = 50
_PUBLIC = "it would make another node invalid; who asks for it anew is told which, and why"


async def subtree(reader: Reader, group_id: str) -> list[TreeNode]:
    """A group and all below it, one account for each way to set something."""
    rows = await settings.below(reader, group_id)
    return [*_groups(rows), *(_account(row, settings.loads(row["shared"])) for row in rows if row["account"])]


async def users(reader: Reader, template_id: str, shared: Mapping[str, Stored]) -> list[TreeNode]:
    """The groups above the accounts that use a template, and those accounts as the template's settings would be."""
    rows = await settings.users(reader, template_id)
    above = await settings.above(reader, {row["group"] for row in rows})
    return [*_groups(above), *(_account(row, shared) for row in rows)]


def _groups(rows: Iterable[Row]) -> list[TreeNode]:
    found = {row["group"]: row for row in rows}
    return [
        TreeNode(node, row["parent"], settings.loads(row["own"]), locks=frozenset(row["locks"]))
        for node, row in found.items()
    ]


def _account(row: Row, shared: Mapping[str, Stored]) -> TreeNode:
    return TreeNode(row["account"], row["group"], settings.loads(row["set"]), row["tier"], shared)


def height(nodes: Sequence[TreeNode], top: str) -> int:
    """How many levels a subtree has, its top one included."""
    children: defaultdict[str | None, list[str]] = defaultdict(list)
    for node in nodes:
        children[node.parent_id].append(node.id)
    levels, level = 0, [top]
    while level:
        levels += 1
        level = [child for node in level for child in children[node]]
    return levels


async def named(reader: Reader, viewer: Viewer, found: Iterable[Invalid], changed: str) -> list[Problem]:
    """The problems of the first invalid nodes, at most 20; each but `changed` is named where the viewer sees it."""
    first = list(islice(found, MAX_NAMED))
    own = [problem for invalid in first if invalid.node_id == changed for problem in invalid.problems]
    if own or not first:
        return own
    names = await _names(reader, viewer, [invalid.node_id for invalid in first])
    problems = [
        replace(problem, message=f"{names[invalid.node_id]} would be invalid: {problem.message}", public=_PUBLIC)
        for invalid in first
        for problem in invalid.problems
    ]
    return problems[:MAX_PROBLEMS]


async def _names(reader: Reader, viewer: Viewer, ids: Sequence[str]) -> dict[str, str]:
    places = await locate(reader, ids)
    rows = {**await groups.find(reader, ids), **await accounts.find(reader, ids)}
    return {
        node: f"{rows[node]['name']} ({node})" if viewer.sees(places[node].path) else "a node that you cannot see"
        for node in ids
    }


async def metadata_faults(reader: Reader, group_id: str, schemas: Sequence[Json], field: str) -> list[Invalid]:
    """The accounts below a group whose metadata breaks one of the schemas, at most MAX_NAMED.

    Raises LIMIT_EXCEEDED, about the input field, where there is too much different metadata to check at once.
    """
    rows = await settings.metadata_below(reader, group_id, MAX_METADATA + 1)
    if len(rows) > MAX_METADATA or sum(len(row["metadata"]) for row in rows) > MAX_METADATA_BYTES:
        raise _too_much(field)
    found: list[Invalid] = []
    clock = asyncio.get_running_loop()
    until = clock.time() + MAX_SECONDS
    for index, row in enumerate(rows):
        if index % _TURN == _TURN - 1:
            await asyncio.sleep(0)  # others have their turn
        if clock.time() > until:
            raise _too_much(field)
        problems = check_against(orjson.loads(row["metadata"]), schemas)
        if problems:
            found.append(Invalid(row["account"], tuple(problems)))
        if len(found) == MAX_NAMED:
            break
    return found


def _too_much(field: str) -> Exception:
    message = "there is too much different metadata below to check at once; set the schema on smaller groups first"
    return refuse(ProblemCode.LIMIT_EXCEEDED, message, field)
