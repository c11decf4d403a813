"""Cash and values: of accounts, of composites, and of whole subtrees."""

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import pytest

from graph.query import Query
from services.ledger import Deposit, Withdraw
from tests.support.house import House, op
from tests.support.reads import aggregate, ask, hold, place, read, write

pytestmark = pytest.mark.anyio

VALUES = """
query($id: ID!) {
  account(id: $id) {
    cash { amount currency } available { amount } marketValue { amount currency } totalValue { amount }
    positions {
      totalCount
      nodes { symbol quantity averagePrice { amount currency } marketValue { amount } }
    }
  }
}"""
ROLLUP = """
query($id: ID!) {
  group(id: $id) {
    rollup {
      accountCount
      cash { amount currency } marketValue { amount currency } totalValue { amount currency }
    }
  }
}"""


async def values(house: House, account: str) -> dict[str, Any]:
    return (await ask(house, VALUES, id=account))["account"]


async def rollup(house: House, group: str) -> dict[str, Any]:
    return (await ask(house, ROLLUP, id=group))["group"]["rollup"]


async def last(house: House, symbol: str) -> Decimal:
    quotes = (await ask(house, "query($s: [String!]!) { quotes(symbols: $s) { last { amount } } }", s=[symbol]))[
        "quotes"
    ]
    return Decimal(quotes[0]["last"]["amount"])


