"""Changes of what an account holds, on its lock: bought lots, sold parts of lots, and what open sells hold back."""

from dataclasses import dataclass, field
from decimal import Decimal, localcontext

from graph import positions
from graph.database import Row, Transaction
from graph.ids import Kind, new_id
from graph.money import average_price, from_scaled, plain, round_to_minor, value_of
from services.market.port import CURRENCY
from services.orders.lots import cost_of, take


@dataclass(frozen=True, slots=True)
class Purchase:
    """What is bought: how much (1e-8), at what exact price for one, by which order, when, on which market date."""

    symbol: str
    quantity: int
    price: Decimal
    order: str
    at: str
    day: str


@dataclass(slots=True)
class Held:
    """What changed of one position, as the journal keeps it."""

    before: Row | None
    after: Row
    lots: list[Row] = field(default_factory=list[Row])
    cost: int = 0
    """What the sold lots cost, in minor units."""


async def add(transaction: Transaction, account: Row, bought: Purchase) -> Held:
    """Adds a lot to the account's position of the symbol, which is opened where there is none."""
    found = await positions.of_symbol(transaction, account["id"], bought.symbol)
    before = found or _empty(account, bought)
    figures = _figures(before, bought.quantity, value_of(bought.quantity, bought.price))
    after = {**before, **figures, "lots": before["lots"] + 1}
    if found is None:
        await positions.open_position(transaction, after, bought.at)
    else:
        await positions.change(transaction, after["id"], after)
    lot: Row = {
        "id": new_id(Kind.LOT),
        "position": after["id"],
        "place": after["lots"],
        "bought": bought.quantity,
        "quantity": bought.quantity,
        "price": format(bought.price, "f"),
        "order": bought.order,
        "at": bought.at,
        "acquired": bought.day,
    }
    await positions.add_lot(transaction, lot, bought.at)
    return Held(found, after, [lot])


async def remove(transaction: Transaction, position: Row, quantity: int, *, released: int, rule: str, at: str) -> Held:
    """Takes a sold quantity out of the position's lots, and `released` out of what open sells hold back."""
    lots = (await positions.lots(transaction, [position["id"]]))[position["id"]]
    taken = take(lots, quantity, rule)
    cost = cost_of(taken)
    after = {**position, **_figures(position, -quantity, -cost), "held": position["held"] - released}
    changed = [{"id": part.lot["id"], "quantity": part.left} for part in taken]
    await positions.set_lots(transaction, changed, at)
    await positions.change(transaction, position["id"], after)
    if after["quantity"] == 0:
        await positions.close(transaction, position["id"], at)
    return Held(position, after, changed, round_to_minor(cost, CURRENCY))


async def hold(transaction: Transaction, position: Row, quantity: int) -> Held:
    """Changes by `quantity` what open sells hold back of the position."""
    after = {**position, "held": position["held"] + quantity}
    assert 0 <= after["held"] <= after["quantity"], "open sells hold what is there"
    await positions.change(transaction, position["id"], {"held": after["held"]})
    return Held(position, after)


def _figures(position: Row, quantity: int, cost: Decimal) -> Row:
    """The position's quantity, cost and average price after such a change of the first two."""
    with localcontext(prec=60):
        whole = Decimal(position["cost"]) + cost
        total = position["quantity"] + quantity
        average = average_price([(total, whole / from_scaled(total))]) if total else Decimal(0)
    return {"quantity": total, "cost": format(plain(whole), "f"), "averagePrice": format(average, "f")}


def _empty(account: Row, bought: Purchase) -> Row:
    return {
        "id": new_id(Kind.POSITION),
        "account": account["id"],
        "root": account["root"],
        "currency": account["currency"],
        "symbol": bought.symbol,
        "quantity": 0,
        "held": 0,
        "lots": 0,
        "cost": "0",
        "averagePrice": "0",
    }
