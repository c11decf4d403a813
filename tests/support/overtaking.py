"""A command that another process overtakes after its plan was made and before it commits."""

from typing import Any

from graph.database import Reader, Transaction
from services.commands import Act, Command
from services.desk import Desk
from tests.support.house import House


def overtaken(command: Command[Any], house: House, other: Command[Any], *, locked: bool = True) -> Command[Any]:
    """The command, which another process's `other` overtakes once, after it planned under its locks or before them."""
    once = [other]

    class Overtaken(type(command)):
        async def plan(self, desk: Desk, reader: Reader, act: Act) -> Any:
            planned = await super().plan(desk, reader, act)
            if isinstance(reader, Transaction) is locked and once:
                await house.do(once.pop())
            return planned

    return Overtaken.model_validate(command.model_dump())
