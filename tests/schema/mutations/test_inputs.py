"""Every input says what its command takes, and nothing else."""

from dataclasses import fields
from typing import Any

import pytest

from schema.mutations import (
    account_status,
    configure,
    corrections,
    create_account,
    decide_operation,
    grants,
    groups,
    market,
    money,
    move,
    orders,
    templates,
    update_account,
    users,
)
from services.commands import Command
from services.configuring import Configure
from services.corrections import AdjustCash, PostDividend, PostFee
from services.creating import CreateAccount
from services.deciding import DecideOperation
from services.granting import Grant, Revoke
from services.groups import CloseGroup, CreateGroup, UpdateGroup
from services.ledger import Deposit, Transfer, Withdraw
from services.market_control import AdvanceMarketDate, HaltSymbol, ResumeSymbol
from services.moving import Move
from services.orders.placing import PlaceOrder
from services.registry import COMMANDS
from services.status import ChangeAccountStatus
from services.templates import CreateTemplate, UpdateTemplate
from services.updating import UpdateAccount
from services.users import ChangePassword, CreateUser, SetAdministrator, SetUserDisabled

PAIRS: list[tuple[type[Any], type[Command[Any]]]] = [
    (account_status.ChangeAccountStatusInput, ChangeAccountStatus),
    (configure.ConfigureInput, Configure),
    (corrections.AdjustCashInput, AdjustCash),
    (corrections.PostDividendInput, PostDividend),
    (corrections.PostFeeInput, PostFee),
    (create_account.CreateAccountInput, CreateAccount),
    (decide_operation.DecideOperationInput, DecideOperation),
    (grants.GrantInput, Grant),
    (grants.RevokeInput, Revoke),
    (groups.CloseGroupInput, CloseGroup),
    (groups.CreateGroupInput, CreateGroup),
    (groups.UpdateGroupInput, UpdateGroup),
    (market.AdvanceMarketDateInput, AdvanceMarketDate),
    (market.SymbolInput, HaltSymbol),
    (market.SymbolInput, ResumeSymbol),
    (money.DepositInput, Deposit),
    (money.TransferInput, Transfer),
    (money.WithdrawInput, Withdraw),
    (move.MoveInput, Move),
    (orders.PlaceOrderInput, PlaceOrder),
    (templates.CreateTemplateInput, CreateTemplate),
    (templates.UpdateTemplateInput, UpdateTemplate),
    (update_account.UpdateAccountInput, UpdateAccount),
    (users.ChangePasswordInput, ChangePassword),
    (users.CreateUserInput, CreateUser),
    (users.SetAdministratorInput, SetAdministrator),
    (users.SetUserDisabledInput, SetUserDisabled),
]


@pytest.mark.parametrize(("given", "command"), PAIRS, ids=[command.action for _, command in PAIRS])
def test_every_field_of_an_input_is_one_of_its_command(given: type[Any], command: type[Command[Any]]) -> None:
    ours, theirs = {field.name for field in fields(given)}, command.model_fields
    assert ours <= theirs.keys()
    assert {name for name, field in theirs.items() if field.is_required()} <= ours


def test_every_command_that_can_wait_can_be_restored() -> None:
    asking = {command for _, command in PAIRS if command.questions is not Command.questions and command.waits}
    assert asking <= set(COMMANDS.values())
    assert all(action == command.action for action, command in COMMANDS.items())
    assert all(command.waits for command in COMMANDS.values())
