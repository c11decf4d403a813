"""What the market (WS4) takes, written from the contract and not from our client."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeAlias

from jsonschema import Draft202012Validator

from services.market.port import (
    InstrumentType,
    MarketOrder,
    OptionTerms,
    OptionType,
    OrderType,
    Side,
    TimeInForce,
)

Body: TypeAlias = dict[str, Any]

_DECIMAL = {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}
_INSTANT = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"}
_INSTRUMENT = {
    "type": "object",
    "required": ["symbol"],
    "properties": {
        "symbol": {"type": "string"},
        "instrument_type": {"enum": ["stock", "option", "etf"]},
        "expiration": {"type": "string", "format": "date"},
        "strike": _DECIMAL,
        "option_type": {"enum": ["put", "call"]},
        "multiplier": {"type": "integer"},
    },
}
_TRADE_ORDER = {
    "type": "object",
    "required": ["order_id", "instrument", "order_type", "side", "quantity"],
    "properties": {
        "order_id": {"type": "string"},
        "instrument": _INSTRUMENT,
        "order_type": {"enum": ["market", "limit"]},
        "side": {"enum": ["buy", "sell", "buy_to_open", "sell_to_open", "buy_to_close", "sell_to_close"]},
        "quantity": _DECIMAL,
        "price": _DECIMAL,
        "time_in_force": {"enum": ["DAY", "GTC", "IOC", "FOK"]},
    },
}
EXECUTE = Draft202012Validator(
    {
        "type": "object",
        "required": ["account_id", "trade_order", "timestamp"],
        "properties": {"account_id": {"type": "string"}, "timestamp": _INSTANT, "trade_order": _TRADE_ORDER},
    }
)
MARKET_DATA = Draft202012Validator(
    {
        "type": "object",
        "required": ["symbols"],
        "properties": {"symbols": {"type": "array", "items": {"type": "string"}}},
    }
)


def faults_of(schema: Draft202012Validator, body: Body) -> list[str]:
    """What is wrong with the body; empty where it is as the contract has it."""
    return [error.message for error in schema.iter_errors(body)]


def order_of(body: Body) -> MarketOrder:
    """The order that a valid body of POST /execute-trade holds."""
    trade = body["trade_order"]
    instrument = trade["instrument"]
    return MarketOrder(
        order_id=trade["order_id"],
        account_id=body["account_id"],
        symbol=instrument["symbol"],
        side=Side(trade["side"].partition("_")[0].upper()),
        quantity=Decimal(trade["quantity"]),
        at=datetime.fromisoformat(body["timestamp"]).astimezone(UTC),
        instrument_type=InstrumentType(instrument.get("instrument_type", "stock")),
        option=_option_of(instrument),
        order_type=OrderType(trade["order_type"]),
        limit_price=Decimal(trade["price"]) if "price" in trade else None,
        time_in_force=TimeInForce(trade.get("time_in_force", "DAY")),
    )


def _option_of(instrument: Body) -> OptionTerms | None:
    if instrument.get("instrument_type") != "option":
        return None
    expiration, strike = date.fromisoformat(instrument["expiration"]), Decimal(instrument["strike"])
    return OptionTerms(expiration, strike, OptionType(instrument["option_type"]), instrument["multiplier"])
