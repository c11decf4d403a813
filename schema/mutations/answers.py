"""What mutations share: the argument, the caller's id, the problems they meet, and how an answer is made."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeAlias, TypeVar

import strawberry

from graph.database import Row
from resolvers.context import Context
from resolvers.performing import answered, command_of, perform
from schema.problems import (
    Conflict,
    Forbidden,
    InsufficientFunds,
    InvalidInput,
    LimitExceeded,
    MarketRejected,
    NotFound,
    OperationIdReused,
    RuleViolation,
    StaleVersion,
    Unauthenticated,
    Unavailable,
    shown_all,
)
from services.commands import Command
from services.problems import Refused

T = TypeVar("T")

Given: TypeAlias = Annotated[T, strawberry.argument(name="input", description="What is asked for.")]
"""A mutation's one argument."""

UsualProblem: TypeAlias = (
    InvalidInput
    | Unauthenticated
    | NotFound
    | Forbidden
    | Conflict
    | RuleViolation
    | Unavailable
    | OperationIdReused
    | LimitExceeded
)
"""What every mutation of the graph can meet."""
VersionProblem: TypeAlias = UsualProblem | StaleVersion
MoneyProblem: TypeAlias = UsualProblem | InsufficientFunds
OrderProblem: TypeAlias = MoneyProblem | MarketRejected


@strawberry.input(description="The caller's own name of what is asked for.")
class OperationInput:
    """What every input has."""

    operation_id: strawberry.ID = strawberry.field(
        description="The caller's own id of this operation, a UUID or a ULID. The same id with the same input returns"
        " the first outcome and does nothing; with another input it is refused."
    )


async def answer(context: Context, kind: type[Command[Any]], given: Any, build: Callable[[Context, Row], Any]) -> Any:
    """What the mutation answers: the payload that `build` makes of the Operation as it is, or a problem."""
    return await told(_answer(context, command_of(kind, given), build))


async def answer_to(context: Context, command: Awaitable[Command[Any]], build: Callable[[Context, Row], Any]) -> Any:
    """The same for a command that has to be found first."""

    async def found() -> Any:
        return await _answer(context, await command, build)

    return await told(found())


async def _answer(context: Context, command: Command[Any], build: Callable[[Context, Row], Any]) -> Any:
    return await build(context, await perform(context, command))


async def told(work: Awaitable[Any]) -> Any:
    """What the work returns, or the problem that it met."""
    try:
        return await answered(work)
    except Refused as refused:
        return shown_all(refused)
