"""The enums of the contract, each value described."""

from enum import Enum
from typing import Any

import strawberry


def _value(name: str, description: str) -> Any:
    return strawberry.enum_value(name, description=description)


@strawberry.enum(description="What an account is for.")
class AccountKind(Enum):
    """What an account is for."""

    INDIVIDUAL = _value("INDIVIDUAL", "Holds cash and positions for its owner.")
    STRATEGY = _value("STRATEGY", "Holds cash and positions that follow one strategy.")
    COMPOSITE = _value("COMPOSITE", "Holds nothing itself; its figures are the sums of its components.")


@strawberry.enum(description="The policy tier of an account. An account without one has no tier policy.")
class Tier(Enum):
    """The policy tier of an account."""

    GEN = _value("GEN", "Generates income: short options with the highest delta and weekly target.")
    REV = _value("REV", "Revenue: less delta, a lower target and a lower drawdown limit than GEN.")
    COM = _value("COM", "Compounds: the lowest delta and target; profits are reinvested, not withdrawn.")


@strawberry.enum(description="The state of an account's life.")
class AccountStatus(Enum):
    """The state of an account's life."""

    ACTIVE = _value("ACTIVE", "Posts, trades, forks and merges.")
    INACTIVE = _value("INACTIVE", "Rests: nothing is posted until it is ACTIVE again.")
    SUSPENDED = _value("SUSPENDED", "Stopped for a reason: nothing is posted until it is ACTIVE again.")
    FORKING = _value("FORKING", "A fork that trades is under way and holds the account.")
    MERGING = _value("MERGING", "A merge is under way and holds the account.")
    CLOSED = _value("CLOSED", "Ended for good, with no cash and no positions.")


@strawberry.enum(description="Why cash moved.")
class TransactionKind(Enum):
    """Why cash moved."""

    DEPOSIT = _value("DEPOSIT", "Money came in from outside.")
    WITHDRAWAL = _value("WITHDRAWAL", "Money left to the outside.")
    TRANSFER = _value("TRANSFER", "Money moved between two accounts of a tenant.")
    TRADE = _value("TRADE", "An order was filled.")
    FORK = _value("FORK", "Money went into a fork.")
    MERGE = _value("MERGE", "Money went into a merge's target.")
    REINVESTMENT = _value("REINVESTMENT", "Profit was put to work again.")
    FEE = _value("FEE", "A commission or another fee.")
    DIVIDEND = _value("DIVIDEND", "A dividend was received.")
    ADJUSTMENT = _value("ADJUSTMENT", "A correction of an earlier entry.")


@strawberry.enum(description="Whether an entry counts.")
class TransactionState(Enum):
    """Whether an entry counts."""

    PENDING = _value("PENDING", "Funds are held for it; cash has not changed yet.")
    POSTED = _value("POSTED", "It changed the cash, for good.")
    VOIDED = _value("VOIDED", "It never came about; what it held is free again.")


@strawberry.enum(description="Where an operation is.")
class OperationState(Enum):
    """Where an operation is."""

    PENDING = _value("PENDING", "It waits for its time.")
    AWAITING_APPROVAL = _value("AWAITING_APPROVAL", "It waits for another person's decision.")
    RUNNING = _value("RUNNING", "It is at work.")
    SUCCEEDED = _value("SUCCEEDED", "It took effect.")
    REJECTED = _value("REJECTED", "It was declined, or its review expired; it had no effect.")
    FAILED = _value("FAILED", "It ended without the effect that was asked for; its problems say why.")
    CANCELLED = _value("CANCELLED", "It was cancelled before it took effect.")
    UNKNOWN = _value("UNKNOWN", "A market outcome is not yet proved; the market is asked until it is.")


