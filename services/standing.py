"""Whether an account is in a state to do what is asked of it."""

from graph.database import Row
from services.problems import ProblemCode, refuse


def require_active(account: Row, *path: str) -> None:
    """Refuses an account that trades under a running fork or merge (CONFLICT) or is not ACTIVE (RULE_VIOLATION)."""
    status = account["status"]
    if status in {"FORKING", "MERGING"}:
        raise refuse(ProblemCode.CONFLICT, f"the account is {status}; try again when that has ended", *path)
    if status != "ACTIVE":
        message = f"the account must be ACTIVE; it is {status}"
        raise _rule(message, "ACCOUNT_ACTIVE", status, "ACTIVE", *path)


def require_own_money(account: Row, *path: str) -> None:
    """Refuses a COMPOSITE account, which holds nothing itself."""
    if account["kind"] == "COMPOSITE":
        message = "a COMPOSITE account holds nothing itself; name one of its components"
        raise _rule(message, "ACCOUNT_KIND", "COMPOSITE", "INDIVIDUAL or STRATEGY", *path)


def require_together(one: Row, other: Row, *path: str) -> None:
    """Refuses money between tenants, between currencies, and between real and SIMULATED accounts."""
    if one["root"] != other["root"]:
        raise _rule("both accounts must belong to the same tenant", "ONE_TENANT", "two tenants", "one tenant", *path)
    if one["currency"] != other["currency"]:
        message = f"both accounts must have the same currency, not {one['currency']} and {other['currency']}"
        raise _rule(message, "ONE_CURRENCY", other["currency"], one["currency"], *path)
    if one["simulated"] != other["simulated"]:
        message = "real and SIMULATED accounts never share money"
        raise _rule(message, "REAL_OR_SIMULATED", str(other["simulated"]), str(one["simulated"]), *path)


def _rule(message: str, rule: str, current: str, required: str, *path: str) -> Exception:
    return refuse(
        ProblemCode.RULE_VIOLATION, message, *path, rule=rule, current=current, required=required, overridable=False
    )
