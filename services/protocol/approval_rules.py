"""Rules that ask: what a person must approve before it takes effect."""

from services.protocol.facts import Facts
from services.protocol.finding import Finding, at_least, at_most


def order_approved(facts: Facts) -> Finding | None:
    """Every order of an account that is not yet trusted, where policy asks for it."""
    if facts.policy.approve_orders is not True:
        return None
    trusted = facts.account.trusted is True
    words = "A person must approve the orders of an account that is not yet trusted."
    return Finding(trusted, words, current=trusted, required=True)


def deposit_approved(facts: Facts) -> Finding | None:
    """Every deposit, where policy asks for it."""
    return _asked(asked=facts.policy.approve_deposits, words="A person must approve deposits to this account.")


def withdrawal_approved(facts: Facts) -> Finding | None:
    """Every withdrawal, where policy asks for it."""
    return _asked(asked=facts.policy.approve_withdrawals, words="A person must approve withdrawals from this account.")


def transfer_approved(facts: Facts) -> Finding | None:
    """Every transfer, where policy asks for it on either side."""
    return _asked(asked=facts.policy.approve_transfers, words="A person must approve transfers of this account.")


def fork_approved(facts: Facts) -> Finding | None:
    """Every fork, where policy asks for it."""
    return _asked(asked=facts.policy.approve_forks, words="A person must approve forks of this account.")


def merge_approved(facts: Facts) -> Finding | None:
    """Every merge, where policy asks for it."""
    return _asked(asked=facts.policy.approve_merges, words="A person must approve merges of this account.")


def adjustment_approved(facts: Facts) -> Finding | None:
    """An adjustment, up or down, over the policy's amount, whatever the currency."""
    if facts.adjustment is not True or facts.amount is None:
        return None
    what = "Without a person's approval, an adjustment"
    return at_most(abs(facts.amount), facts.policy.adjustment_amount, what)


def confident(facts: Facts) -> Finding | None:
    """Confidence reaches the policy's least."""
    return at_least(facts.confidence, facts.policy.min_confidence, "Without a person's approval, confidence")


def recovering(facts: Facts) -> Finding | None:
    """An account that lost more than the policy's share trades on only with a person's approval."""
    return at_most(facts.loss_share, facts.policy.loss_share, "Without a person's approval, the share lost")


def drawdown(facts: Facts) -> Finding | None:
    """The fall from the account's highest value is within the policy's most."""
    return at_most(facts.drawdown, facts.policy.max_drawdown, "Without a person's approval, drawdown")


def portfolio_risk(facts: Facts) -> Finding | None:
    """The portfolio's risk is within the policy's most."""
    what = "Without a person's approval, portfolio risk"
    return at_most(facts.portfolio_risk, facts.policy.portfolio_risk, what)


def position_risk(facts: Facts) -> Finding | None:
    """The position's risk is within the policy's most."""
    what = "Without a person's approval, position risk"
    return at_most(facts.position_risk, facts.policy.position_risk, what)


def _asked(*, asked: bool | None, words: str) -> Finding | None:
    # Only a person's approval can make it hold, and whether that was given is not among the facts.
    return None if asked is None else Finding(not asked, words, current=not asked, required=True)
