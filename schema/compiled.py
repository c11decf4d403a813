"""Which fields of the schema are compiled, and what each is made of; whatever is not named here is resolved."""

from typing import Any

import orjson

from graph.reads_lists import BY_CREATION
from resolvers.compiling.fields import Children, NodeType, Uncovered, Value, plain
from resolvers.paging import MAX_PAGE
from schema.types.money import Money, money


def _cash(kind: str, cash: int, currency: str) -> Money:
    return money(_own(kind, cash), currency)


def _available(kind: str, cash: int, held: int, currency: str) -> Money:
    return money(_own(kind, cash) - held, currency)


def _own(kind: str, cash: int) -> int:
    """An account's own cash. Raises Uncovered for a COMPOSITE account, which has that of its components."""
    if kind == "COMPOSITE":
        raise Uncovered
    return cash


def _json(text: str | None) -> Any:
    return None if text is None else orjson.loads(text)


def _sorted(names: list[str] | None) -> list[str]:
    return sorted(names or ())


ACCOUNT = NodeType(
    "Account",
    {
        **plain("id", "name", "description", "kind", "tier", "status", "currency", "simulated", "version"),
        **plain("createdAt", "updatedAt"),
        "cash": Value(("kind", "cash", "currency"), _cash),
        "available": Value(("kind", "cash", "held", "currency"), _available),
        "metadata": Value(("metadata",), _json),
    },
)
GROUP = NodeType(
    "Group",
    {
        **plain("id", "name", "version", "createdAt", "updatedAt", "closedAt"),
        "locks": Value(("locks",), _sorted),
        "metadataSchema": Value(("metadataSchema",), _json),
    },
    {
        "groups": Children("Group", "Group.groups", BY_CREATION, MAX_PAGE),
        "accounts": Children("Account", "Group.accounts", BY_CREATION, MAX_PAGE),
    },
)
COMPILED = {"Account": ACCOUNT, "Group": GROUP}
