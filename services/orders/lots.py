"""Which lots a sale takes, and what they cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

from graph.database import Row
from graph.money import value_of


@dataclass(frozen=True, slots=True)
class Taken:
    """A part of a lot that is sold: the lot as it was, and how much (1e-8) of it goes."""

    lot: Row
    quantity: int

    @property
    def left(self) -> int:
        """What stays of the lot."""
        return self.lot["quantity"] - self.quantity


def take(lots: Sequence[Row], quantity: int, rule: str) -> list[Taken]:
    """The parts of the open lots (oldest first) that a sale of so much takes by the rule of `reporting.costBasis`."""
    taken: list[Taken] = []
    for lot in _in_order(lots, rule):
        part = min(quantity, lot["quantity"])
        if part == 0:
            break
        taken.append(Taken(lot, part))
        quantity -= part
    assert quantity == 0, "nothing is sold that is not held"
    return taken


def cost_of(taken: Sequence[Taken]) -> Decimal:
    """What the parts cost when they were bought, together and exact."""
    with localcontext(prec=60):
        return sum((value_of(part.quantity, Decimal(part.lot["price"])) for part in taken), Decimal(0))


def _in_order(lots: Sequence[Row], rule: str) -> Sequence[Row]:
    match rule:
        case "LIFO":
            return list(reversed(lots))
        case "HIGHEST_COST":
            return sorted(lots, key=lambda lot: Decimal(lot["price"]), reverse=True)
        case _:
            return lots
