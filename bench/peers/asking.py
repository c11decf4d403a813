"""What each peer is asked, in its own schema's words, for the facts that the product is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

ACCOUNT = "id name kind tier status currency version cash"


@dataclass(frozen=True, slots=True)
class Documents:
    """The documents of one server. All take `$id`; the trees take `$groups` and `$each` too."""

    point: str
    nested: str
    """Groups of a group, with accounts in each."""
    wide: str
    """Groups of the groups of a group, with accounts in each."""


_SORTED = "sort: [{ createdAt: ASC }, { id: ASC }]"
_ACCOUNTS = f"accounts(limit: $each, {_SORTED}) {{ {ACCOUNT} }}"
_GROUPS = f"groups(limit: $groups, {_SORTED}) {{ id name"
_TREE = "($id: ID!, $groups: Int!, $each: Int!) { groups(where: { id: { eq: $id } }) { id name"
NEO4J_GRAPHQL = Documents(
    point=f"query Point($id: ID!) {{ accounts(where: {{ id: {{ eq: $id }} }}) {{ {ACCOUNT} }} }}",
    nested=f"query Nested{_TREE} {_GROUPS} {_ACCOUNTS} }} }} }}",
    wide=f"query Wide{_TREE} {_GROUPS} {_GROUPS} {_ACCOUNTS} }} }} }} }}",
)

_BELOW = f"accounts(first: $each) {{ {ACCOUNT} }}"
_PLAIN_GROUPS = "groups(first: $groups) { id name"
_PLAIN_TREE = "($id: ID!, $groups: Int!, $each: Int!) { group(id: $id) { id name"
PLAIN_STRAWBERRY = Documents(
    point=f"query Point($id: ID!) {{ account(id: $id) {{ {ACCOUNT} }} }}",
    nested=f"query Nested{_PLAIN_TREE} {_PLAIN_GROUPS} {_BELOW} }} }} }}",
    wide=f"query Wide{_PLAIN_TREE} {_PLAIN_GROUPS} {_PLAIN_GROUPS} {_BELOW} }} }} }} }}",
)


def facts_of(data: Mapping[str, Any]) -> dict[str, Any] | None:
    """The one node that an answer's data hold, as `facts` tells it, or None where there is none."""
    (found,) = data.values()
    node = (found[0] if found else None) if isinstance(found, list) else found
    return facts(node) if node else None


def facts(node: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a node in one shape: what is below it as lists, cash as minor units of a currency with cents."""
    told = {name: _fact(name, value) for name, value in node.items()}
    return {"tier": None, **told} if "kind" in told else told


def _fact(name: str, value: Any) -> Any:
    if name in {"groups", "accounts"}:
        return [facts(each) for each in (value["nodes"] if isinstance(value, dict) else value)]
    if name == "cash":
        return int(Decimal(value["amount"]).scaleb(2)) if isinstance(value, dict) else int(value)
    return value
