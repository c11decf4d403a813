"""Who may send an order, and so who may conclude from an answer that it was not taken.

An order is recorded with the claim of the process that will send it. Whoever else sends it claims it anew first.
While the first claim is the only one and unused, nobody can have sent the order.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from graph import orders, structure
from graph.database import Row, Transaction
from graph.errors import CommitUnknown, Duplicate
from graph.orders import Standing
from services.desk import Desk

T = TypeVar("T")
TRIES = 4


def _token() -> str:
    return secrets.token_hex(8)


@dataclass(slots=True)
class Claim:
    """The right of one request to send the order that it records, once."""

    token: str = field(default_factory=_token)
    used: bool = False

    def is_first(self, order: Row) -> bool:
        """Whether nobody has sent the order yet, so that this request sends it first."""
        return not self.used and self.alone(order)

    def alone(self, order: Row) -> bool:
        """Whether nobody else may ever have sent the order."""
        return order["claim"] == self.token and order["claims"] == 1


async def claim(desk: Desk, order: Row, own: Claim | None) -> bool:
    """Claims an open order, to send it (again), unless its last claim is the caller's own; whether it is still open."""

    async def work(transaction: Transaction, standing: Standing) -> bool:
        if standing.order["open"] and (own is None or own.token != standing.order["claim"]):
            changes: Row = {"claim": _token(), "claims": standing.order["claims"] + 1}
            await orders.change(transaction, order["id"], changes)
        return standing.order["open"]

    return await on_order(desk, order, work) or False


async def on_order(desk: Desk, order: Row, work: Callable[[Transaction, Standing], Awaitable[T]]) -> T | None:
    """What the work makes of the order as it stands, in one transaction on its account's lock; None where it is gone.

    The work must do nothing the second time: it runs again where the answer of a commit was lost.
    """

    async def locked(transaction: Transaction) -> T | None:
        await structure.lock_accounts(transaction, [order["account"]], _token())
        standing = await orders.standing(transaction, order["id"])
        return None if standing is None else await work(transaction, standing)

    for attempt in range(1, TRIES):
        try:
            return await desk.database.write(locked, queue=order["root"])
        except (CommitUnknown, Duplicate):
            await asyncio.sleep(0.05 * 2**attempt)
    return await desk.database.write(locked, queue=order["root"])
