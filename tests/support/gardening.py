"""What is done to trees at once: moves, some of which cross, and everything else that changes a tree."""

import random
from collections.abc import Iterator
from typing import Any

from tests.support.api import Api
from tests.support.forest import Asked, Node, Tree, changing, now
from tests.support.planting import CURRENCIES, STILL, Planter

RATIONALE = "a better place"
PAYING = tuple(currency for currency in CURRENCIES if currency != STILL)
Wanted = tuple[Tree, str, str]


def some_moves(chance: random.Random, tree: Tree, number: int) -> Iterator[list[Wanted]]:
    """So many random moves in a tree: one by one, or some that belong at the same moment since they cross."""
    while number > 0:
        together = _together(chance, tree)[:number]
        number -= len(together)
        yield [(tree, node.id, parent.id) for node, parent in together]


def _together(chance: random.Random, tree: Tree) -> list[tuple[Node, Node]]:
    groups = tree.groups()
    inner = [node for node in groups if node.id != tree.root]
    kind = chance.random()
    if kind < 0.25 and len(inner) > 1:
        round_trip = chance.sample(inner, min(len(inner), chance.choice((2, 2, 3, 4))))
        return list(zip(round_trip, [*round_trip[1:], round_trip[0]], strict=True))
    node = chance.choice(inner if kind < 0.4 else tree.accounts())
    others = [group for group in groups if group is not node]
    return [(node, parent) for parent in chance.sample(others, min(len(others), 2 if kind > 0.9 else 1))]


async def move(api: Api, wanted: Wanted) -> Asked:
    """Asks for a move, and notes what came of it; it is refused only for where it would lead."""
    tree, node, parent = wanted
    start = now()
    answer = await api.do("move", "node { id }", id=node, parentId=parent, rationale=RATIONALE)
    if "code" in answer:
        assert (answer["code"], answer["path"]) == ("INVALID_INPUT", ["parentId"]), answer
    else:
        assert answer["node"] == {"id": node}
    asked = Asked(node, parent, start, now(), "code" not in answer)
    tree.moves.append(asked)
    return asked


class Gardener:
    """Creates, renames, moves, closes and pays in, one after another, for as long as it is asked to."""

    def __init__(self, api: Api, chance: random.Random, trees: list[Tree]) -> None:
        self._api = api
        self._chance = chance
        self._trees = trees
        self._planter = Planter(api, chance)

    async def work(self) -> str:
        """Makes one random change; its name."""
        tree = self._chance.choice(self._trees)
        name, change = self._chance.choice(
            (("create", self.create), ("rename", self.rename), ("close", self.close), ("deposit", self.deposit))
        )
        await change(tree)
        return name

    async def create(self, tree: Tree) -> None:
        """A new account or group somewhere, which may move once."""
        parent = self._chance.choice([group for group in tree.groups() if not group.configured])
        if self._chance.random() < 0.3:
            node = await self._planter.group(tree, parent.id, planted=False)
        else:
            currency = self._chance.choice(PAYING)
            node = await self._planter.account(tree, parent.id, currency, configured=False, planted=False)
        if self._chance.random() < 0.5:
            node.busy = True  # somebody who closes it now would have the move refused
            try:
                await move(self._api, (tree, node.id, self._chance.choice(tree.groups()).id))
            finally:
                node.busy = False

    async def rename(self, tree: Tree) -> None:
        """Another name for an account or a group."""
        node = self._chance.choice([each for each in tree.nodes.values() if each.status.last == "ACTIVE"])
        field, mutation = ("account", "updateAccount") if node.account else ("group", "updateGroup")
        name = f"{self._chance.choice('aÅbz')} {self._chance.randrange(50)}"
        if await self._change(node, mutation, field, name=name):
            node.name.set(now(), name)

    async def close(self, tree: Tree) -> None:
        """Closes an account that was made meanwhile, and has no cash."""
        made = [node for node in tree.nodes.values() if node.account and not node.planted]
        empty = [node for node in made if node.cash_at(now()) == 0 and node.status.last == "ACTIVE"]
        if empty:
            node = self._chance.choice(empty)
            if await self._change(node, "changeAccountStatus", "account", status="CLOSED", reason="done"):
                node.status.set(now(), "CLOSED")

    async def deposit(self, tree: Tree) -> None:
        """Pays into an account that was planted."""
        paid = [node for node in tree.accounts() if node.currency != STILL and node.kind != "COMPOSITE"]
        if paid:
            await self._planter.deposit(self._chance.choice(paid))

    async def _change(self, node: Node, mutation: str, field: str, **given: Any) -> bool:
        """Changes a node that nobody else changes now, at the version that it has; whether that was so."""
        if node.busy:
            return False
        node.busy = True
        try:
            with changing(node):
                read = await self._api.ask(f"query($id: ID!) {{ {field}(id: $id) {{ version }} }}", id=node.id)
                answer = await self._api.do(mutation, "__typename", id=node.id, version=read[field]["version"], **given)
        finally:
            node.busy = False
        assert answer.get("code") in (None, "STALE_VERSION"), answer
        return "code" not in answer