@strawberry.enum(description="The kinds of problem that a request can meet.")
class ProblemCode(Enum):
    """The kinds of problem that a request can meet."""

    UNAUTHENTICATED = _value("UNAUTHENTICATED", "The user or the password is wrong, or the session has ended.")
    INVALID_INPUT = _value("INVALID_INPUT", "A field of the input is not as it must be; path names it.")
    NOT_FOUND = _value("NOT_FOUND", "Nothing that the viewer can see has this id.")
    FORBIDDEN = _value("FORBIDDEN", "The viewer sees the node, but may not do this to it.")
    CONFLICT = _value("CONFLICT", "Other work holds what this needs; try again when that has ended.")
    STALE_VERSION = _value("STALE_VERSION", "The object has another version than the input names.")
    INSUFFICIENT_FUNDS = _value("INSUFFICIENT_FUNDS", "Less is available than this takes.")
    RULE_VIOLATION = _value("RULE_VIOLATION", "A limit, a policy or a rule of the model refuses this.")
    MARKET_REJECTED = _value("MARKET_REJECTED", "The market did not accept the order.")
    UNAVAILABLE = _value("UNAVAILABLE", "Something that this needs does not answer. Send the same operationId again.")
    OPERATION_ID_REUSED = _value("OPERATION_ID_REUSED", "The operationId already names another request.")
    LIMIT_EXCEEDED = _value("LIMIT_EXCEEDED", "The request is larger, or comes faster, than a limit allows.")


@strawberry.enum(description="The roles that are granted on a node and hold for its subtree.")
class Role(Enum):
    """The roles that are granted on a node."""

    VIEWER = _value("VIEWER", "Reads.")
    OPERATOR = _value("OPERATOR", "Reads, moves money and trades.")
    MANAGER = _value("MANAGER", "Does all that an operator does, and shapes accounts, groups and settings.")
    ADMIN = _value("ADMIN", "Does all that a manager does, and reads the audit record.")
    AUDITOR = _value("AUDITOR", "Reads everything and the audit record; changes nothing.")
    SUPER_ADMIN = _value("SUPER_ADMIN", "Does everything, grants and revokes too.")


@strawberry.enum(description="One thing that a role allows.")
class Permission(Enum):
    """One thing that a role allows."""

    READ = _value("READ", "Read the node.")
    POST = _value("POST", "Deposit, withdraw and transfer.")
    TRADE = _value("TRADE", "Place and cancel orders.")
    CORRECT = _value("CORRECT", "Post adjustments, reversals, fees and dividends.")
    CREATE = _value("CREATE", "Create groups, accounts and templates.")
    UPDATE = _value("UPDATE", "Update accounts and change their status.")
    MOVE = _value("MOVE", "Move accounts and groups.")
    CONFIGURE = _value("CONFIGURE", "Set settings.")
    FORK = _value("FORK", "Fork accounts.")
    MERGE = _value("MERGE", "Merge accounts.")
    DECIDE = _value("DECIDE", "Approve or decline operations that others asked for.")
    GRANT = _value("GRANT", "Grant and revoke roles.")
    AUDIT = _value("AUDIT", "Read and verify the audit record.")


@strawberry.enum(description="Which way an order trades.")
class Side(Enum):
    """Which way an order trades."""

    BUY = _value("BUY", "Buys the instrument.")
    SELL = _value("SELL", "Sells what the account holds.")


@strawberry.enum(description="The direction of a sorted list.")
class Order(Enum):
    """The direction of a sorted list."""

    ASC = _value("ASC", "The smallest first.")
    DESC = _value("DESC", "The largest first.")


@strawberry.enum(description="What accounts are sorted by. Ties are sorted by id.")
class AccountOrderField(Enum):
    """What accounts are sorted by."""

    NAME = _value("NAME", "The name, by Unicode code point.")
    CREATED_AT = _value("CREATED_AT", "The instant of creation.")
    CASH = _value("CASH", "The amount of posted cash, whatever its currency.")


@strawberry.enum(description="How far an import is.")
class ImportPhase(Enum):
    """How far an import is."""

    CHECKING = _value("CHECKING", "Every line is checked; nothing takes effect.")
    APPROVAL = _value("APPROVAL", "All lines are checked, and a person has to approve what they do.")
    APPLYING = _value("APPLYING", "Lines are done, part by part.")
    ENDED = _value("ENDED", "Nothing more is done.")


@strawberry.enum(description="What became of a line of an import.")
class ImportOutcome(Enum):
    """What became of a line of an import."""

    SUCCEEDED = _value("SUCCEEDED", "It took effect, once.")
    FAILED = _value("FAILED", "It had no effect; its problems say why.")
    UNPROCESSED = _value("UNPROCESSED", "It had no effect, or none yet; nothing is known to be wrong with it.")
