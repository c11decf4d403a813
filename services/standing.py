"""Whether an account is in a state to do what is asked of it."""

from graph.database import Row
from services.market.port import CURRENCY
from services.problems import ProblemCode, refuse, violation


def require_active(account: Row, *path: str) -> None:
    """Refuses an account that trades under a running fork or merge (CONFLICT) or is not ACTIVE (RULE_VIOLATION)."""
    status = account["status"]
    if status in {"FORKING", "MERGING"}:
        raise refuse(ProblemCode.CONFLICT, f"the account is {status}; try again when that has ended", *path)
    if status != "ACTIVE":
        message = f"the account must be ACTIVE; it is {status}"
        raise violation(message, *path, rule="ACCOUNT_ACTIVE", current=status, required="ACTIVE")


def require_own_money(account: Row, *path: str) -> None:
    """Refuses a COMPOSITE account, which holds nothing itself."""
    if account["kind"] == "COMPOSITE":
        message = "a COMPOSITE account holds nothing itself; name one of its components"
        raise violation(message, *path, rule="ACCOUNT_KIND", current="COMPOSITE", required="INDIVIDUAL or STRATEGY")


def require_market_currency(account: Row, *path: str) -> None:
    """Refuses an account whose currency is not the one that the market trades in."""
    if account["currency"] != CURRENCY:
        message = f"the market trades in {CURRENCY}; the account's currency is {account['currency']}"
        raise violation(message, *path, rule="INSTRUMENT_CURRENCY", current=account["currency"], required=CURRENCY)


def require_together(one: Row, other: Row, *path: str) -> None:
    """Refuses money between tenants, between currencies, and between real and SIMULATED accounts."""
    if one["root"] != other["root"]:
        message = "both accounts must belong to the same tenant"
        raise violation(message, *path, rule="ONE_TENANT", current="two tenants", required="one tenant")
    if one["currency"] != other["currency"]:
        message = f"both accounts must have the same currency, not {one['currency']} and {other['currency']}"
        raise violation(message, *path, rule="ONE_CURRENCY", current=other["currency"], required=one["currency"])
    if one["simulated"] != other["simulated"]:
        message = "real and SIMULATED accounts never share money"
        current, required = str(other["simulated"]), str(one["simulated"])
        raise violation(message, *path, rule="REAL_OR_SIMULATED", current=current, required=required)
