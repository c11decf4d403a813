"""What one rule found, and the comparisons that rules are made of."""

from dataclasses import dataclass
from decimal import Decimal

from pydantic import JsonValue

from graph.money import plain


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether a rule holds; the words, the value found and the value asked for tell of a rule that does not."""

    holds: bool
    description: str
    current: JsonValue
    required: JsonValue


def at_least(value: Decimal | None, limit: Decimal | None, what: str) -> Finding | None:
    """The finding that `what` must be the limit or more; None where either is unknown."""
    if value is None or limit is None:
        return None
    words = f"{what} must be {text_of(limit)} or more; it is {text_of(value)}."
    return Finding(value >= limit, words, text_of(value), text_of(limit))


def at_most(value: Decimal | None, limit: Decimal | None, what: str) -> Finding | None:
    """The finding that `what` must be the limit or less; None where either is unknown."""
    if value is None or limit is None:
        return None
    words = f"{what} must be {text_of(limit)} or less; it is {text_of(value)}."
    return Finding(value <= limit, words, text_of(value), text_of(limit))


def text_of(value: Decimal) -> str:
    """The exact number without needless zeros or an exponent."""
    return format(plain(value), "f")
