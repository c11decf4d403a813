"""Asks the protocol engine about a command, and says whether a person has to approve it first."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from services.protocol.port import ProtocolPort, Question
from services.protocol.reviews import review_expiry
from services.protocol.verdict import needs_person


@dataclass(frozen=True, slots=True)
class Approval:
    """That a person must decide: the account it is about, why, and how long the review stands."""

    account_id: str
    reasons: tuple[str, ...]
    expires_after: timedelta


async def ask(protocol: ProtocolPort, questions: Sequence[Question]) -> Approval | None:
    """None where everything may take effect at once. Raises Refused for a violation, ProtocolUnavailable."""
    verdicts = await asyncio.gather(*(protocol.validate(question) for question in questions))
    asked = [
        (question, verdict) for question, verdict in zip(questions, verdicts, strict=True) if needs_person(verdict)
    ]
    if not asked:
        return None
    reasons = [violation.description for _, verdict in asked for violation in verdict.violations]
    return Approval(
        asked[0][0].account_id,
        tuple(dict.fromkeys(reasons)) or ("the protocol engine asks for a person's approval",),
        min(review_expiry(question, verdict) for question, verdict in asked),
    )