def cents(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"), rounding=ROUND_HALF_EVEN)


async def test_an_account_is_worth_its_cash_and_its_positions(house: House) -> None:
    account = await place(house, cash=12_345, held=345)
    await hold(house, account, "MSFT", 3, "0.0000001")
    await hold(house, account, "AAPL", 250_000_000, "300.005")
    apple, soft = await last(house, "AAPL"), await last(house, "MSFT")
    worth = cents(apple * Decimal("2.5")) + cents(soft * Decimal("0.00000003"))
    found = await values(house, account)
    assert found == {
        "cash": {"amount": "123.45", "currency": "USD"},
        "available": {"amount": "120.00"},
        "marketValue": {"amount": str(worth), "currency": "USD"},
        "totalValue": {"amount": str(worth + Decimal("123.45"))},
        "positions": {
            "totalCount": 2,
            "nodes": [
                {
                    "symbol": "AAPL",
                    "quantity": "2.5",
                    "averagePrice": {"amount": "120.002", "currency": "USD"},
                    "marketValue": {"amount": str(cents(apple * Decimal("2.5")))},
                },
                {
                    "symbol": "MSFT",
                    "quantity": "0.00000003",
                    "averagePrice": {"amount": "3.333333", "currency": "USD"},
                    "marketValue": {"amount": "0.00"},
                },
            ],
        },
    }


async def test_an_account_that_holds_nothing_is_worth_its_cash(house: House) -> None:
    account = await place(house, currency="JPY", cash=500)
    assert await values(house, account) == {
        "cash": {"amount": "500", "currency": "JPY"},
        "available": {"amount": "500"},
        "marketValue": {"amount": "0", "currency": "JPY"},
        "totalValue": {"amount": "500"},
        "positions": {"totalCount": 0, "nodes": []},
    }


async def test_positions_page_by_symbol(house: House) -> None:
    account = await place(house)
    symbols = ["AAPL", "AMD", "BAC", "CVX", "MSFT"]
    for symbol in reversed(symbols):
        await hold(house, account, symbol, 10**8, "1")
    document = """
    query($id: ID!, $after: String, $first: Int) {
      account(id: $id) {
        positions(first: $first, after: $after) {
          totalCount nodes { symbol } pageInfo { hasNextPage hasPreviousPage endCursor }
        }
      }
    }"""
    found: list[str] = []
    cursor = None
    around: list[tuple[bool, bool]] = []
    for _ in range(3):
        page = (await ask(house, document, id=account, first=2, after=cursor))["account"]["positions"]
        assert page["totalCount"] == 5
        found += [each["symbol"] for each in page["nodes"]]
        cursor = page["pageInfo"]["endCursor"]
        around.append((page["pageInfo"]["hasPreviousPage"], page["pageInfo"]["hasNextPage"]))
    assert found == symbols
    assert around == [(False, True), (True, True), (True, False)]
    assert (await read(house, document, id=account, first=101)).codes == ["BAD_USER_INPUT"]
    assert (await read(house, document, id=account, after="x")).codes == ["BAD_USER_INPUT"]


async def test_a_composite_is_the_sum_of_its_components(house: House) -> None:
    one = await place(house, cash=100, held=40)
    two = await place(house, cash=250)
    whole = await place(house, kind="COMPOSITE")
    await aggregate(house, whole, one, two)
    await hold(house, one, "AAPL", 150_000_000, "150")
    await hold(house, two, "AAPL", 50_000_001, "60")
    await hold(house, two, "MSFT", 10**8, "10")
    parts = [await values(house, node) for node in (one, two)]
    found = await values(house, whole)
    assert found["cash"]["amount"] == "3.50"
    assert found["available"]["amount"] == "3.10"
    worth = sum(Decimal(part["marketValue"]["amount"]) for part in parts)
    assert Decimal(found["marketValue"]["amount"]) == worth
    assert Decimal(found["totalValue"]["amount"]) == worth + Decimal("3.50")
    assert [row["symbol"] for row in found["positions"]["nodes"]] == ["AAPL", "MSFT"]
    assert found["positions"]["nodes"][0]["quantity"] == "2.00000001"
    assert found["positions"]["nodes"][0]["averagePrice"]["amount"] == "104.999999"
    by_symbol = sum(Decimal(row["marketValue"]["amount"]) for row in found["positions"]["nodes"])
    assert by_symbol == worth
    empty = await place(house, kind="COMPOSITE")
    assert (await values(house, empty))["totalValue"] == {"amount": "0.00"}


async def test_a_rollup_counts_real_money_once_for_each_currency(house: House) -> None:
    top = await house.group("Top")
    low = await house.group("Low", top)
    accounts = [
        await place(house, top, cash=100),
        await place(house, low, cash=299),
        await place(house, low, cash=7, currency="JPY"),
    ]
    await place(house, low, cash=1_000_000, simulated=True)
    await place(house, low, status="CLOSED", currency="EUR")
    composite = await place(house, low, kind="COMPOSITE")
    await aggregate(house, composite, *accounts[:2])
    await place(house, cash=5_000)
    for node in accounts[:2]:
        await hold(house, node, "AAPL", 133_333_333, "1")
    values_of = [await values(house, node) for node in accounts]
    usd = sum(Decimal(each["marketValue"]["amount"]) for each in values_of[:2])
    assert await rollup(house, top) == {
        "accountCount": 3,
        "cash": [{"amount": "7", "currency": "JPY"}, {"amount": "3.99", "currency": "USD"}],
        "marketValue": [{"amount": "0", "currency": "JPY"}, {"amount": str(usd), "currency": "USD"}],
        "totalValue": [
            {"amount": "7", "currency": "JPY"},
            {"amount": str(usd + Decimal("3.99")), "currency": "USD"},
        ],
    }
    empty = await rollup(house, await house.group("Empty"))
    assert empty == {"accountCount": 0, "cash": [], "marketValue": [], "totalValue": []}


async def test_sums_beyond_64_bits_are_exact(house: House) -> None:
    group = await house.group("Rich")
    nodes = [await place(house, group, cash=10**17 - number) for number in range(120)]
    total = sum(10**17 - number for number in range(120))
    assert total > 2**63
    exact = f"{total // 100}.{total % 100:02}"
    assert (await rollup(house, group))["cash"] == [{"amount": exact, "currency": "USD"}]
    whole = await place(house, group, kind="COMPOSITE")
    await aggregate(house, whole, *nodes)
    assert (await values(house, whole))["cash"]["amount"] == exact
    found = await ask(
        house,
        "query($g: ID!, $n: Decimal) { group(id: $g) { accounts(where: {minCash: $n}) { nodes { id } } } }",
        g=group,
        n=exact,
    )
    assert found["group"]["accounts"]["nodes"] == [{"id": whole}]


async def test_a_price_that_was_never_known_takes_nothing_else_away(house: House) -> None:
    group = await house.group("Sub")
    known, unknown = await place(house, group, cash=100), await place(house, group, cash=200)
    await hold(house, known, "AAPL", 10**8, "1")
    await hold(house, unknown, "NOSUCH", 10**8, "1")
    await hold(house, unknown, "AAPL", 10**8, "1")
    document = """
    query($g: ID!) {
      group(id: $g) {
        accounts { nodes { id cash { amount } marketValue { amount } totalValue { amount } positions {
          nodes { symbol marketValue { amount } } } } }
        rollup { accountCount cash { amount } marketValue { amount } totalValue { amount } }
      }
    }"""
    answer = await read(house, document, g=group)
    nodes = {node["id"]: node for node in answer.data["group"]["accounts"]["nodes"]}
    assert nodes[known]["marketValue"] is not None
    assert nodes[unknown]["cash"] == {"amount": "2.00"}
    assert (nodes[unknown]["marketValue"], nodes[unknown]["totalValue"]) == (None, None)
    positions = {row["symbol"]: row["marketValue"] for row in nodes[unknown]["positions"]["nodes"]}
    assert positions["NOSUCH"] is None
    assert positions["AAPL"] is not None
    assert answer.data["group"]["rollup"] == {
        "accountCount": 2, "cash": [{"amount": "3.00"}], "marketValue": None, "totalValue": None,
    }  # fmt: skip
    assert answer.codes == ["PRICE_UNKNOWN"] * 5
    assert all("NOSUCH" in error.message for error in answer.errors)


async def test_one_market_call_serves_a_whole_request(house: House) -> None:
    group = await house.group("Sub")
    for number, symbol in enumerate(["AAPL", "MSFT", "AMD", "BAC"]):
        account = await place(house, group, name=f"A{number}")
        await hold(house, account, symbol, 10**8, "1")
    other = await place(house)
    await hold(house, other, "CVX", 10**8, "1")
    document = """
    query($g: ID!, $o: ID!) {
      group(id: $g) {
        accounts { nodes { parent { rollup { marketValue { amount } } } marketValue { amount } totalValue { amount }
          positions { nodes { marketValue { amount } } } } }
        rollup { totalValue { amount } }
      }
      account(id: $o) { marketValue { amount } parent { parent { id } accounts { nodes { marketValue { amount } } } } }
    }"""
    answer = await read(house, document, g=group, o=other)
    assert answer.errors == []
    assert answer.symbols_asked == [("AAPL", "AMD", "BAC", "CVX", "MSFT")]
    cash_alone = await read(house, "query($o: ID!) { account(id: $o) { cash { amount } } }", o=other)
    assert cash_alone.symbols_asked == []


async def test_quotes_are_asked_for_with_what_the_rest_of_the_request_needs(house: House) -> None:
    account = await place(house)
    for symbol in ("AAPL", "MSFT"):
        await hold(house, account, symbol, 10**8, "1")
    document = """
    query($id: ID!) {
      quotes(symbols: ["MSFT", "AAPL", "NOSUCH"]) { symbol last { amount } }
      again: quotes(symbols: ["CVX"]) { symbol }
      account(id: $id) { positions { nodes { symbol marketValue { amount } } } } }"""
    answer = await read(house, document, id=account)
    assert answer.errors == []
    assert answer.symbols_asked == [("AAPL", "CVX", "MSFT", "NOSUCH")]
    held = answer.data["account"]["positions"]["nodes"]
    worth = [(node["symbol"], Decimal(node["marketValue"]["amount"])) for node in reversed(held)]
    assert [(each["symbol"], round(Decimal(each["last"]["amount"]), 2)) for each in answer.data["quotes"]] == worth


async def test_a_market_that_is_gone_leaves_cash_and_the_last_known_prices(house: House) -> None:
    account = await place(house, cash=100)
    await hold(house, account, "AAPL", 10**8, "1")
    document = "query($id: ID!) { account(id: $id) { cash { amount } marketValue { amount } totalValue { amount } } }"
    before = await read(house, document, id=account)
    gone = await read(house, document, gone=True, id=account)
    assert (gone.errors, gone.data) == ([], before.data)
    quotes = await read(house, '{ quotes(symbols: ["AAPL"]) { symbol } }', gone=True)
    assert quotes.codes == ["UNAVAILABLE"]


async def test_quotes_come_in_the_order_asked_and_leave_out_what_the_market_does_not_know(house: House) -> None:
    document = "query($s: [String!]!) { quotes(symbols: $s) { symbol last { amount currency } at } }"
    asked = ["MSFT", "NOSUCH", "AAPL", "MSFT", "", "x" * 33, "\x00"]
    quotes = (await ask(house, document, s=asked))["quotes"]
    assert [quote["symbol"] for quote in quotes] == ["MSFT", "AAPL"]
    assert all(quote["last"]["currency"] == "USD" for quote in quotes)
    assert (await ask(house, document, s=[]))["quotes"] == []
    assert (await read(house, document, s=[f"S{number}" for number in range(101)])).codes == ["BAD_USER_INPUT"]


DROP = Query("test.forget_price", "MATCH (i:Instrument {symbol: $symbol}) DETACH DELETE i")


async def test_a_price_that_was_forgotten_and_a_market_that_is_gone_give_no_value(house: House) -> None:
    account = await place(house, cash=100)
    await hold(house, account, "BBY", 10**8, "1")
    await write(house, DROP, symbol="BBY")
    document = "query($id: ID!) { account(id: $id) { cash { amount } marketValue { amount } } }"
    answer = await read(house, document, gone=True, id=account)
    assert answer.data == {"account": {"cash": {"amount": "1.00"}, "marketValue": None}}
    assert answer.codes == ["PRICE_UNKNOWN"]


async def test_postings_show_at_once(house: House) -> None:
    account = await place(house)
    await house.do(Deposit(operation_id=op(), account_id=account, amount="10"))
    await house.do(Withdraw(operation_id=op(), account_id=account, amount="2.50"))
    assert (await values(house, account))["cash"]["amount"] == "7.50"
