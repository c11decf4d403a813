"""Amounts as callers write them: read exactly, or told what would be right."""

from typing import Annotated

from pydantic import AfterValidator

from graph.money import MAX_MINOR, currency_decimals, from_minor, parse_plain, plain, to_minor
from services.problems import Problem, Refused, invalid


def _coerced(value: str) -> str:
    """The same number always as the same text, so that a repeated input is known again; other text as it is."""
    number = parse_plain(value)
    return value if number is None else format(plain(number), "f")


DecimalText = Annotated[str, AfterValidator(_coerced)]
"""A decimal number as its caller wrote it: plain where it is one, else untouched until it is checked."""


def check_positive(value: str, *path: str) -> list[Problem]:
    """The problem of a text that is no plain decimal number above zero."""
    number = parse_plain(value)
    field = path[-1]
    if number is None:
        return [invalid(f"{field} must be a decimal number of plain ASCII digits, such as 1250.50", *path)]
    if number <= 0:
        return [invalid(f"{field} must be above 0", *path)]
    return []


def check_fits(value: str, currency: str, *path: str) -> list[Problem]:
    """The problem of a checked positive amount that has too many decimals for its currency, or is too large."""
    fitted = _fitted(value, currency, *path)
    return [fitted] if isinstance(fitted, Problem) else []


def positive_minor(value: str, currency: str, *path: str) -> int:
    """The minor units of a checked positive amount. Refused where it does not fit."""
    fitted = _fitted(value, currency, *path)
    if isinstance(fitted, Problem):
        raise Refused(fitted)
    return fitted


def _fitted(value: str, currency: str, *path: str) -> int | Problem:
    number = parse_plain(value)
    assert number is not None, "check_positive comes first"
    field = path[-1]
    minor = to_minor(number, currency)
    if minor is None:
        decimals = currency_decimals(currency)
        return invalid(f"{field} must have at most {decimals} decimals, as {currency} has", *path)
    return minor if minor <= MAX_MINOR else invalid(f"{field} must be at most {from_minor(MAX_MINOR, currency)}", *path)
