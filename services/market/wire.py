"""What is said to WS4 and what it answers, as ws4-market.openapi.yaml has it. Extra fields are ignored."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, Field

from graph import clock
from graph.money import parse_plain
from services.market.checks import check_figures, readable_reason
from services.market.port import MAX_SYMBOL_LENGTH, MAX_SYMBOLS, MarketOrder, OrderReport, OrderStatus, Quote

M = TypeVar("M", bound=BaseModel)
Json = dict[str, "str | int | list[str] | Json"]
_OLDEST = datetime(1900, 1, 1, tzinfo=UTC)
_LATEST = datetime(2900, 1, 1, tzinfo=UTC)


def _exact(value: object) -> Decimal:
    number = parse_plain(value) if isinstance(value, str) else None
    if number is None:
        raise ValueError("an exact decimal is text of plain digits")
    return number


def _instant(value: object) -> datetime:
    at = datetime.fromisoformat(value.upper()) if isinstance(value, str) else None
    if at is None or at.tzinfo is None or not _OLDEST <= at <= _LATEST:
        raise ValueError("an instant is text with a date, a time and an offset")
    return at.astimezone(UTC)


Exact = Annotated[Decimal, BeforeValidator(_exact)]
Price = Annotated[Exact, Field(gt=0)]
Instant = Annotated[datetime, BeforeValidator(_instant)]
Symbol = Annotated[str, Field(strict=True, min_length=1, max_length=MAX_SYMBOL_LENGTH)]


class QuoteAnswer(BaseModel):
    """One quote of POST /market-data."""

    symbol: Symbol
    last: Price
    timestamp: Instant
    bid: Exact | None = None
    ask: Exact | None = None
    halted: Annotated[bool, Field(strict=True)] | None = None

    def quote(self) -> Quote:
        """The quote as the port has it, its instant in UTC."""
        return Quote(self.symbol, self.last, self.timestamp, halted=bool(self.halted), bid=self.bid, ask=self.ask)


class QuotesAnswer(BaseModel):
    """The answer of POST /market-data."""

    quotes: Annotated[list[QuoteAnswer], Field(max_length=MAX_SYMBOLS)]


class OrderAnswer(BaseModel):
    """An order, as POST /execute-trade and GET /orders/{order_id} answer it."""

    order_id: Annotated[str, Field(strict=True)]
    status: OrderStatus
    filled_quantity: Exact
    avg_fill_price: Exact | None = None
    commission: Exact | None = None
    reason: Annotated[str, Field(strict=True)] | None = None

    def report(self) -> OrderReport:
        """The report as the port has it. Raises MarketUnknown where its figures cannot be true of any order."""
        return check_figures(
            OrderReport(
                self.order_id,
                self.status,
                self.filled_quantity,
                self.avg_fill_price or None,
                self.commission or Decimal(0),
                readable_reason(self.reason),
            )
        )


class NotKnownAnswer(BaseModel):
    """The 404 of GET /orders/{order_id}."""

    caught_up: Annotated[bool, Field(strict=True)] = False


class PositionAnswer(BaseModel):
    """One position of GET /positions/{account_id}."""

    symbol: Symbol
    quantity: Exact


class PositionsAnswer(BaseModel):
    """The answer of GET /positions/{account_id}."""

    positions: Annotated[list[PositionAnswer], Field(max_length=MAX_SYMBOLS)]


def read(model: type[M], body: bytes) -> M | None:
    """The body as that answer; None where it is not one, or says one thing twice."""
    try:
        return model.model_validate(json.loads(body, object_pairs_hook=_said_once))
    except (ValueError, RecursionError):
        return None


def _said_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    said = dict(pairs)
    if len(said) != len(pairs):
        raise ValueError("an object names a field twice")
    return said


def order_body(order: MarketOrder) -> Json:
    """The order as POST /execute-trade takes it."""
    instrument: Json = {"symbol": order.symbol, "instrument_type": order.instrument_type.value}
    if order.option:
        instrument |= {
            "expiration": order.option.expiration.isoformat(),
            "strike": f"{order.option.strike:f}",
            "option_type": order.option.option_type.value,
            "multiplier": order.option.multiplier,
        }
    trade: Json = {
        "order_id": order.order_id,
        "instrument": instrument,
        "order_type": order.order_type.value,
        "side": order.side.value.lower(),
        "quantity": f"{order.quantity:f}",
        "time_in_force": order.time_in_force.value,
    }
    if order.limit_price is not None:
        trade["price"] = f"{order.limit_price:f}"
    return {"account_id": order.account_id, "timestamp": clock.to_text(order.at), "trade_order": trade}
