"""Every mutation of the API."""

import strawberry

from schema.mutations.account_status import AccountStatusMutation
from schema.mutations.configure import ConfigureMutation
from schema.mutations.corrections import CorrectionMutations
from schema.mutations.create_account import CreateAccountMutation
from schema.mutations.decide_operation import DecideOperationMutation
from schema.mutations.grants import GrantMutations
from schema.mutations.groups import GroupMutations
from schema.mutations.imports import ImportMutations
from schema.mutations.market import MarketMutations
from schema.mutations.money import MoneyMutations
from schema.mutations.move import MoveMutation
from schema.mutations.orders import OrderMutations
from schema.mutations.signing_in import SignInMutations
from schema.mutations.templates import TemplateMutations
from schema.mutations.update_account import UpdateAccountMutation
from schema.mutations.users import UserMutations


@strawberry.type(
    description="What changes something. Each takes one input with an operationId of the caller's own, and answers"
    " its payload or a problem. Several in one document are done one after the other."
)
class Mutation(
    SignInMutations,
    GroupMutations,
    TemplateMutations,
    CreateAccountMutation,
    UpdateAccountMutation,
    AccountStatusMutation,
    MoveMutation,
    ConfigureMutation,
    MoneyMutations,
    CorrectionMutations,
    OrderMutations,
    DecideOperationMutation,
    GrantMutations,
    UserMutations,
    MarketMutations,
    ImportMutations,
):
    """Every mutation."""
