"""Strict reading of what WS2 sends: anything malformed is ProtocolUnavailable, never an approval."""

import json
import math
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.protocol.verdict import Name, ProtocolUnavailable, Verdict, contradicts
from services.protocol.weeks import MarketCondition, Week, WeekType

Body = TypeVar("Body", bound=BaseModel)


class WeekBody(BaseModel):
    """The answer of GET /week-classification/{date}; confidence is from 0 to 1."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    week_type: WeekType
    confidence: float = Field(ge=0, le=1, allow_inf_nan=False)
    market_condition: MarketCondition | None = None


class ReviewBody(BaseModel):
    """The answer of POST /hitl-review."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    review_id: Name


def read_verdict(raw: bytes) -> Verdict:
    """The verdict in a response body. Raises ProtocolUnavailable where it is malformed or contradictory."""
    verdict = _read(Verdict, raw)
    if contradicts(verdict):
        raise ProtocolUnavailable("The protocol engine contradicted itself; nothing was done. Try again later.")
    return verdict


def read_week(raw: bytes) -> Week:
    """The week in a response body. Raises ProtocolUnavailable where it is malformed."""
    body = _read(WeekBody, raw)
    return Week(body.week_type, body.market_condition, body.confidence)


def read_review(raw: bytes) -> str:
    """The review's id in a response body. Raises ProtocolUnavailable where it is malformed."""
    return _read(ReviewBody, raw).review_id


def _read(model: type[Body], raw: bytes) -> Body:
    try:
        text = raw.decode("utf-8")
        # Two values for one key would leave the choice between them to the parser.
        json.loads(text, object_pairs_hook=_unique, parse_constant=_not_json, parse_float=_finite)
        return model.model_validate_json(text)
    except (ValueError, RecursionError, ValidationError) as fault:
        raise ProtocolUnavailable("The protocol engine's answer cannot be read; nothing was done.") from fault


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key that occurs twice in one object")
    return found


def _not_json(constant: str) -> object:
    raise ValueError(f"{constant} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number that is too large")
    return number
