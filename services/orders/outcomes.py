"""What the reports of an order make of its operation: its state, and the problems that it tells."""

from graph.database import Row
from graph.money import from_minor, from_scaled
from services.facts import text
from services.market.port import OrderReport, OrderStatus
from services.operations import RUNNING
from services.posting import available
from services.problems import Problem, ProblemCode, rule_violation


def ended_already(status: str) -> Problem:
    """The problem of cancelling an order that has ended."""
    message = f"only an open order can be cancelled; this one is {status}"
    return rule_violation("ORDER_OPEN", message, status, "open", "orderOperationId")


def rejection(report: OrderReport) -> Problem:
    """The problem of an order that the market ended without filling any of it."""
    reason = report.reason or f"the market says that the order is {report.status.value}"
    return Problem(ProblemCode.MARKET_REJECTED, reason)


def outcome(order: Row, report: OrderReport) -> tuple[str, Problem | None]:
    """The state of the order's operation after the report, and the problem that it tells."""
    if not report.status.final:
        return RUNNING, None
    if report.status is OrderStatus.FILLED:
        return "SUCCEEDED", None
    if report.filled_scaled:
        rest, whole = (
            text(from_scaled(order["quantity"] - report.filled_scaled)),
            text(from_scaled(order["quantity"])),
        )
        words = f"{rest} of {whole} were not filled: the order is {report.status.value}"
        reason = f" ({report.reason})" if report.reason else ""
        return "SUCCEEDED", Problem(ProblemCode.MARKET_REJECTED, words + reason)
    if report.status is OrderStatus.CANCELLED and order["cancelOperation"] is not None:
        return "CANCELLED", None
    return "FAILED", rejection(report)


def shortfall(account: Row, spent: int, held: int) -> Problem | None:
    """The problem of fills that cost more than the order held (minor units), where the account does not have it."""
    if available(account) >= 0:
        return None
    currency = account["currency"]
    cost, hold, cash, free = (
        text(from_minor(minor, currency)) for minor in (spent, held, account["cash"], available(account))
    )
    words = f"the market filled at a price beyond what the order held: {cost} {currency}, not {hold}"
    message = f"{words}; the account's cash is {cash} {currency} now, which deposits must make up for"
    return Problem(ProblemCode.INSUFFICIENT_FUNDS, message, ("quantity",), {"available": free})
