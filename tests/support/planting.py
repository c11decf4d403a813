"""Random trees of groups and accounts, made through the API: some deep, some wide, in several currencies."""

import asyncio
import random
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.support.api import Api
from tests.support.forest import KEY, Node, Tree, changing, now

MADE = "{ id name createdAt }"
CURRENCIES = ("USD", "EUR", "JPY", "KWD")
STILL = "JPY"
"""The currency in which nothing is paid in, created or closed after the planting."""
TIERS = ("GEN", "REV", "COM", None)
NAMES = ("ash", "Birch", "cedar", "Douglas", "élm", "Fir", "\U0001f333 grove", "hazel")


@dataclass(frozen=True, slots=True)
class Shape:
    """How many groups and accounts a tree has, and how likely a group comes below the newest one."""

    groups: int
    accounts: int
    deep: float
    wide: bool = False


def shape(chance: random.Random, number: int, size: int) -> Shape:
    """Of ten trees one is deep, with `size` groups at most, and one is wide, with so many accounts."""
    if number % 10 == 3:
        return Shape(chance.randint(size // 2, size), chance.randint(3, 8), 0.97)
    if number % 10 == 6:
        return Shape(chance.randint(4, 8), chance.randint(size // 2, size), 0.3, wide=True)
    usual = size // 8 + 6
    return Shape(chance.randint(3, usual), chance.randint(3, usual), chance.choice((0.2, 0.5, 0.8)))


class Planter:
    """Makes trees, one node after another."""

    def __init__(self, api: Api, chance: random.Random) -> None:
        self._api = api
        self._chance = chance

    async def plant(self, wanted: Shape) -> Tree:
        """A new tenant of this shape, with cash in some of its accounts."""
        made = await self._api.done("createGroup", f"group {MADE}", name="root")
        tree = Tree(made["group"]["id"])
        tree.add(made["group"])
        locking = await self._groups(tree, wanted)
        await self._accounts(tree, wanted, locking)
        tree.planted_at = now()
        return tree

    async def _groups(self, tree: Tree, wanted: Shape) -> set[str]:
        """The groups, one of which may lock a setting; the groups below that one, and itself."""
        parents, locking = [tree.root], set[str]()
        locks = self._chance.randrange(1, wanted.groups) if self._chance.random() < 0.4 else wanted.groups
        for number in range(1, wanted.groups):
            parent = parents[-1] if self._chance.random() < wanted.deep else self._chance.choice(parents)
            node = await self.group(tree, parent)
            if number == locks:
                await self._api.done("configure", id=node.id, settings={}, lock=[KEY])
                node.configured = True
            if number == locks or parent in locking:
                locking.add(node.id)
            parents.append(node.id)
        return locking

    async def group(self, tree: Tree, parent: str, **given: Any) -> Node:
        """A new group of the tree."""
        name = self._name()
        made = await self._api.done("createGroup", f"group {MADE}", name=name, parentId=parent)
        return tree.add(made["group"], **given)

    async def _accounts(self, tree: Tree, wanted: Shape, locking: set[str]) -> None:
        groups = [node.id for node in tree.groups()]
        crowded = self._chance.choice(groups)
        for _ in range(wanted.accounts):
            parent = crowded if wanted.wide and self._chance.random() < 0.9 else self._chance.choice(groups)
            configured = parent not in locking and self._chance.random() < 0.2
            node = await self.account(tree, parent, self._chance.choice(CURRENCIES), configured=configured)
            if node.kind != "COMPOSITE" and self._chance.random() < 0.6:
                await self.deposit(node)

    async def account(self, tree: Tree, parent: str, currency: str, *, configured: bool, **given: Any) -> Node:
        """A new account of the tree: now and then one over others of its currency."""
        name, tier = self._name(), self._chance.choice(TIERS)
        kind, parts = self._chance.choice(("INDIVIDUAL", "STRATEGY")), list[Node]()
        below = [node for node in tree.accounts() if node.currency == currency and node.kind != "COMPOSITE"]
        if len(below) > 2 and self._chance.random() < 0.15:
            kind, parts = "COMPOSITE", self._chance.sample(below, 2)
        about: dict[str, Any] = {"kind": kind, "tier": tier, "currency": currency}
        more: dict[str, Any] = {"settings": {KEY: 1}} if configured else {}
        if parts:
            more["componentIds"] = [part.id for part in parts]
        made = await self._api.done("createAccount", f"account {MADE}", name=name, parentId=parent, **about, **more)
        return tree.add(made["account"], account=True, parts=parts, configured=configured, **about, **given)

    async def deposit(self, node: Node) -> None:
        """Pays a random amount into an account."""
        whole = self._chance.randint(1, 5_000)
        amount = (
            Decimal(whole) if node.currency == STILL else Decimal(whole) + Decimal(self._chance.randrange(100)) / 100
        )
        with changing(node):
            await self._api.done("deposit", accountId=node.id, amount=str(amount))
            node.cash.set(now(), node.cash.last + amount)

    def _name(self) -> str:
        return f"{self._chance.choice(NAMES)} {self._chance.randrange(40)}"


async def several(work: Iterable[Awaitable[Any]], at_once: int) -> list[Any]:
    """The results of the work, of which so much is under way at once."""
    free = asyncio.Semaphore(at_once)

    async def one(each: Awaitable[Any]) -> Any:
        async with free:
            return await each

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(each)) for each in work]
    return [task.result() for task in tasks]
