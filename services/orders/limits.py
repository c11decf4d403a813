"""What an order's numbers must be, and whether the account has the means for it."""

from graph.database import Row
from graph.money import (
    MAX_PRICE_DIGITS,
    MAX_QUANTITY,
    QUANTITY_DECIMALS,
    from_minor,
    from_scaled,
    parse_plain,
    to_scaled,
)
from services.facts import text
from services.posting import available
from services.problems import Problem, ProblemCode, invalid, rule_violation

PRICE_DECIMALS = 8


def check_quantity(value: str, *path: str) -> list[Problem]:
    """The problem of a positive number that is no quantity: over 8 decimals, or above the largest."""
    number = parse_plain(value)
    scaled = None if number is None else to_scaled(number)
    if scaled is None:
        return [invalid(f"{path[-1]} must have at most {QUANTITY_DECIMALS} decimals", *path)]
    if scaled > MAX_QUANTITY:
        return [invalid(f"{path[-1]} must be at most {text(from_scaled(MAX_QUANTITY))}", *path)]
    return []


def check_price(value: str, *path: str) -> list[Problem]:
    """The problem of a positive number that is no price: over 8 decimals, or over 18 digits in all."""
    _, _, decimals = value.partition(".")
    if len(decimals) > PRICE_DECIMALS:
        return [invalid(f"{path[-1]} must have at most {PRICE_DECIMALS} decimals", *path)]
    if len(value.replace(".", "")) > MAX_PRICE_DIGITS:
        return [invalid(f"{path[-1]} must have at most {MAX_PRICE_DIGITS} digits", *path)]
    return []


def short_of_cash(account: Row, cash: int) -> list[Problem]:
    """The problem of a buy that holds more cash than the account has available."""
    free = available(account)
    if cash <= free:
        return []
    currency = account["currency"]
    needed, there = text(from_minor(cash, currency)), text(from_minor(free, currency))
    message = f"the order holds {needed} {currency} and the account has {there} available"
    return [Problem(ProblemCode.INSUFFICIENT_FUNDS, message, ("quantity",), {"available": there})]


def short_of_shares(position: Row | None, symbol: str, quantity: int) -> list[Problem]:
    """The problem of a sell of more than the account holds and no other open order holds back."""
    free = position["quantity"] - position["held"] if position else 0
    if quantity <= free:
        return []
    wanted, there = text(from_scaled(quantity)), text(from_scaled(free))
    message = f"the account can sell {there} of {symbol}: nothing is sold that is not held, or that an order holds"
    return [rule_violation("POSITION_AVAILABLE", message, there, wanted, "quantity")]
