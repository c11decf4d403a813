"""The Operation that a mutation leaves: its states, its identity, and what it keeps."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from graph import clock, operations
from graph.database import Row
from services.commands import Command
from services.permissions import Viewer
from services.problems import Problem
from services.settings.catalogue import catalogue_digest
from services.verdicts import Approval

WAITING = "AWAITING_APPROVAL"
APPROVED = "PENDING"
RUNNING = "RUNNING"


@dataclass(frozen=True, slots=True)
class Decided:
    """An approval: the id of the user who gave it, and the nodes that it is about."""

    user: str
    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Start:
    """How an operation begins, and in whose name: new, or one that waited for an approval and has it."""

    operation: str
    viewer: Viewer
    approval: Decided | None = None
    reviews: dict[Approval, str] = field(default_factory=dict[Approval, str])
    """The ids of the reviews that it has asked for."""


def new_operation(start: Start, command: Command[Any], feed: str, names: Sequence[str], policy: int) -> Row:
    """The properties of a new operation, but those that its outcome gives it."""
    return {
        "id": start.operation,
        "key": operations.key_of(start.viewer.user_id, command.operation_id),
        "operationId": command.operation_id,
        "user": start.viewer.user_id,
        "actor": start.viewer.username,
        "kind": command.action,
        "digest": digest(command),
        "createdAt": clock.to_text(clock.now()),
        "root": feed,
        "nodes": list(names),
        "problems": [],
        "policy": policy_version(policy),
    }


def policy_version(policy: int) -> str:
    """What a decision was taken under: the catalogue's defaults, and the feed's last record that changed settings."""
    return f"{catalogue_digest()[:12]}:{policy}"


def digest(command: Command[Any]) -> str:
    """What makes two inputs the same: the mutation and every value after coercion and defaults, secrets stretched."""
    content = {"action": command.action, "input": command.comparable()}
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def problem_json(problem: Problem) -> Row:
    """A problem as an Operation keeps it."""
    return {
        "code": problem.code.value,
        "message": problem.message,
        "path": list(problem.path),
        "details": problem.details,
    }
