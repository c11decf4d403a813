"""Money that moves while a mutation waits is no reason to judge it again: contention alone is never a problem."""

from dataclasses import replace

import pytest
from typing_extensions import override

from graph import operations
from services.configuring import Configure
from services.ledger import Deposit, Withdraw
from services.pipeline import Pipeline
from services.protocol.embedded import EmbeddedProtocol
from services.protocol.port import Question
from services.protocol.verdict import Verdict
from services.settings.json_limits import Json
from tests.support.house import Address, House, op, open_house
from tests.support.trading import an_account, books

pytestmark = pytest.mark.anyio


class Overtaken(EmbeddedProtocol):
    """The embedded engine: another process posts to the account and sets a setting after each first answer."""

    def __init__(self, house: House, other: House, settings: list[dict[str, Json]]) -> None:
        super().__init__()
        self.asked = 0
        self._root = house.root
        self._other = other
        self._settings = settings

    @override
    async def validate(self, question: Question) -> Verdict:
        self.asked += 1
        verdict = await super().validate(question)
        if self._settings:
            await self._other.do(Deposit(operation_id=op(), account_id=question.account_id, amount="5"))
            await self._other.do(Configure(operation_id=op(), id=self._root, settings=self._settings.pop(0)))
        return verdict


@pytest.mark.parametrize(
    ("settings", "state", "asked"),
    [
        ([{"limits.maxOrderValue": "1000"}, {"limits.maxOrderValue": "2000"}], "SUCCEEDED", 1),
        ([{"approval.withdrawal": True}], "AWAITING_APPROVAL", 2),
    ],
)
async def test_money_that_moves_is_not_judged_again_but_another_policy_is(
    house: House, engine: Address, settings: list[dict[str, Json]], state: str, asked: int
) -> None:
    account = await an_account(house, "100")
    async with open_house(engine) as other:
        protocol = Overtaken(house, other, settings)
        pipeline = Pipeline(replace(house.desk, protocol=protocol))
        outcome = await pipeline.perform(house.admin, Withdraw(operation_id=op(), account_id=account, amount="50"))
    row = (await operations.find(house.desk.database, [outcome.operation]))[outcome.operation]
    assert (row["state"], protocol.asked) == (state, asked)
    entries = [entry["amount"] for entry in (await books(house, account)).entries]
    assert entries == [10000, 500, *([-5000] if state == "SUCCEEDED" else [])]
