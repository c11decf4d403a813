"""The one way from a mutation's input to what became of it: a command, performed, or refused with every problem."""

from collections.abc import Awaitable
from dataclasses import fields
from enum import Enum
from typing import Any, TypeVar

import strawberry
import structlog
from structlog.contextvars import bound_contextvars

from graph.database import Row
from graph.errors import CommitUnknown, GraphError
from resolvers.context import Context
from resolvers.refusals import UNAVAILABLE, ReadRefused
from services.commands import Command
from services.deciding import DecideOperation, decide
from services.permissions import Viewer
from services.pipeline import MAX_OPERATION_ID
from services.problems import ProblemCode, Refused, refuse

_log = structlog.get_logger()
T = TypeVar("T")
CommandT = TypeVar("CommandT", bound=Command[Any])


def command_of(kind: type[CommandT], given: Any) -> CommandT:
    """The command that a GraphQL input asks for. What is absent in the input is absent in the command.

    Null stands for absent where the command has a default of its own.
    """
    values = {field.name: _plain(getattr(given, field.name)) for field in fields(given)}
    return kind(**{name: value for name, value in values.items() if not _is_absent(kind, name, value)})


def _is_absent(kind: type[Command[Any]], name: str, value: Any) -> bool:
    if value is strawberry.UNSET:
        return True
    field = kind.model_fields.get(name)
    return value is None and field is not None and not field.is_required() and field.default is not None


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value


def viewer_of(context: Context) -> Viewer:
    """Who asks. Raises Refused where nobody is signed in, or where that cannot be told."""
    if context.refusal is not None:
        raise context.refusal
    if context.viewer is None:
        raise refuse(ProblemCode.UNAUTHENTICATED, "sign in first")
    return context.viewer


async def perform(context: Context, command: Command[Any]) -> Row:
    """Performs a command; its Operation as it is now, whose `payload` has the ids of what it made or changed.

    Raises Refused; of all refusals UNAVAILABLE alone may hide an effect.
    """
    viewer = viewer_of(context)
    with bound_contextvars(operation_id=command.operation_id[:MAX_OPERATION_ID], action=command.action):
        try:
            outcome = await answered(_performed(context, viewer, command))
        except Refused as refused:
            _log.info("mutation_refused", actor=viewer.username, codes=[found.code for found in refused.problems])
            raise
        _log.info("mutation_performed", actor=viewer.username, operation=outcome["id"], state=outcome["state"])
        return outcome


async def _performed(context: Context, viewer: Viewer, command: Command[Any]) -> Row:
    if isinstance(command, DecideOperation):
        outcome = await decide(context.pipeline, viewer, command)
    else:
        outcome = await context.pipeline.perform(viewer, command)
    context.renew()
    if outcome.row is not None:
        return outcome.row
    found = await context.loaders.operations.load(outcome.operation)
    assert found is not None, "an operation that was performed is kept"
    return found


async def answered(work: Awaitable[T]) -> T:
    """What the work returns. Raises Refused, with UNAVAILABLE where the database does not answer."""
    try:
        return await work
    except ReadRefused as error:
        if (error.extensions or {}).get("code") != UNAVAILABLE:
            raise
        raise refuse(ProblemCode.UNAVAILABLE, error.message) from error
    except CommitUnknown as error:
        words = "the database did not confirm this; the same operationId tells what became of it"
        raise refuse(ProblemCode.UNAVAILABLE, words) from error
    except GraphError as error:
        raise refuse(ProblemCode.UNAVAILABLE, "the database does not answer now; try again") from error
