"""The embedded rule engine: WS2 in this process. It keeps no state and reads nothing but what it is given."""

import hashlib
import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import ClassVar

from typing_extensions import override

from graph.clock import to_text
from services.protocol.port import Json, ProtocolPort, Question
from services.protocol.rules import judge
from services.protocol.verdict import Verdict
from services.protocol.weeks import MovesOf, Week, WeekMoves, classify, monday_of


async def no_prices(_monday: date) -> WeekMoves | None:
    """The moves of a place that has no prices: none for any week."""
    return None


class EmbeddedProtocol(ProtocolPort):
    """The rules of rules.py and the weeks of weeks.py, over the moves that `moves_of` gives for a week's Monday."""

    immediate: ClassVar[bool] = True

    def __init__(self, moves_of: MovesOf = no_prices) -> None:
        self._moves_of = moves_of

    @override
    async def validate(self, question: Question) -> Verdict:
        return judge(question)

    @override
    async def classify_week(self, day: date) -> Week:
        return classify(await self._moves_of(monday_of(day)))

    @override
    async def request_review(self, account_id: str, reason: str, data: Mapping[str, Json], at: datetime) -> str:
        # Nobody outside is asked: the operation in our own inbox is the review. The same request has the same id.
        asked = json.dumps([account_id, reason, dict(data), to_text(at)], sort_keys=True)
        return f"review-{hashlib.sha256(asked.encode()).hexdigest()[:32]}"

    @override
    async def healthy(self) -> bool:
        return True

    @override
    async def aclose(self) -> None:
        return None
