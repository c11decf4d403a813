"""Roll-ups over the public API, held against what the model and the raw graph add up to."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from tests.support.api import Api
from tests.support.forest import Tree
from tests.support.growth import Growth, Total, total
from tests.support.planting import STILL

ROLLUPS = """
query($ids: [ID!]!) { nodes(ids: $ids) { ... on Group { id rollup { accountCount cash { amount currency } } } } }"""
SIZE = 50


async def rollups(api: Api, groups: Sequence[str]) -> dict[str, Total]:
    """The roll-up of each group, as the API tells it."""
    found: dict[str, Total] = {}
    for start in range(0, len(groups), SIZE):
        data = await api.ask(ROLLUPS, ids=list(groups[start : start + SIZE]))
        found |= {node["id"]: _total(node["rollup"]) for node in data["nodes"]}
    return found


def _total(told: dict[str, Any]) -> Total:
    return Total(told["accountCount"], tuple((money["currency"], Decimal(money["amount"])) for money in told["cash"]))


async def require_rollups(api: Api, growth: Growth) -> int:
    """Asserts that every group's roll-up is what its subtree adds up to; how many groups there are."""
    groups = [node.id for node in growth.tree.nodes.values() if not node.account]
    told = await rollups(api, groups)
    for group in groups:
        assert told[group] == total(growth, group), group
    return len(groups)


async def require_kept(api: Api, tree: Tree) -> None:
    """Asserts that a tenant has, while all in it moves, what it had of the currency that nobody pays in."""
    kept = [node for node in tree.accounts() if node.currency == STILL and node.kind != "COMPOSITE"]
    told = (await rollups(api, [tree.root]))[tree.root]
    cash = sum((node.cash.last for node in kept), Decimal(0))
    assert dict(told.cash).get(STILL, Decimal(0)) == cash, tree.root
    assert told.accounts >= sum(node.kind != "COMPOSITE" for node in tree.accounts())
