"""The eleven week types, from how prices moved: a pure classification over moves that the caller supplies."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias


class WeekType(StrEnum):
    """What kind of week it was: P- for a put, C- for a call, W- for neither."""

    P_EW = "P-EW"
    P_AWL = "P-AWL"
    P_RO = "P-RO"
    P_AOL = "P-AOL"
    P_DD = "P-DD"
    C_WAP = "C-WAP"
    C_WAP_PLUS = "C-WAP+"
    C_PNO = "C-PNO"
    C_RO = "C-RO"
    C_REC = "C-REC"
    W_IDL = "W-IDL"


class MarketCondition(StrEnum):
    """How much to trade: green the standard size, red less, chop least."""

    GREEN = "green"
    RED = "red"
    CHOP = "chop"


@dataclass(frozen=True, slots=True)
class Week:
    """A classified week. `confidence` is from 0 to 1; `note` says what the week types leave open, or is empty."""

    week_type: WeekType
    market_condition: MarketCondition | None
    confidence: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class PutMove:
    """A put at the week's end: (price - strike) / strike, below zero where the price is under the strike."""

    from_strike: Decimal
    can_roll: bool


@dataclass(frozen=True, slots=True)
class CallMove:
    """A call's underlying over the week: (last - first) / first."""

    change: Decimal


@dataclass(frozen=True, slots=True)
class WeekMoves:
    """What is known of one week. `move` is None where nothing was traded; the condition is None where unknown."""

    move: PutMove | CallMove | None
    market_condition: MarketCondition | None = None


# Takes the week's Monday; answers None where there are no prices for that week.
MovesOf: TypeAlias = Callable[[date], Awaitable[WeekMoves | None]]

_FIVE, _TEN, _FIFTEEN = Decimal("0.05"), Decimal("0.10"), Decimal("0.15")
_CALL_EDGES = (_FIVE, Decimal(0), -_FIVE, -_TEN)
_PUT_EDGES = (Decimal(0), -_FIVE, -_FIFTEEN)
# A move this far from the nearest edge between two types is certain.
_CERTAIN = Decimal("0.01")


def monday_of(day: date) -> date:
    """The Monday of the week (Monday to Sunday) that holds the day."""
    return day - timedelta(days=day.weekday())


def classify(moves: WeekMoves | None) -> Week:
    """The week's type. Confidence is 0.5 on an edge between two types, rising to 1 one percentage point away.

    A week without prices is W-IDL at 0.5: it was idle as far as anybody knows.
    """
    if moves is None:
        return Week(WeekType.W_IDL, None, 0.5, "There are no prices for this week.")
    condition = moves.market_condition
    match moves.move:
        case None:
            return Week(WeekType.W_IDL, condition, 1.0)
        case PutMove(from_strike, can_roll):
            return Week(_put_type(from_strike, can_roll=can_roll), condition, _confidence(from_strike, _PUT_EDGES))
        case CallMove(change):
            return Week(_call_type(change), condition, _confidence(change, _CALL_EDGES), _call_note(change))


def _put_type(from_strike: Decimal, *, can_roll: bool) -> WeekType:
    below = -from_strike
    if below > _FIFTEEN:
        return WeekType.P_DD
    if below > _FIVE:
        return WeekType.P_RO if can_roll else WeekType.P_AOL
    return WeekType.P_AWL if below >= 0 else WeekType.P_EW


def _call_type(change: Decimal) -> WeekType:
    if change > 0:
        return WeekType.C_WAP_PLUS if change > _FIVE else WeekType.C_WAP
    if change >= -_FIVE:
        return WeekType.C_PNO
    return WeekType.C_RO if change >= -_TEN else WeekType.C_REC


def _call_note(change: Decimal) -> str:
    if change > _TEN:
        return "Up more than 10%: no week type is defined for that; classified as C-WAP+."
    if change < -_FIFTEEN:
        return "Down more than 15%: no week type is defined for that; classified as C-REC."
    return ""


def _confidence(move: Decimal, edges: tuple[Decimal, ...]) -> float:
    distance = min(abs(move - edge) for edge in edges)
    return float((1 + min(distance / _CERTAIN, Decimal(1))) / 2)
