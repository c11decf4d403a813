"""The limits that settings put on an account's orders. One that refuses is a RULE_VIOLATION of its setting's key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

from graph.database import Row
from graph.money import from_minor, plain, round_to_minor, value_of
from services.commands import Outdated
from services.market.port import CURRENCY, Side
from services.orders.holds import expected_commission
from services.posting import available
from services.problems import Problem, rule_violation
from services.settings.resolution import Effective
from services.settings.values import count, number, texts
from services.valuation import Marks

POSITION_SHARE, CASH_SHARE = "limits.maxPositionShare", "limits.minCashShare"
ORDER_VALUE, OPEN_ORDERS, SYMBOLS = "limits.maxOrderValue", "limits.maxOpenOrders", "limits.allowedSymbols"
_SHOWN_SYMBOLS = 20


@dataclass(frozen=True, slots=True)
class Intent:
    """An order to come: how much (1e-8) of what, at the last price and the one that it is expected to trade at."""

    symbol: str
    side: Side
    quantity: int
    last: Decimal
    price: Decimal

    @property
    def value(self) -> int:
        """What it trades for, in minor units, without commission."""
        return round_to_minor(value_of(self.quantity, self.price), CURRENCY)


@dataclass(frozen=True, slots=True)
class Stance:
    """The account before the order: its value (None where a price was never known) and what its open orders add."""

    account: Row
    total: int | None
    holding: int
    open_orders: int
    buying: int
    values: Mapping[str, Effective]


def worth(account: Row, held: Sequence[Row], marks: Marks) -> int | None:
    """Cash plus positions at their last prices, in minor units; None where one never had a price.

    Raises Outdated where a symbol was not asked for.
    """
    if any(position["symbol"] not in marks.asked for position in held):
        raise Outdated
    if any(position["symbol"] not in marks.prices for position in held):
        return None
    values = (value_of(position["quantity"], marks.prices[position["symbol"]].last) for position in held)
    return account["cash"] + sum(round_to_minor(value, account["currency"]) for value in values)


def judge(intent: Intent, stance: Stance) -> list[Problem]:
    """Every limit that the order would break. Nothing but its size and number ever stops a sale."""
    broken = [_order_value(intent, stance), _open_orders(stance)]
    if intent.side is Side.BUY:
        broken += [_symbol(intent, stance), _position_share(intent, stance), _cash_share(intent, stance)]
    return [problem for problem in broken if problem is not None]


def _order_value(intent: Intent, stance: Stance) -> Problem | None:
    most = number(stance.values, ORDER_VALUE)
    value = from_minor(intent.value, CURRENCY)
    if most is None or value <= most:
        return None
    message = f"the order's value is {value:f}; the account's limit is {most:f}"
    return rule_violation(ORDER_VALUE, message, f"{value:f}", f"{most:f}", "quantity")


def _open_orders(stance: Stance) -> Problem | None:
    most = count(stance.values, OPEN_ORDERS)
    if most is None or stance.open_orders < most:
        return None
    message = f"the account has {stance.open_orders} open orders; its limit is {most}"
    return rule_violation(OPEN_ORDERS, message, str(stance.open_orders), str(most), "accountId")


def _symbol(intent: Intent, stance: Stance) -> Problem | None:
    allowed = texts(stance.values, SYMBOLS)
    if allowed is None or intent.symbol in allowed:
        return None
    more = " and others" if len(allowed) > _SHOWN_SYMBOLS else ""
    listed = (", ".join(allowed[:_SHOWN_SYMBOLS]) or "no symbol") + more
    message = f"the account may buy {listed}; {intent.symbol} is not among them"
    return rule_violation(SYMBOLS, message, intent.symbol, listed, "symbol")


def _position_share(intent: Intent, stance: Stance) -> Problem | None:
    most = number(stance.values, POSITION_SHARE)
    if most is None:
        return None
    quantity = stance.holding + stance.buying + intent.quantity
    share = _share(round_to_minor(value_of(quantity, intent.last), CURRENCY), _total_after(intent, stance))
    if share is not None and share <= most:
        return None
    return _share_problem(POSITION_SHARE, f"{intent.symbol} would be", share, "at most", most)


def _cash_share(intent: Intent, stance: Stance) -> Problem | None:
    least = number(stance.values, CASH_SHARE)
    if least is None:
        return None
    cash = available(stance.account) - intent.value - expected_commission(intent.quantity)
    share = _share(cash, _total_after(intent, stance))
    if share is not None and share >= least:
        return None
    return _share_problem(CASH_SHARE, "cash would be", share, "at least", least)


def _total_after(intent: Intent, stance: Stance) -> int | None:
    if stance.total is None:
        return None
    bought = round_to_minor(value_of(intent.quantity, intent.last), CURRENCY)
    return stance.total + bought - intent.value - expected_commission(intent.quantity)


def _share(part: int, whole: int | None) -> Decimal | None:
    if whole is None or whole <= 0:
        return None
    with localcontext(prec=28):
        return Decimal(part) / Decimal(whole)


def _share_problem(key: str, what: str, share: Decimal | None, bound: str, limit: Decimal) -> Problem:
    # A value that nobody knows cannot keep a limit: the order is refused rather than let through.
    told = "unknown" if share is None else f"{plain(share.quantize(Decimal('0.000001'))):f}"
    message = f"{what} {told} of the account's value; its limit is {bound} {limit:f}"
    return rule_violation(key, message, told, f"{limit:f}", "quantity")
