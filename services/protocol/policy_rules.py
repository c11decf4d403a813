"""Rules that reject: what an account's policy does not allow."""

from services.protocol.facts import WEEKDAYS, Facts
from services.protocol.finding import Finding, at_least, text_of

SHOWN_SYMBOLS = 20


def allowed_symbol(facts: Facts) -> Finding | None:
    """An entry is in one of the policy's symbols. A sale never fails on it: what is held can be given up."""
    symbol, symbols = facts.order.symbol, facts.policy.symbols
    if symbol is None or symbols is None or facts.order.side == "SELL":
        return None
    more = " and others" if len(symbols) > SHOWN_SYMBOLS else ""
    listed = ", ".join(symbols[:SHOWN_SYMBOLS]) + more
    words = f"Policy lets this account buy {listed or 'no symbol'}; {symbol} is not among them."
    return Finding(symbol in symbols, words, symbol, listed)


def entry_day(facts: Facts) -> Finding | None:
    """An entry falls, by the market's date, on one of the policy's weekdays; a sale may be on any."""
    day, days = facts.market_date, facts.policy.entry_days
    if day is None or days is None or facts.order.side == "SELL":
        return None
    weekday, listed = WEEKDAYS[day.weekday()], ", ".join(days)
    words = f"Policy lets this account enter on {listed or 'no day'}; the market's date {day} is a {weekday}."
    return Finding(weekday in days, words, weekday, listed)


def first_order_minimum(facts: Facts) -> Finding | None:
    """An account is worth the minimum investment (cash and positions) when it places its first order."""
    if facts.account.orders != 0:
        return None
    worth = facts.account.cash if facts.account.total_value is None else facts.account.total_value
    return at_least(worth, facts.policy.minimum_investment, "At its first order the account's value")


def withdrawals_allowed(facts: Facts) -> Finding | None:
    """Policy lets the account be withdrawn from; a correction is no withdrawal."""
    allowed = facts.policy.withdrawals
    if allowed is None or facts.adjustment is True:
        return None
    words = "Policy allows no withdrawals from this account."
    return Finding(allowed, words, current=allowed, required=True)


def fork_surplus(facts: Facts) -> Finding | None:
    """The value beyond the initial balance reaches the fork threshold."""
    if facts.fork.simulated is True:
        return None
    what = "To fork, the account's surplus over its initial balance"
    return at_least(facts.fork.surplus, facts.policy.surplus_threshold, what)


def fork_remaining(facts: Facts) -> Finding | None:
    """Enough stays in the parent."""
    if facts.fork.simulated is True:
        return None
    return at_least(facts.fork.remaining, facts.policy.minimum_remaining, "What stays in the account after the fork")


def fork_minimum(facts: Facts) -> Finding | None:
    """The child starts with the minimum investment."""
    if facts.fork.simulated is True:
        return None
    return at_least(facts.fork.child_value, facts.policy.minimum_investment, "What the forked account starts with")


def fork_cooldown(facts: Facts) -> Finding | None:
    """The account's last fork is long enough ago."""
    if facts.fork.simulated is True:
        return None
    what = "The hours since the account's last fork"
    return at_least(facts.fork.hours_since_last, facts.policy.cooldown_hours, what)


def fork_count(facts: Facts) -> Finding | None:
    """One fork more is within the policy's number for a market date."""
    today, most = facts.fork.today, facts.policy.max_forks_per_day
    if today is None or most is None or facts.fork.simulated is True:
        return None
    words = f"Policy allows {text_of(most)} forks of an account a day; there were {today} already."
    return Finding(today < most, words, current=today, required=text_of(most))
