"""Every command by its action, to perform again what was stored while it waited."""

from typing import Any

from graph.database import Row
from services.commands import Command
from services.groups import CreateGroup
from services.ledger import Deposit, Transfer, Withdraw

COMMANDS: dict[str, type[Command[Any]]] = {
    command.action: command for command in (CreateGroup, Deposit, Transfer, Withdraw)
}


def restored(operation: Row) -> Command[Any]:
    """The command that an operation was stored with while it waited."""
    return COMMANDS[operation["kind"]].model_validate(operation["input"])
