"""Random changes of a tenant's totals, and what the totals are by the fold and by a walk."""

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from graph import reads_totals
from graph.database import Reader
from graph.reads_totals import Below
from services.commands import Act
from services.desk import Desk
from services.groups import CreateGroup
from services.ledger import Deposit, Transfer, Withdraw
from services.moving import Move, Moved
from services.problems import Refused
from tests.support.house import House, op
from tests.support.trading import place
from tests.support.tree import counted, create, move, status

CURRENCIES = ("USD", "USD", "USD", "JPY")
SYMBOLS = ("AAPL", "MSFT")


class History:
    """Makes one random change after another; what cannot be done is refused and changes nothing."""

    def __init__(self, house: House, chance: random.Random) -> None:
        self._house = house
        self._chance = chance
        self.groups = [house.root]
        self.accounts: list[str] = []
        self.done = dict[str, int]()

    async def change(self, times: int) -> None:
        """So many changes."""
        for _ in range(times):
            few = History.found if len(self.groups) < 5 else History.open if len(self.accounts) < 4 else None
            wanted = few or self._chance.choice(_CHANGES)
            try:
                await wanted(self)
            except Refused:
                continue
            self.done[wanted.__name__] = self.done.get(wanted.__name__, 0) + 1

    async def found(self) -> None:
        """A new group."""
        parent = self._chance.choice(self.groups)
        made = await self._house.do(CreateGroup(operation_id=op(), name="Group", parent_id=parent))
        self.groups.append(made.payload["group"])

    async def open(self) -> None:
        """A new account of some kind and currency, with some cash where it can have any."""
        kind, currency = (
            self._chance.choice(("INDIVIDUAL", "STRATEGY", "STRATEGY", "COMPOSITE")),
            self._chance.choice(CURRENCIES),
        )
        made = await self._house.do(create(self._house, self._chance.choice(self.groups), kind=kind, currency=currency))
        self.accounts.append(made.payload["account"])
        if kind != "COMPOSITE" and self._chance.random() < 0.8:
            await self.deposit(self.accounts[-1])

    async def deposit(self, account: str | None = None) -> None:
        """Cash comes in."""
        paid = account or self._chance.choice(self.accounts)
        await self._house.do(Deposit(operation_id=op(), account_id=paid, amount=str(self._chance.randint(1, 90_000))))

    async def withdraw(self) -> None:
        """Cash goes out."""
        paid = self._chance.choice(self.accounts)
        await self._house.do(Withdraw(operation_id=op(), account_id=paid, amount=str(self._chance.randint(1, 900))))

    async def transfer(self) -> None:
        """Cash changes its account."""
        payer, payee = self._chance.sample(self.accounts, 2)
        amount = str(self._chance.randint(1, 90))
        await self._house.do(Transfer(operation_id=op(), from_id=payer, to_id=payee, amount=amount))

    async def buy(self) -> None:
        """An order that is filled."""
        quantity = self._chance.choice(("1", "2", "0.5", "3.25"))
        await place(self._house, self._chance.choice(self.accounts), "BUY", quantity, self._chance.choice(SYMBOLS))

    async def sell(self) -> None:
        """An order that is filled, of what is held."""
        quantity = self._chance.choice(("1", "0.5"))
        await place(self._house, self._chance.choice(self.accounts), "SELL", quantity, self._chance.choice(SYMBOLS))

    async def end(self) -> None:
        """An account is closed where it is empty, or rests, or goes on."""
        wanted = self._chance.choice(("CLOSED", "INACTIVE", "ACTIVE"))
        await status(self._house, self._chance.choice(self.accounts), wanted)

    async def move_account(self) -> None:
        """An account comes into another group."""
        await self._house.do(move(self._chance.choice(self.accounts), self._chance.choice(self.groups)))

    async def move_group(self) -> None:
        """A group comes into another one."""
        await self._house.do(move(self._chance.choice(self.groups), self._chance.choice(self.groups)))


_CHANGES: Sequence[Callable[[History], Awaitable[None]]] = (
    History.found,
    History.open,
    History.deposit,
    History.withdraw,
    History.transfer,
    History.transfer,
    History.buy,
    History.buy,
    History.sell,
    History.end,
    History.move_account,
    History.move_account,
    History.move_group,
    History.move_group,
)


def comparable(found: dict[str, Below]) -> dict[str, tuple[object, object]]:
    """Totals without the order of positions."""
    return {
        group: (list(below.cash), sorted((one.currency, one.symbol, one.quantity, one.times) for one in below.held))
        for group, below in found.items()
    }


async def require_folded(house: House, groups: Sequence[str]) -> dict[str, Below]:
    """Asserts that the fold tells of every group what a walk does while nothing changes; the totals."""
    database = house.desk.database
    with counted(house) as names:
        folded = await reads_totals.read(database, groups, held=True)
    assert not {name for name in names if name.startswith("rollups.")}, "it was folded, not walked"
    assert comparable(folded) == comparable(await reads_totals.walked(database, groups, held=True))
    return folded


class Silent:
    """Moves accounts as 0.1.0 did: its records do not tell what they took along."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def move(self, node: str, parent: str) -> None:
        """Moves a node."""
        await self._house.do(_SilentMove.model_validate(move(node, parent).model_dump()))


class _SilentMove(Move):
    async def plan(self, desk: Desk, reader: Reader, act: Act) -> Moved:
        return replace(await super().plan(desk, reader, act), carried={})
