"""The open orders of an account."""

from dataclasses import dataclass
from decimal import Decimal

from graph import orders
from graph.database import Reader, Row
from graph.money import from_minor, from_scaled
from services.market.port import Side, TimeInForce

MAX_PAGE = 100


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An order that may still trade. Quantities are of one; money is in the account's currency."""

    id: str
    operation: str
    symbol: str
    side: Side
    quantity: Decimal
    filled: Decimal
    limit_price: Decimal | None
    time_in_force: TimeInForce
    held: Decimal
    currency: str
    status: str
    at: str


async def open_orders(reader: Reader, account: str, *, after: str = "", first: int = MAX_PAGE) -> list[OpenOrder]:
    """The account's open orders, oldest first, after the order of id `after`; at most `first`, MAX_PAGE at most."""
    rows = await orders.open_of_account(reader, account, after, min(first, MAX_PAGE))
    return [_open_order(row) for row in rows]


def _open_order(row: Row) -> OpenOrder:
    return OpenOrder(
        id=row["id"],
        operation=row["operation"],
        symbol=row["symbol"],
        side=Side(row["side"]),
        quantity=from_scaled(row["quantity"]),
        filled=from_scaled(row["filledQuantity"]),
        limit_price=None if row["limitPrice"] is None else Decimal(row["limitPrice"]),
        time_in_force=TimeInForce(row["timeInForce"]),
        held=from_minor(row["held"], row["currency"]),
        currency=row["currency"],
        status=row["status"],
        at=row["at"],
    )
