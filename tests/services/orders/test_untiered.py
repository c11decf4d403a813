"""An account without a tier: no default of a tier binds it, and whatever is set on its path does."""

from typing import Any

import pytest

from services.configuring import Configure
from tests.support.house import House, op
from tests.support.trading import an_account, an_order, operation_of, place, refusal

pytestmark = pytest.mark.anyio

REFUSING: list[tuple[dict[str, Any], str]] = [
    ({"policy.symbols": ["MSFT"]}, "POLICY_SYMBOL"),
    ({"policy.entryDays": []}, "POLICY_ENTRY_DAY"),
    ({"policy.minimumInvestment": "100001"}, "POLICY_MINIMUM_INVESTMENT"),
]


async def test_nothing_set_binds_nothing(house: House) -> None:
    outcome = await place(house, await an_account(house, "200"), "BUY", "1")
    assert (await operation_of(house, outcome.operation))["state"] == "SUCCEEDED"


@pytest.mark.parametrize(("settings", "rule"), REFUSING)
@pytest.mark.parametrize("own", [True, False])
async def test_a_policy_that_is_set_refuses(house: House, settings: dict[str, Any], rule: str, *, own: bool) -> None:
    account = await an_account(house)
    await house.do(Configure(operation_id=op(), id=account if own else house.root, settings=settings))
    (problem,) = await refusal(house, an_order(account, "BUY", "1"))
    assert (problem.code.value, problem.details["rule"]) == ("RULE_VIOLATION", rule)


@pytest.mark.parametrize("own", [True, False])
async def test_an_approval_that_is_set_is_waited_for(house: House, *, own: bool) -> None:
    account = await an_account(house)
    await house.do(Configure(operation_id=op(), id=account if own else house.root, settings={"approval.order": True}))
    outcome = await place(house, account, "BUY", "1")
    assert (await operation_of(house, outcome.operation))["state"] == "AWAITING_APPROVAL"
