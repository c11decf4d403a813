"""What an account is: its kinds, tiers and states, how a new one begins, and what every change of one asks first."""

import unicodedata
from enum import StrEnum
from typing import Any

from graph import clock
from graph.database import Row
from services.commands import Act
from services.desk import Desk
from services.effective import in_force
from services.facts import account_facts, policy_facts
from services.names import MAX_TEXT
from services.problems import Problem, ProblemCode, invalid, refuse, violation
from services.protocol.port import ProtocolOperation, Question


class AccountKind(StrEnum):
    """AccountKind of the API. A COMPOSITE account holds nothing itself; it sums up its components."""

    INDIVIDUAL = "INDIVIDUAL"
    STRATEGY = "STRATEGY"
    COMPOSITE = "COMPOSITE"


class Tier(StrEnum):
    """Tier of the API; an account without one has no tier policy."""

    GEN = "GEN"
    REV = "REV"
    COM = "COM"


class AccountStatus(StrEnum):
    """AccountStatus of the API. FORKING and MERGING are set by running operations alone."""

    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"
    SUSPENDED = "SUSPENDED"
    FORKING = "FORKING"
    MERGING = "MERGING"
    CLOSED = "CLOSED"


def new_account(account_id: str, root: str, at: str, **given: Any) -> Row:
    """The properties of a new account: ACTIVE, real, at version 1, without cash; `given` adds to them or replaces."""
    return {
        "id": account_id,
        "root": root,
        "description": None,
        "tier": None,
        "status": AccountStatus.ACTIVE.value,
        "simulated": False,
        "version": 1,
        "createdAt": at,
        "updatedAt": at,
        "cash": 0,
        "held": 0,
        "place": 0,
        "settings": "{}",
        "metadata": "{}",
        **given,
    }


def require_version(node: Row, version: int) -> None:
    """Raises STALE_VERSION, with the current one, where the caller saw another version of the node."""
    current = node["version"]
    if version != current:
        message = f"version must be the current one, {current}; read the node again before you change it"
        raise refuse(ProblemCode.STALE_VERSION, message, "version", currentVersion=current)


def require_not_closed(account: Row, *path: str) -> None:
    """Raises RULE_VIOLATION for a CLOSED account, which nothing changes any more."""
    if account["status"] == AccountStatus.CLOSED:
        message = "the account is CLOSED; nothing about it can change any more"
        raise violation(message, *path, rule="ACCOUNT_NOT_CLOSED", current="CLOSED", required="not CLOSED")


def require_one_tenant(root: str, other: str, *path: str) -> None:
    """Raises RULE_VIOLATION where the node that the field at `path` names belongs to another tenant."""
    if root != other:
        message = f"{path[-1]} must name a node of the same tenant"
        raise violation(message, *path, rule="ONE_TENANT", current="two tenants", required="one tenant")


def check_description(text: str, *path: str) -> list[Problem]:
    """The problem of a description that is too long or has control characters other than line ends and tabs."""
    if len(text) > MAX_TEXT:
        return [invalid(f"{path[-1]} must have at most {MAX_TEXT} characters; this one has {len(text)}", *path)]
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in text if character not in "\n\r\t"):
        return [invalid(f"{path[-1]} must not have control characters but line ends and tabs", *path)]
    return []


async def question_of(desk: Desk, act: Act, account: Row, operation: ProtocolOperation, **more: Any) -> Question:
    """What the protocol engine is asked about an account that is there: the account and its policy as they stand."""
    values = (await in_force(desk.reads, act.places[account["id"]])).values
    facts: dict[str, Any] = {"account": account_facts(account), "policy": policy_facts(values), **more}
    return Question(account["id"], operation, clock.now(), facts)
