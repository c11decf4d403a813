"""Statements: entries newest first, their filters, and the balances of a period."""

from datetime import timedelta
from typing import Any

import pytest

from services.ledger import Deposit, Transfer, Withdraw
from services.orders.placing import PlaceOrder
from tests.support.house import House, op
from tests.support.reads import ask, place, read

pytestmark = pytest.mark.anyio

ENTRIES = """
query($id: ID!, $first: Int, $after: String, $where: TransactionFilter) {
  account(id: $id) {
    transactions(first: $first, after: $after, where: $where) {
      totalCount
      nodes {
        id kind state amount { amount currency } balanceAfter { amount } counterparty { id } symbol quantity
        price { amount } operation { id kind } at valueDate note corrects { id }
      }
      pageInfo { hasNextPage hasPreviousPage endCursor }
    }
  }
}"""


async def entries(house: House, account: str, **variables: Any) -> dict[str, Any]:
    return (await ask(house, ENTRIES, id=account, **variables))["account"]["transactions"]


async def amounts(house: House, account: str, **where: Any) -> list[str]:
    found = await entries(house, account, where=where)
    assert found["totalCount"] == len(found["nodes"])
    return [node["amount"]["amount"] for node in found["nodes"]]


async def test_entries_come_newest_first_with_a_running_balance(house: House) -> None:
    one, two = await place(house), await place(house)
    await house.do(Deposit(operation_id=op(), account_id=one, amount="100", note="hello"))
    moved = await house.do(Transfer(operation_id=op(), from_id=one, to_id=two, amount="30"))
    await house.do(Withdraw(operation_id=op(), account_id=one, amount="0.01"))
    found = await entries(house, one)
    assert [(each["kind"], each["amount"]["amount"], each["balanceAfter"]["amount"]) for each in found["nodes"]] == [
        ("WITHDRAWAL", "-0.01", "69.99"),
        ("TRANSFER", "-30.00", "70.00"),
        ("DEPOSIT", "100.00", "100.00"),
    ]
    transfer, deposit = found["nodes"][1:]
    assert transfer["counterparty"] == {"id": two}
    assert transfer["operation"] == {"id": moved.operation, "kind": "transfer"}
    assert deposit["note"] == "hello"
    assert deposit["counterparty"] is None
    assert deposit["valueDate"] == (await house.market.market_date()).isoformat()
    ats = [each["at"] for each in found["nodes"]]
    assert ats == sorted(ats, reverse=True)
    assert all(at.endswith("Z") for at in ats)
    assert await amounts(house, two) == ["30.00"]


async def test_entries_page_while_new_ones_come(house: House) -> None:
    account = await place(house)
    for number in range(1, 6):
        await house.do(Deposit(operation_id=op(), account_id=account, amount=str(number)))
    first = await entries(house, account, first=2)
    assert first["pageInfo"]["hasNextPage"] is True
    assert first["pageInfo"]["hasPreviousPage"] is False
    await house.do(Deposit(operation_id=op(), account_id=account, amount="6"))
    rest = await entries(house, account, first=10, after=first["pageInfo"]["endCursor"])
    shown = [each["amount"]["amount"] for each in first["nodes"] + rest["nodes"]]
    assert shown == ["5.00", "4.00", "3.00", "2.00", "1.00"]
    assert rest["totalCount"] == 6
    assert (rest["pageInfo"]["hasPreviousPage"], rest["pageInfo"]["hasNextPage"]) == (True, False)


