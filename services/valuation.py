"""Valuation records: what an account was worth before an external flow, with the prices used.

A time-weighted return needs the value at each flow (GIPS 2020, 2.A.21-22), and the market keeps no past prices.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import orjson

from graph import positions
from graph.database import Reader, Row
from graph.ids import Kind, new_id
from graph.money import round_to_minor, value_of
from services.commands import Outdated
from services.desk import Desk
from services.market.port import MarketError
from services.prices import Price
from services.problems import ProblemCode, refuse


@dataclass(frozen=True, slots=True)
class Marks:
    """The market's date, and the last known price of each symbol asked for that ever had one."""

    day: date
    asked: frozenset[str]
    prices: Mapping[str, Price]


async def gather_marks(desk: Desk, accounts: Sequence[str], symbols: Sequence[str] = ()) -> Marks:
    """The marks of what the accounts hold now, and of further symbols, by one market call."""
    held = await positions.of_accounts(desk.reads, accounts)
    asked = frozenset({position["symbol"] for rows in held.values() for position in rows} | set(symbols))
    # Quotes first: a market that tells its date by them has told none before.
    known = await desk.prices.known(asked)
    return Marks(await _market_date(desk), asked, known)


async def _market_date(desk: Desk) -> date:
    try:
        return await desk.market.market_date()
    except MarketError as error:
        raise refuse(ProblemCode.UNAVAILABLE, "the market does not tell its date now; try again") from error


async def valuations(reader: Reader, accounts: Sequence[Row], marks: Marks) -> list[Row]:
    """A valuation record of each account as it is now, without its instant. Raises Outdated for an unasked symbol."""
    held = await positions.of_accounts(reader, [account["id"] for account in accounts])
    return [_valuation(account, held[account["id"]], marks) for account in accounts]


def _valuation(account: Row, held: Sequence[Row], marks: Marks) -> Row:
    if any(position["symbol"] not in marks.asked for position in held):
        raise Outdated
    lines = [
        {
            "symbol": position["symbol"],
            "quantity": position["quantity"],
            "price": format(marks.prices[position["symbol"]].last, "f") if position["symbol"] in marks.prices else None,
        }
        for position in held
    ]
    return {
        "id": new_id(Kind.VALUATION),
        "account": account["id"],
        "root": account["root"],
        "currency": account["currency"],
        "valueDate": marks.day.isoformat(),
        "cash": account["cash"],
        "value": _value(account, held, marks),
        "positions": orjson.dumps(lines).decode(),
    }


def _value(account: Row, held: Sequence[Row], marks: Marks) -> int | None:
    """Cash plus every position at its price, in minor units; None where a price was never known."""
    total: int = account["cash"]
    for position in held:
        price = marks.prices.get(position["symbol"])
        if price is None:
            return None
        total += round_to_minor(value_of(position["quantity"], price.last), account["currency"])
    return total
