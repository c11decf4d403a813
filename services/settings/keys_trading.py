"""Keys of trading limits, risk controls and approvals."""

from typing import Any

from services.settings.key import BINDS_ALL, Key, Stricter, every_tier, flag, listing, money, share, whole

LOWER, HIGHER = Stricter.LOWER, Stricter.HIGHER

LIMITS: tuple[Key, ...] = (
    share("limits.maxPositionShare", "The largest share of total value in one instrument.", stricter=LOWER),
    share("limits.minCashShare", "The smallest share of total value that stays in cash.", stricter=HIGHER),
    money("limits.maxOrderValue", "The largest value of one order.", stricter=LOWER),
    whole("limits.maxOpenOrders", "How many orders may be open at once.", 0, 10_000, stricter=LOWER),
    listing(
        "limits.allowedSymbols",
        "The instruments that may be bought; an empty list allows none.",
        items=500,
        stricter=Stricter.SUBSET,
    ),
)

RISK: tuple[Key, ...] = (
    share(
        "risk.maxPortfolioRisk",
        f"Portfolio risk above which a person must approve. {BINDS_ALL}",
        tiers=every_tier(0.1),
        stricter=LOWER,
    ),
    share(
        "risk.maxPositionRisk",
        f"Risk of one position above which a person must approve. {BINDS_ALL}",
        tiers=every_tier(0.05),
        stricter=LOWER,
    ),
    share(
        "risk.recoveryLoss",
        f"Loss above which a recovery needs a person's approval. {BINDS_ALL}",
        tiers=every_tier(0.15),
        stricter=LOWER,
    ),
    share(
        "risk.minimumConfidence",
        f"Confidence of the week's classification below which a person must approve. {BINDS_ALL}",
        tiers=every_tier(0.7),
        stricter=HIGHER,
    ),
)


def _approval(name: str, what: str, *, default: bool = False, **more: Any) -> Key:
    words = f"A person must approve {what}." + (f" {BINDS_ALL}" if "tiers" in more else "")
    return flag(f"approval.{name}", words, default=default, stricter=Stricter.TRUE, **more)


def _expiry(name: str, what: str, minutes: int) -> Key:
    return whole(
        f"approval.{name}ExpiryMinutes",
        f"How long a review of {what} may wait; then its operation is rejected.",
        1,
        7 * 24 * 60,
        default=minutes,
        unit="minutes",
        stricter=LOWER,
    )


APPROVAL: tuple[Key, ...] = (
    _approval("order", "each order: the account is not yet trusted", tiers=every_tier(value=True)),
    _approval("fork", "each fork"),
    _approval("merge", "each merge", default=True),
    _approval("deposit", "each deposit"),
    _approval("withdrawal", "each withdrawal"),
    _approval("transfer", "each transfer"),
    money(
        "approval.adjustmentAmount",
        "An adjustment above this amount needs a person's approval.",
        default="1000",
        stricter=LOWER,
    ),
    _expiry("order", "a trade's entry", 120),
    _expiry("adjustment", "an adjustment", 30),
    _expiry("recovery", "a recovery after a loss", 15),
    _expiry("riskBreach", "a breach of a risk limit", 5),
    _expiry("ruleViolation", "a violation of a rule", 1),
    _expiry("emergencyExit", "an emergency exit", 2),
    _expiry("fork", "a fork", 24 * 60),
    _expiry("merge", "a merge", 24 * 60),
    _expiry("cash", "a deposit, withdrawal or transfer", 24 * 60),
)
