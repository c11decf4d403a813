"""What the protocol engine is told of an account, by the names of services/protocol/facts.py."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from graph.database import Row
from graph.money import from_minor
from services.posting import available
from services.settings.resolution import Effective

MONEY = frozenset({"cash", "available", "totalValue"})
"""The facts of an account that every posting changes."""
_POLICY_PREFIXES = ("approval.", "fork.", "merge.", "policy.", "reinvest.", "risk.")


def account_facts(account: Row, **more: Any) -> dict[str, Any]:
    """An account as it stands: amounts as exact decimal text in its currency."""
    currency = account["currency"]
    return {
        "kind": account["kind"],
        "tier": account["tier"],
        "status": account["status"],
        "currency": currency,
        "simulated": account["simulated"],
        "cash": text(from_minor(account["cash"], currency)),
        "available": text(from_minor(available(account), currency)),
        **more,
    }


def policy_facts(values: Mapping[str, Effective]) -> dict[str, Any]:
    """The policy in force, by the settings' keys."""
    return {key: effective.value for key, effective in values.items() if key.startswith(_POLICY_PREFIXES)}


def text(number: Decimal) -> str:
    """A decimal as plain digits, never with an exponent."""
    return format(number, "f")
