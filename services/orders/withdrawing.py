"""Undoes the record of an order of which it is certain, while its caller waits, that nothing came."""

from graph import ledger, operations, orders, positions
from graph.database import Row, Transaction
from graph.orders import Standing
from services.desk import Desk
from services.market.port import Side
from services.operations import take_feed
from services.orders.claims import Claim, on_order
from services.orders.holdings import hold
from services.orders.terms import RECORDED


async def withdraw(desk: Desk, order: Row, claim: Claim) -> bool:
    """Removes the order, its entry, its hold and its operation, so that the caller's id may be tried again.

    False where that may not be done: somebody else has taken the order up, it has been answered for or cancelled, or
    a person approved it; its outcome then stays with its operation.
    """

    async def work(transaction: Transaction, standing: Standing) -> bool:
        if not _removable(standing, claim):
            return False
        await _remove(transaction, standing)
        return True

    done = await on_order(desk, order, work)
    # A removal whose commit was answered by a broken line finds nothing left when it is tried again.
    return True if done is None else done


def _removable(standing: Standing, claim: Claim) -> bool:
    order = standing.order
    fresh = order["open"] and order["status"] == RECORDED and order["cancelOperation"] is None
    return fresh and claim.alone(order) and standing.operation.get("input") is None


async def _remove(transaction: Transaction, standing: Standing) -> None:
    order, account = standing.order, standing.account
    recorder = await take_feed(transaction, standing.operation)
    left = {"cash": account["cash"], "held": account["held"] - order["held"]}
    before: Row = {account["id"]: {"cash": account["cash"], "held": account["held"]}}
    after: Row = {"accounts": {account["id"]: left}, "order": {"id": order["id"], "removed": True}}
    if Side(order["side"]) is Side.SELL:
        position = await positions.of_symbol(transaction, account["id"], order["symbol"])
        assert position is not None, "an open sell holds what it sells"
        changed = await hold(transaction, position, -order["heldQuantity"])
        before[position["id"]] = {"held": position["held"]}
        after["positions"] = {position["id"]: {"held": changed.after["held"]}}
    recorder.add("ORDER_ENDED", [account["id"]], before, after)
    await ledger.set_cash(transaction, [{"id": account["id"], "place": account["place"], **left}])
    await ledger.remove_entry(transaction, order["entry"])
    await orders.remove(transaction, order["id"])
    await operations.remove(transaction, order["operation"])
    await recorder.write(transaction)
