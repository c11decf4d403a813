"""Filters as clients write them, checked and turned into the tests that the graph knows."""

from collections.abc import Iterable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from graph.filters import PART, PART_DECIMALS, Amount
from graph.money import parse_plain
from graph.structure import Located
from resolvers import scope
from resolvers.context import Context
from resolvers.refusals import bad_input

MAX_DEPTH = 10
MAX_CONDITIONS = 200
MAX_CHOICES = 100
MAX_TEXT = 200
_MOST_WHOLE = 10**18


class Budget:
    """How much filter a request may still have."""

    def __init__(self) -> None:
        self._left = MAX_CONDITIONS

    def spend(self, depth: int) -> None:
        """Counts one more filter at this depth. Raises ReadRefused where it is one too many or too deep."""
        self._left -= 1
        if self._left < 0:
            raise bad_input(f"a filter must have at most {MAX_CONDITIONS} parts", "where")
        if depth > MAX_DEPTH:
            raise bad_input(f"a filter must have at most {MAX_DEPTH} levels", "where")


def choices(values: Iterable[str] | None, field: str) -> tuple[str, ...] | None:
    """Sorted values without repeats, so that equal filters are equal; None where nothing is asked."""
    if values is None:
        return None
    found = tuple(sorted(set(values)))
    if len(found) > MAX_CHOICES:
        raise bad_input(f"{field} must list at most {MAX_CHOICES} values", "where", field)
    return found


def text(value: str | None, field: str) -> str | None:
    """A text to look for. Raises ReadRefused for one that is longer than any name, or that no name can have."""
    if value is None:
        return None
    if len(value) > MAX_TEXT:
        raise bad_input(f"{field} must have at most {MAX_TEXT} characters", "where", field)
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise bad_input(f"{field} must be Unicode text", "where", field)
    return value


def at_least(value: str | None, field: str) -> Amount | None:
    """The smallest amount that is not below the value. Raises ReadRefused for what is no plain decimal number."""
    return _amount(value, field, ROUND_CEILING)


def at_most(value: str | None, field: str) -> Amount | None:
    """The largest amount that is not above the value. Raises ReadRefused for what is no plain decimal number."""
    return _amount(value, field, ROUND_FLOOR)


def _amount(value: str | None, field: str, rounding: str) -> Amount | None:
    if value is None:
        return None
    number = parse_plain(value)
    if number is None:
        raise bad_input(f"{field} must be a decimal number of plain ASCII digits, such as 1250.50", "where", field)
    bounded = min(max(number, Decimal(-_MOST_WHOLE)), Decimal(_MOST_WHOLE))
    scaled = int(bounded.scaleb(PART_DECIMALS).to_integral_value(rounding=rounding))
    sign = -1 if scaled < 0 else 1
    return Amount(sign * (abs(scaled) // PART), sign * (abs(scaled) % PART))


async def subtree(context: Context, node_id: str) -> Located | None:
    """Where the group or account stands that a filter is to stay within; None where the caller sees none."""
    found = await scope.place(context, node_id)
    return found if found is not None and found.kind.value in ("grp", "acc") else None