async def test_filters_of_entries(house: House) -> None:
    account = await place(house)
    for amount in ("10", "20.50", "3000"):
        await house.do(Deposit(operation_id=op(), account_id=account, amount=amount))
    await house.do(Withdraw(operation_id=op(), account_id=account, amount="20.50"))
    placing = {"account_id": account, "symbol": "AAPL", "side": "BUY", "quantity": "1"}
    await house.do(PlaceOrder.model_validate({"operation_id": op(), **placing}))
    day = await house.market.market_date()
    expected: list[tuple[dict[str, Any], list[str]]] = [
        ({"kind": ["DEPOSIT"]}, ["3000.00", "20.50", "10.00"]),
        ({"kind": ["WITHDRAWAL", "DIVIDEND"]}, ["-20.50"]),
        ({"minAmount": "20.5"}, ["3000.00", "20.50"]),
        ({"minAmount": "20.501"}, ["3000.00"]),
        ({"maxAmount": "-20.50", "kind": ["WITHDRAWAL"]}, ["-20.50"]),
        ({"maxAmount": "-20.51", "kind": ["WITHDRAWAL"]}, []),
        ({"minAmount": "0", "maxAmount": "10"}, ["10.00"]),
        ({"state": ["VOIDED"]}, []),
        ({"kind": ["DEPOSIT"], "from": str(day), "to": str(day)}, ["3000.00", "20.50", "10.00"]),
        ({"from": str(day + timedelta(days=1))}, []),
        ({"to": str(day - timedelta(days=1))}, []),
    ]
    for where, shown in expected:
        assert await amounts(house, account, **where) == shown, where
    about = (await entries(house, account, where={"symbol": "AAPL", "kind": ["TRADE"]}))["nodes"]
    assert [each["symbol"] for each in about] == ["AAPL"]
    bad_filters: list[Any] = [{"minAmount": "1e2"}, {"symbol": "x" * 300}]
    for bad in bad_filters:
        assert (await read(house, ENTRIES, id=account, where=bad)).codes == ["BAD_USER_INPUT"]


STATEMENT = """
query($id: ID!, $from: Date!, $to: Date!, $first: Int) {
  account(id: $id) {
    statement(from: $from, to: $to) {
      from to opening { amount } closing { amount }
      entries(first: $first) { totalCount nodes { amount { amount } valueDate } }
    }
  }
}"""


async def test_a_statement_opens_and_closes_by_value_date(house: House) -> None:
    account = await place(house)
    first = await house.market.market_date()
    await house.do(Deposit(operation_id=op(), account_id=account, amount="100"))
    later = str(first + timedelta(days=3))
    found = await ask(house, STATEMENT, **{"id": account, "from": str(first), "to": later})
    assert found["account"]["statement"] == {
        "from": str(first), "to": later, "opening": {"amount": "0.00"}, "closing": {"amount": "100.00"},
        "entries": {"totalCount": 1, "nodes": [{"amount": {"amount": "100.00"}, "valueDate": str(first)}]},
    }  # fmt: skip
    after = await ask(house, STATEMENT, **{"id": account, "from": later, "to": later})
    statement = after["account"]["statement"]
    assert (statement["opening"]["amount"], statement["closing"]["amount"]) == ("100.00", "100.00")
    assert statement["entries"] == {"totalCount": 0, "nodes": []}
    before = await ask(house, STATEMENT, **{"id": account, "from": "2000-01-01", "to": str(first - timedelta(days=1))})
    assert before["account"]["statement"]["closing"] == {"amount": "0.00"}
    backwards: dict[str, Any] = {"id": account, "from": later, "to": str(first)}
    wrong = await read(house, STATEMENT, **backwards)
    assert wrong.codes == ["BAD_USER_INPUT"]
    composite = await place(house, kind="COMPOSITE")
    none = await ask(house, STATEMENT, **{"id": composite, "from": later, "to": later})
    assert none["account"]["statement"] is None


async def test_an_open_order_is_listed_and_holds_its_cash(house: House) -> None:
    account = await place(house)
    await house.do(Deposit(operation_id=op(), account_id=account, amount="1000"))
    limit = {"account_id": account, "symbol": "AAPL", "side": "BUY", "quantity": "2", "limit_price": "1.50"}
    placed = await house.do(PlaceOrder.model_validate({"operation_id": op(), **limit}))
    document = """
    query($id: ID!) {
      account(id: $id) {
        cash { amount } available { amount }
        openOrders {
          totalCount
          nodes { symbol side quantity filled limitPrice { amount } held { amount } operation { id state } }
        }
        transactions(where: {state: [PENDING]}) { nodes { kind state balanceAfter { amount } } }
      }
    }"""
    found = (await ask(house, document, id=account))["account"]
    orders = found["openOrders"]
    assert orders["totalCount"] == 1
    order = orders["nodes"][0]
    assert (order["symbol"], order["side"], order["quantity"], order["filled"]) == ("AAPL", "BUY", "2", "0")
    assert order["limitPrice"] == {"amount": "1.5"}
    assert order["operation"]["id"] == placed.operation
    assert found["cash"] == {"amount": "1000.00"}
    held = 1000 - float(found["available"]["amount"])
    assert held == pytest.approx(float(order["held"]["amount"]))
    assert found["transactions"]["nodes"] == [{"kind": "TRADE", "state": "PENDING", "balanceAfter": None}]
