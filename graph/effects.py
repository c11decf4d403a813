"""What a record of the journal changes in the totals of groups, told by its payload alone."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson

from graph.database import Row
from graph.ids import Kind, kind_of

Positions = list[tuple[str, int]]
"""A symbol and a quantity (1e-8) for each position."""


@dataclass(frozen=True, slots=True)
class Branched:
    """A group came to stand in another one; the tenant's root stands in none."""

    group: str
    parent: str | None
    new: bool


@dataclass(frozen=True, slots=True)
class Opened:
    """An account was created, with its cash in minor units. It is not `counted` where it is a sum, or of paper."""

    account: str
    parent: str | None
    currency: str
    counted: bool
    cash: int


@dataclass(frozen=True, slots=True)
class Carried:
    """An account was moved, with its cash in minor units and its positions; None where the record does not tell."""

    account: str
    parent: str
    cash: int | None
    positions: Positions


@dataclass(frozen=True, slots=True)
class Changed:
    """How an account's cash (minor units) and positions changed, and whether it was closed (-1) or opened again (1)."""

    account: str
    cash: int = 0
    opened: int = 0
    gone: tuple[tuple[str, int], ...] = ()
    come: tuple[tuple[str, int], ...] = ()


Effect = Branched | Opened | Carried | Changed


class Unfoldable(Exception):
    """A record says nothing that could be folded: it is not as the house writes it."""

    def __init__(self, feed: str, number: int) -> None:
        super().__init__(feed, number)
        self.number = number


@contextmanager
def foldable(feed: str, number: int) -> Generator[None]:
    """Raises Unfoldable where a record has not the form that its kind has."""
    try:
        yield
    except (LookupError, TypeError, ValueError) as error:
        raise Unfoldable(feed, number) from error


def effects(record: Row) -> list[Effect]:
    """What a record with `kind`, `nodes` and `payload` did, in order; nothing where it touches no total."""
    payload = orjson.loads(record["payload"])
    before, after = payload["before"] or {}, payload["after"] or {}
    nodes: list[str] = record["nodes"]
    match record["kind"]:
        case "GROUP_CREATED":
            return [Branched(nodes[0], after["parent"], new=True)]
        case "ACCOUNT_CREATED":
            counted = after["kind"] != "COMPOSITE" and not after["simulated"] and after["status"] != "CLOSED"
            return [Opened(nodes[0], after["parent"], after["currency"], counted, after["cash"])]
        case "MOVED" if kind_of(nodes[0]) is Kind.GROUP:
            return [Branched(nodes[0], after["parent"], new=False)]
        case "MOVED":
            positions = [(symbol, quantity) for symbol, quantity in after.get("positions") or ()]
            return [Carried(nodes[0], after["parent"], after.get("cash"), positions)]
        case "STATUS_CHANGED":
            opened = (before["status"] == "CLOSED") - (after["status"] == "CLOSED")
            return [Changed(nodes[0], opened=opened)] if opened else []
        case "POSTED" | "ORDER_PLACED" | "ORDER_CHANGED" | "ORDER_ENDED":
            return list(_posted(nodes, before, after))
        case _:
            return []


def _posted(nodes: list[str], before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Changed]:
    for account, row in (after.get("accounts") or {}).items():
        cash = row["cash"] - before[account]["cash"]
        if cash:
            yield Changed(account, cash=cash)
    for position, row in (after.get("positions") or {}).items():
        gone, come = _quantity(before.get(position)), _quantity(row)
        if gone != come:
            yield Changed(row.get("account", nodes[0]), gone=gone, come=come)


def _quantity(position: Mapping[str, Any] | None) -> tuple[tuple[str, int], ...]:
    """The symbol and quantity of a position as it is recorded; a record of what is held back alone tells neither."""
    if position is None or not position.get("quantity"):
        return ()
    return ((position["symbol"], position["quantity"]),)
