"""The Operation that a mutation leaves: its states, its identity, and what it keeps."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import orjson

from graph import clock, journal, operations
from graph.database import Row, Transaction
from graph.journal import Recorder
from services.commands import Command, Effect
from services.desk import Desk
from services.permissions import Viewer
from services.problems import Problem, ProblemCode, refuse
from services.settings.catalogue import catalogue_digest
from services.verdicts import Approval

WAITING = "AWAITING_APPROVAL"
APPROVED = "PENDING"
RUNNING = "RUNNING"
CLAIM = timedelta(seconds=15)
"""How long due work is one process's, until it claims it again."""
FIRST_DUE = timedelta(seconds=12)
"""How long the process that recorded a running operation has before another one may go on with it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A mutation's answer: its Operation's node id, and the ids that its payload is built from."""

    operation: str
    payload: dict[str, Any]
    row: Row | None = field(default=None, compare=False)
    """The whole Operation, where it is known without reading it again."""


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


def named_by(command: Command[Any], effect: Effect) -> list[str]:
    """The nodes that an operation is about: those that its command names, and those that its effect does."""
    return [*dict.fromkeys([*(target.id for target in command.targets()), *effect.nodes])]


def finished(effect: Effect) -> Row:
    """The properties that an effect gives to its operation."""
    ended = effect.state not in (RUNNING, "UNKNOWN")
    return {
        "state": effect.state,
        "payload": effect.payload,
        "result": effect.result,
        "finishedAt": clock.to_text(clock.now()) if ended else None,
        "dueAt": None,
        **effect.changes,
    }


def retold(found: Row, command: Command[Any]) -> Outcome:
    """What became of an operation that is there. Raises Refused where the command asks for something else than it."""
    if found["digest"] != digest(command):
        raise refuse(
            ProblemCode.OPERATION_ID_REUSED,
            "this operationId already names another request of yours; make a new one",
            "operationId",
        )
    return Outcome(found["id"], found["payload"] or {})


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


async def take_feed(transaction: Transaction, operation: Row) -> Recorder:
    """The recorder of what becomes of an operation, in the name of who asked for it."""
    author = journal.Author(operation["actor"], operation["kind"], operation["id"])
    return await journal.take_feed(transaction, operation["root"], author)


async def end_operation(
    desk: Desk, operation: Row, states: Sequence[str], state: str, problems: Sequence[Problem]
) -> None:
    """Ends an operation in a transaction of its own, where it is still in one of the states; its feed tells."""

    async def work(transaction: Transaction) -> None:
        await end(transaction, operation, states, state, problems)

    await desk.database.write(work, queue=operation["root"])


async def end(
    transaction: Transaction, operation: Row, states: Sequence[str], state: str, problems: Sequence[Problem]
) -> None:
    """As `end_operation`, in this transaction. The record is of the tenant where the operation names no node."""
    recorder = await take_feed(transaction, operation)
    nodes = operation["nodes"] or [operation["root"]]
    at = recorder.add("OPERATION_CHANGED", nodes, {"state": operation["state"]}, {"state": state})
    told = [problem_json(problem) for problem in problems]
    ended: Row = {"state": state, "finishedAt": at, "dueAt": None, "problems": told}
    if await operations.change(transaction, operation["id"], states, ended):
        await recorder.write(transaction)
