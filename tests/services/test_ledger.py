"""Deposits, withdrawals and transfers, through the pipeline on a real engine."""

import asyncio

import pytest

from graph import accounts
from graph.database import Transaction
from graph.ids import Kind, new_id
from graph.query import Query
from services.corrections import AdjustCash, PostFee
from services.ledger import Deposit, Transfer, Withdraw
from services.problems import ProblemCode, Refused
from tests.support.house import House, op

pytestmark = pytest.mark.anyio

PLACE = Query(
    "test.place_account",
    "MATCH (g:Group {id: $group}) CREATE (g)-[:CONTAINS {since: $at}]->(a:Account) SET a = $properties",
)


async def place(house: House, currency: str = "USD") -> str:
    """An active account without a tier under the root."""
    node = new_id(Kind.ACCOUNT)
    properties = {
        "id": node, "root": house.root, "name": "A", "kind": "INDIVIDUAL", "status": "ACTIVE", "currency": currency,
        "simulated": False, "version": 1, "cash": 0, "held": 0, "place": 0, "settings": "{}", "metadata": "{}",
        "createdAt": "2026-01-01T00:00:00.000000Z", "updatedAt": "2026-01-01T00:00:00.000000Z",
    }  # fmt: skip

    async def work(transaction: Transaction) -> None:
        await transaction.run(PLACE, group=house.root, at=properties["createdAt"], properties=properties)

    await house.desk.database.write(work, queue=house.root)
    return node


async def cash(house: House, node: str) -> int:
    return (await accounts.find(house.desk.database, [node]))[node]["cash"]


async def test_a_deposit_is_there_once_however_often_it_is_sent(house: House) -> None:
    node, operation = await place(house), op()
    outcomes = await asyncio.gather(
        *(house.do(Deposit(operation_id=operation, account_id=node, amount="12.50")) for _ in range(20))
    )
    assert len({outcome.operation for outcome in outcomes}) == 1
    assert len({outcome.payload["transactions"][0] for outcome in outcomes}) == 1
    assert await cash(house, node) == 1250


async def test_the_same_operation_id_with_another_amount_is_refused(house: House) -> None:
    node, operation = await place(house), op()
    await house.do(Deposit(operation_id=operation, account_id=node, amount="1"))
    await house.do(Deposit(operation_id=operation, account_id=node, amount="1.00"))
    with pytest.raises(Refused) as refused:
        await house.do(Deposit(operation_id=operation, account_id=node, amount="2"))
    assert refused.value.problems[0].code is ProblemCode.OPERATION_ID_REUSED
    assert await cash(house, node) == 100


@pytest.mark.parametrize("amount", ["0", "-1", "1e3", "1.001", "٣", "", "+1", " 1", "1.", "NaN", "10000000000001"])
async def test_a_wrong_amount_names_the_field_and_changes_nothing(house: House, amount: str) -> None:
    node = await place(house)
    with pytest.raises(Refused) as refused:
        await house.do(Deposit(operation_id=op(), account_id=node, amount=amount))
    assert [(problem.code, problem.path) for problem in refused.value.problems] == [
        (ProblemCode.INVALID_INPUT, ("amount",))
    ]
    assert await cash(house, node) == 0


@pytest.mark.parametrize("amount", ["0", "1.001", "10000000000001"])
@pytest.mark.parametrize("action", [Deposit, Withdraw, PostFee, AdjustCash])
async def test_all_that_is_wrong_is_told_at_once(
    house: House, action: type[Deposit | Withdraw | PostFee | AdjustCash], amount: str
) -> None:
    words, adjusts = "", action is AdjustCash
    more = {"reason": words, "amount": f"-{amount}"} if adjusts else {"note": words, "amount": amount}
    with pytest.raises(Refused) as refused:
        await house.do(action.model_validate({"operation_id": op(), "account_id": await place(house), **more}))
    told = {(problem.code.value, problem.path) for problem in refused.value.problems}
    assert told == {("INVALID_INPUT", ("amount",)), ("INVALID_INPUT", ("reason" if adjusts else "note",))}


async def test_no_more_leaves_than_is_there_however_many_ask_at_once(house: House) -> None:
    one, other = await place(house), await place(house)
    await house.do(Deposit(operation_id=op(), account_id=one, amount="10"))

    async def take() -> bool:
        try:
            await house.do(Transfer(operation_id=op(), from_id=one, to_id=other, amount="3"))
        except Refused as refused:
            assert refused.problems[0].code is ProblemCode.INSUFFICIENT_FUNDS
            return False
        return True

    assert sum(await asyncio.gather(*(take() for _ in range(10)))) == 3
    assert (await cash(house, one), await cash(house, other)) == (100, 900)


async def test_currencies_never_mix(house: House) -> None:
    dollars, yen = await place(house), await place(house, "JPY")
    await house.do(Deposit(operation_id=op(), account_id=yen, amount="500"))
    with pytest.raises(Refused) as refused:
        await house.do(Transfer(operation_id=op(), from_id=yen, to_id=dollars, amount="5"))
    assert refused.value.problems[0].code is ProblemCode.RULE_VIOLATION
    await house.do(Withdraw(operation_id=op(), account_id=yen, amount="500"))
    assert (await cash(house, yen), await cash(house, dollars)) == (0, 0)
