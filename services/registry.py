"""Every command by its action, to perform again what was stored while it waited."""

from typing import Any

from graph.database import Row
from services.commands import Command
from services.configuring import Configure
from services.creating import CreateAccount
from services.groups import CreateGroup, UpdateGroup
from services.ledger import Deposit, Transfer, Withdraw
from services.moving import Move
from services.orders.placing import PlaceOrder
from services.status import ChangeAccountStatus
from services.templates import CreateTemplate
from services.updating import UpdateAccount

COMMANDS: dict[str, type[Command[Any]]] = {
    command.action: command
    for command in (
        ChangeAccountStatus,
        Configure,
        CreateAccount,
        CreateGroup,
        CreateTemplate,
        Deposit,
        Move,
        PlaceOrder,
        Transfer,
        UpdateAccount,
        UpdateGroup,
        Withdraw,
    )
}


def restored(operation: Row) -> Command[Any]:
    """The command that an operation was stored with while it waited."""
    return COMMANDS[operation["kind"]].model_validate(operation["input"])
