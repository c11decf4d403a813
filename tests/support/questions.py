"""Questions to the protocol engine, as services ask them, for tests to vary."""

from datetime import UTC, datetime
from typing import Any

from services.protocol.port import ProtocolOperation, Question

AT = datetime(2026, 1, 7, 15, 30, tzinfo=UTC)  # a Wednesday

POLICY: dict[str, Any] = {
    "policy.symbols": ["AAPL", "AMZN", "MSFT"],
    "policy.entryDays": ["MON", "TUE", "WED"],
    "policy.minimumInvestment": "10000",
    "policy.withdrawals": True,
    "policy.maxDrawdown": 0.1,
    "approval.order": False,
    "approval.deposit": False,
    "approval.withdrawal": False,
    "approval.transfer": False,
    "approval.fork": False,
    "approval.merge": True,
    "approval.adjustmentAmount": "1000",
    "risk.minimumConfidence": 0.7,
    "risk.recoveryLoss": 0.15,
    "risk.maxPortfolioRisk": 0.1,
    "risk.maxPositionRisk": 0.05,
    "fork.surplusThreshold": "50000",
    "fork.minimumRemaining": "25000",
    "fork.cooldownHours": 24,
    "fork.maxPerDay": 5,
}

ACCOUNT: dict[str, Any] = {
    "kind": "INDIVIDUAL",
    "tier": "REV",
    "status": "ACTIVE",
    "currency": "USD",
    "simulated": False,
    "cash": "60000.00",
    "available": "60000.00",
    "totalValue": "100000.00",
    "initialBalance": "40000.00",
    "orders": 3,
    "trusted": False,
}

_OF_OPERATION: dict[ProtocolOperation, dict[str, Any]] = {
    ProtocolOperation.ORDER: {
        "order": {"symbol": "AAPL", "side": "BUY", "quantity": "10", "price": "200.5", "value": "2005"}
    },
    ProtocolOperation.FORK: {
        "fork": {
            "surplus": "60000.00",
            "remaining": "40000.00",
            "hoursSinceLast": 30.5,
            "today": 0,
            "childValue": "60000.00",
            "simulated": False,
        }
    },
    ProtocolOperation.MERGE: {"merge": {"sources": 2}},
    ProtocolOperation.DEPOSIT: {"amount": "5000.00", "currency": "USD"},
    ProtocolOperation.WITHDRAWAL: {"amount": "5000.00", "currency": "USD"},
    ProtocolOperation.TRANSFER: {"amount": "5000.00", "currency": "USD"},
}


def question(operation: ProtocolOperation, **changes: Any) -> Question:
    """A question whose every rule holds (a merge asks), with changes by path: `order__side="SELL"` sets order.side.

    Changes of the policy are in `policy`, by key; None is an absent fact.
    """
    facts: dict[str, Any] = {
        "account": dict(ACCOUNT),
        "policy": POLICY | changes.pop("policy", {}),
        "marketDate": "2026-01-07",
        **{name: dict(v) if isinstance(v, dict) else v for name, v in _OF_OPERATION.get(operation, {}).items()},
    }
    for path, value in changes.items():
        *outer, last = path.split("__")
        place = facts
        for step in outer:
            place = place.setdefault(step, {})
        place[last] = value
    return Question("acc_01JD8Z3K5V9Q2W7X4Y6B8C0D1E", operation, AT, facts)
