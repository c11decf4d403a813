"""Every command that can wait for a person's approval, by its action, to perform again what was stored meanwhile."""

from typing import Any

from graph.database import Row
from services.commands import Command
from services.configuring import Configure
from services.corrections import AdjustCash, PostDividend, PostFee
from services.creating import CreateAccount
from services.groups import CloseGroup, UpdateGroup
from services.importing.commands import BulkImport
from services.ledger import Deposit, Transfer, Withdraw
from services.moving import Move
from services.orders.placing import PlaceOrder
from services.reversing import ReverseEntry
from services.status import ChangeAccountStatus
from services.templates import UpdateTemplate
from services.updating import UpdateAccount

COMMANDS: dict[str, type[Command[Any]]] = {
    command.action: command
    for command in (
        AdjustCash,
        BulkImport,
        ChangeAccountStatus,
        CloseGroup,
        Configure,
        CreateAccount,
        Deposit,
        Move,
        PlaceOrder,
        PostDividend,
        PostFee,
        ReverseEntry,
        Transfer,
        UpdateAccount,
        UpdateGroup,
        UpdateTemplate,
        Withdraw,
    )
}


def restored(operation: Row) -> Command[Any]:
    """The command that an operation was stored with while it waited."""
    return COMMANDS[operation["kind"]].model_validate(operation["input"])
