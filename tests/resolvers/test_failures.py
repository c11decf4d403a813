"""What a read answers while the engine is gone, and where errors stand beside each other."""

from dataclasses import replace
from typing import Any

import pytest

from graph.database import Database, Row
from graph.errors import EngineUnavailable
from graph.query import Query
from resolvers.context import Context
from services.guard import Guard
from tests.support.house import House
from tests.support.reads import place, read, schema

pytestmark = pytest.mark.anyio


class GoneAfter(Database):
    """The real engine, which stops answering after so many statements."""

    def __init__(self, database: Database, statements: int) -> None:
        self._real = database
        self._left = statements

    async def run(self, query: Query, **parameters: Any) -> list[Row]:
        self._left -= 1
        if self._left < 0:
            raise EngineUnavailable("gone for this test")
        return await self._real.run(query, **parameters)


async def test_an_engine_that_is_gone_is_told_with_a_code_at_whatever_statement(house: House) -> None:
    account = await place(house, cash=5)
    document = """
    query($id: ID!) {
      account(id: $id) {
        cash { amount } settings { key } ancestors { id } marketValue { amount } transactions { totalCount }
      }
      accounts { totalCount }
      viewer { username }
    }"""
    codes: set[str] = set()
    for statements in range(12):
        desk = replace(house.desk, database=GoneAfter(house.desk.database, statements))
        context = Context(desk=desk, pipeline=house.pipeline, guard=Guard(), viewer=house.admin)
        result = await schema().execute(document, variable_values={"id": account}, context_value=context)
        await context.reading.settled()
        codes |= {str((error.extensions or {}).get("code")) for error in result.errors or ()}
    assert codes == {"UNAVAILABLE"}


async def test_an_error_leaves_nothing_of_its_request_behind(house: House) -> None:
    document = """
    query($id: ID!) {
      first: accounts(first: -1) { totalCount }
      viewer { username grants { role } }
      groups { totalCount nodes { id rollup { cash { amount } } } }
      account(id: $id) { parent { id } positions(first: 500) { totalCount } ancestors { id } }
      node(id: $id) { id }
    }"""
    answer = await read(house, document, id=await place(house))
    assert set(answer.codes) == {"BAD_USER_INPUT"}


async def test_a_field_that_fails_takes_nothing_from_another_branch(house: House) -> None:
    document = """
    query($id: ID!) {
      bad: account(id: $id) {
        transactions(first: 500) { totalCount } parent { id } ancestors { id } settings { key }
        positions { nodes { symbol } }
      }
      good: account(id: $id) { parent { id } ancestors { id } positions { nodes { symbol } } }
    }"""
    account = await place(house)
    answer = await read(house, document, id=account)
    assert answer.codes == ["BAD_USER_INPUT"]
    root = {"id": house.root}
    assert answer.data == {"bad": None, "good": {"parent": root, "ancestors": [root], "positions": {"nodes": []}}}


async def test_nobody_reads_without_signing_in(house: House) -> None:
    for document in (
        "{ viewer { username } }",
        "{ accounts { totalCount } }",
        '{ node(id: "x") { id } }',
        "{ groups { totalCount } }",
    ):
        context = Context(desk=house.desk, pipeline=house.pipeline, guard=Guard(), viewer=None)
        result = await schema().execute(document, context_value=context)
        codes = [(error.extensions or {}).get("code") for error in result.errors or ()]
        assert codes == ["UNAUTHENTICATED"] or result.data == {"node": None}
