"""Operations by chance, over the nodes of a small tenant that has some of all sorts."""

import random
from itertools import count

from graph.ids import Kind, new_id
from resolvers import cursors
from services.ledger import Deposit
from tests.support.graphs import statement
from tests.support.house import House, op
from tests.support.reads import aggregate, place
from tests.support.tree import account, configure

LEAVES = {
    "Account": ("id name description kind tier status currency simulated version createdAt updatedAt metadata"
                " cash{amount} cash{currency,__typename} available{amount,currency} __typename").split(),
    "Group": "id name locks metadataSchema version createdAt updatedAt closedAt __typename".split(),
}  # fmt: skip
UNCOVERED = {"Account": "ancestors{id}", "Group": "ancestors{name}"}
INFO = "pageInfo{hasNextPage hasPreviousPage startCursor endCursor}"


class Asking:
    """Composes operations by chance."""

    def __init__(self, ids: list[str], made: dict[str, str], dice: random.Random) -> None:
        self._ids, self._made, self._dice, self._number = ids, made, dice, count()

    def document(self) -> str:
        """An operation over $on (a Boolean that is true by default), $n (an Int that is 2) and $c (a String)."""
        roots = " ".join(self._root() for _ in range(self._dice.choice((1, 1, 2))))
        fragment = "fragment F on Node { id ... on Account { name cash { amount } } ... on Group { name locks } }"
        spread = f'node(id: "{self._dice.choice(self._ids)}") {{ ...F }}' if self._dice.random() < 0.3 else ""
        given = "$on: Boolean! = true" + (", $n: Int = 2" if "$n" in roots else "")
        given += ", $c: String" if "$c" in roots else ""
        return f"query Q({given}) {{ __typename @include(if: $on) {roots} {spread} }} {fragment if spread else ''}"

    def _root(self) -> str:
        node = self._dice.choice(self._ids)
        name = self._dice.choice(("node", {"acc": "account", "grp": "group"}.get(node[:3], "group")))
        kind = {"account": "Account", "group": "Group"}.get(name)
        inner = (
            self._of(kind, 3, node)
            if kind
            else f"... on Account{self._of('Account', 2)} ... on Group{self._of('Group', 1, node)} id"
        )
        return f'a{next(self._number)}: {name}(id: "{node}") {inner if kind else "{" + inner + "}"}'

    def cursor(self) -> str:
        """A cursor of any list."""
        return self._cursor(self._dice.choice(self._ids), self._dice.choice(("Account", "Group")))

    def _cursor(self, owner: str, child: str) -> str:
        node = self._dice.choice(list(self._made))
        field = f"Group.{child.lower()}s"
        return cursors.write(cursors.mark_of(field, owner, "CREATED_AT"), (self._made[node], node))

    def _of(self, kind: str, depth: int, owner: str | None = None) -> str:
        dice = self._dice
        fields = dice.sample(LEAVES[kind], dice.randint(1, 6))
        fields = [self._maybe(each) for each in fields]
        if depth and dice.random() < 0.4:
            fields.append(f"a{next(self._number)}: parent{self._of('Group', depth - 1)}")
        if kind == "Group" and depth:
            fields += [self._list(child, depth, owner) for child in ("Account", "Group") if dice.random() < 0.5]
        if dice.random() < 0.02:
            fields.append(UNCOVERED[kind])
        dice.shuffle(fields)
        return "{" + " ".join(fields) + "}"

    def _maybe(self, field: str) -> str:
        chance = self._dice.random()
        if chance < 0.1:
            name, brace, rest = field.partition("{")
            return f"{name} {self._dice.choice(('@skip', '@include'))}(if: $on) {brace}{rest}"
        return f"b{next(self._number)}: {field}" if chance < 0.3 else field

    def _list(self, child: str, depth: int, owner: str | None) -> str:
        dice = self._dice
        given = [dice.choice(("", "", "first: 2", "first: $n", "first: 0", "first: null"))]
        inside = self._of(child, depth - 1)
        if dice.random() < 0.02:
            given = ["first: 101"]
        if dice.random() < (0.4 if owner else 0.05):
            cursor = self._cursor(owner, child) if owner and dice.random() < 0.9 else self.cursor()
            given.append(dice.choice((f'after: "{cursor}"', f'after: "{cursor}"', "after: $c", "after: null")))
        first = f"({' '.join(given)})" if any(given) else ""
        parts = [
            *dice.choice(
                ([f"nodes{inside}"], [f"edges{{cursor node{inside}}}", INFO], [INFO, f"nodes{inside}"], [INFO])
            ),
            *(["totalCount"] if dice.random() < 0.3 else []),
        ]
        dice.shuffle(parts)
        return f"a{next(self._number)}: {child.lower()}s{first} {{ {' '.join(parts)} __typename }}"


async def planted(house: House) -> list[str]:
    """Ids of nodes of all sorts in the house's tenant, and of none."""
    upper, lower = await house.group("Upper"), await house.group("Lower \U0001f333")
    inner = await house.group("Inner", upper)
    rich = await account(house, inner, name='Ré "x"', tier="REV", metadata={"b": [1, {"a": None}], "c": 2.5})
    yen = await account(house, inner, currency="JPY", description="\u2028")
    await house.do(Deposit(operation_id=op(), account_id=rich, amount="12.30"))
    await house.do(configure(upper, {"custom.a": 1}, lock=["custom.a"], metadata_schema={"type": "object"}))
    plain = [await place(house, inner, name=f"N{number}") for number in range(4)]
    sums = await place(house, lower, kind="COMPOSITE")
    await aggregate(house, sums, rich)
    found = [house.root, upper, lower, inner, inner, rich, rich, yen, *plain[:2]]
    return [*found, *found, sums, new_id(Kind.ACCOUNT), "x"]


async def made_at(house: House, ids: list[str]) -> dict[str, str]:
    """When each of these groups and accounts was created."""
    text = statement("UNWIND $ids AS id MATCH (n {id: id}) WHERE n:Group OR n:Account RETURN id, n.createdAt AS at")
    return {row["id"]: row["at"] for row in await house.desk.database.run(text, ids=sorted(set(ids)))}
