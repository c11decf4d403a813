"""How long a review waits, by its kind and by policy."""

from datetime import timedelta
from typing import Any

import pytest

from services.protocol.port import ProtocolOperation
from services.protocol.reviews import EXPIRY_KEYS, REVIEW_EXPIRY, ReviewKind, review_expiry, review_kind
from services.protocol.rules import judge
from services.settings.catalogue import CATALOGUE
from services.settings.values import exact
from tests.support.questions import question

ORDER = ProtocolOperation.ORDER
ASK = {"approval.order": True}


def test_the_table() -> None:
    minutes = {kind: expiry / timedelta(minutes=1) for kind, expiry in REVIEW_EXPIRY.items()}
    assert minutes == {
        ReviewKind.TRADE_ENTRY: 120,
        ReviewKind.POSITION_ADJUSTMENT: 30,
        ReviewKind.RECOVERY: 15,
        ReviewKind.RISK_BREACH: 5,
        ReviewKind.RULE_VIOLATION: 1,
        ReviewKind.EMERGENCY_EXIT: 2,
        ReviewKind.FORK: 24 * 60,
        ReviewKind.MERGE: 24 * 60,
        ReviewKind.CASH: 24 * 60,
        ReviewKind.OTHER: 24 * 60,
    }
    assert set(minutes) == set(ReviewKind)


@pytest.mark.parametrize(("kind", "key"), EXPIRY_KEYS.items())
def test_the_table_agrees_with_the_catalogue(kind: ReviewKind, key: str) -> None:
    assert exact(CATALOGUE[key].default) == int(REVIEW_EXPIRY[kind] / timedelta(minutes=1))


@pytest.mark.parametrize(
    ("operation", "changes", "kind"),
    [
        (ORDER, {"policy": ASK}, ReviewKind.TRADE_ENTRY),
        (ORDER, {"lossShare": 0.2}, ReviewKind.RECOVERY),
        (ORDER, {"positionRisk": 0.2}, ReviewKind.RISK_BREACH),
        (ORDER, {"policy": ASK, "lossShare": 0.2, "portfolioRisk": 0.2}, ReviewKind.RISK_BREACH),
        (ProtocolOperation.UPDATE, {"adjustment": True, "amount": "2000"}, ReviewKind.POSITION_ADJUSTMENT),
        (ProtocolOperation.DEPOSIT, {"policy": {"approval.deposit": True}}, ReviewKind.CASH),
        (ProtocolOperation.FORK, {"policy": {"approval.fork": True}}, ReviewKind.FORK),
        (ProtocolOperation.MERGE, {}, ReviewKind.MERGE),
        (ProtocolOperation.STATUS, {}, ReviewKind.OTHER),
    ],
)
def test_the_kind_is_the_one_that_ends_first(
    operation: ProtocolOperation, changes: dict[str, Any], kind: ReviewKind
) -> None:
    asked = question(operation, **changes)
    assert review_kind(asked, judge(asked)) is kind
    assert review_expiry(asked, judge(asked)) == REVIEW_EXPIRY[kind]


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [(45, 45), (1.5, 1.5), ("90", 90), (10**9, 7 * 24 * 60), (0, 120), (-5, 120), ("soon", 120), (True, 120)],
)
def test_policy_may_say_how_long(minutes: Any, expected: float) -> None:
    asked = question(ORDER, policy=ASK | {"approval.orderExpiryMinutes": minutes})
    assert review_expiry(asked, judge(asked)) == timedelta(minutes=expected)


def test_a_shorter_time_of_policy_makes_that_kind_the_first() -> None:
    asked = question(ORDER, policy=ASK | {"approval.orderExpiryMinutes": 3}, lossShare=0.2)
    assert review_kind(asked, judge(asked)) is ReviewKind.TRADE_ENTRY
