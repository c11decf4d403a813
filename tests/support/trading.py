"""Accounts that trade, and what the graph says of them."""

from dataclasses import dataclass, replace
from typing import Any

from pydantic import SecretStr

from graph import accounts, operations, orders, positions, users
from graph.database import Reader, Row
from graph.query import Query
from services.access import viewer_of_user
from services.commands import Act
from services.creating import CreateAccount, NewAccount
from services.desk import Desk
from services.granting import Grant
from services.ledger import Deposit
from services.orders.cancelling import CancelOrder
from services.orders.placing import PlaceOrder
from services.permissions import Role, Viewer
from services.pipeline import Outcome
from services.problems import Problem, Refused
from services.users import CreateUser
from tests.support.house import House, op

ENTRIES = Query(
    "test.entries", "MATCH (e:Entry) WHERE e.ledger = $ledger AND e.place > 0 RETURN e {.*} AS entry ORDER BY e.place"
)
SET = Query("test.set", "MATCH (e:Entry {set: $set}) RETURN e {.*} AS entry ORDER BY e.id")
JOURNAL = Query(
    "test.journal", "MATCH (c:Change) WHERE c.feed = $feed AND c.number > 0 RETURN c {.*} AS record ORDER BY c.number"
)


@dataclass(frozen=True, slots=True)
class Books:
    """An account as the graph has it: its own row, its statement in order, its positions, its order's operation."""

    account: Row
    entries: list[Row]
    positions: dict[str, Row]

    def kinds(self) -> list[tuple[str, str, int]]:
        """The kind, state and amount of each entry."""
        return [(entry["kind"], entry["state"], entry["amount"]) for entry in self.entries]


class _CreateSimulated(CreateAccount):
    """Creates an account of paper."""

    async def plan(self, desk: Desk, reader: Reader, act: Act) -> NewAccount:
        made = await super().plan(desk, reader, act)
        return replace(made, row={**made.row, "simulated": True})


async def an_account(house: House, cash: str | None = "100000", *, simulated: bool = False, **more: Any) -> str:
    """A new account with so much cash; its id."""
    given: dict[str, Any] = {"operation_id": op(), "name": "Trader", "parent_id": house.root}
    create = _CreateSimulated if simulated else CreateAccount
    account: str = (await house.do(create(**given | more))).payload["account"]
    if cash is not None:
        await house.do(Deposit(operation_id=op(), account_id=account, amount=cash))
    return account


async def a_viewer(house: House, node: str, role: Role) -> Viewer:
    """A new user with this role on a node."""
    name = f"u-{op()}"
    await house.do(CreateUser(operation_id=op(), username=name, password=SecretStr("a password for tests")))
    await house.do(Grant(operation_id=op(), username=name, node_id=node, role=role))
    row = await users.by_key(house.desk.database, name)
    assert row is not None
    viewer = await viewer_of_user(house.desk.database, row["id"])
    assert viewer is not None
    return viewer


def an_order(account: str, side: str, quantity: str, symbol: str = "AAPL", **more: Any) -> PlaceOrder:
    """The command that places an order, under a new operation id unless one is given."""
    given: dict[str, Any] = {"operation_id": op(), "account_id": account, "symbol": symbol, "side": side}
    return PlaceOrder.model_validate(given | {"quantity": quantity} | more)


async def place(house: House, account: str, side: str, quantity: str, symbol: str = "AAPL", **more: Any) -> Outcome:
    """Places an order as the administrator."""
    return await house.do(an_order(account, side, quantity, symbol, **more))


async def cancel(house: House, order_operation: str, viewer: Viewer | None = None) -> Outcome:
    """Cancels the order of an operation."""
    return await house.do(await CancelOrder.of(house.desk.database, op(), order_operation), viewer)


async def record_only(house: House, command: PlaceOrder) -> str:
    """Records the order as a process does that dies before it sends it; the operation's id."""

    class Dies(PlaceOrder):
        async def after(self, desk: Any, operation: str) -> None:
            del desk, operation

    return (await house.do(Dies.model_validate(command.model_dump()))).operation


async def refusal(house: House, command: Any, viewer: Viewer | None = None) -> list[Problem]:
    """The problems that the command is refused with."""
    try:
        await house.do(command, viewer)
    except Refused as refused:
        return list(refused.problems)
    raise AssertionError(f"{command.action} was not refused")


async def books(house: House, account: str) -> Books:
    """The account as it stands."""
    database = house.desk.database
    row = {**(await accounts.find(database, [account]))[account], "lock": None}
    entries = [each["entry"] for each in await database.run(ENTRIES, ledger=account)]
    held = (await positions.of_accounts(database, [account]))[account]
    return Books(row, entries, {position["symbol"]: position for position in held})


async def operation_of(house: House, operation: str) -> Row:
    """The operation as it stands."""
    return (await operations.find(house.desk.database, [operation]))[operation]


async def order_of(house: House, operation: str) -> Row:
    """The order of an operation, as it stands."""
    found = await orders.of_operation(house.desk.database, operation)
    assert found is not None
    return found


async def lots_of(house: House, position: Row) -> list[tuple[int, str]]:
    """The quantity and price of each open lot of a position, oldest first."""
    rows = (await positions.lots(house.desk.database, [position["id"]]))[position["id"]]
    return [(row["quantity"], row["price"]) for row in rows]
