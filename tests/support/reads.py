"""Reads of the schema in this process, with how many statements and market calls they took."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import strawberry
from graphql import GraphQLError

from graph.database import Row, Transaction
from graph.ids import Kind, new_id
from graph.journal import Author, take_feed
from graph.query import Query
from graph.sort_keys import sort_key
from resolvers.context import Context
from schema.schema import build_schema
from services.access import viewer_of_user
from services.granting import Grant
from services.guard import Guard
from services.market.port import Market, MarketUnavailable, Quote
from services.permissions import Role, Viewer
from services.prices import PriceBook
from services.users import CreateUser
from tests.support.house import House, op

PLACE = Query(
    "test.place_accounts",
    "UNWIND $rows AS row MATCH (g:Group {id: row.parent}) CREATE (g)-[:CONTAINS {since: row.properties.createdAt}]->"
    "(a:Account) SET a = row.properties",
)
CHAIN = Query(
    "test.place_groups",
    "UNWIND $rows AS row CREATE (g:Group) SET g = row",
)
LINK = Query(
    "test.link_groups",
    "UNWIND $rows AS row MATCH (p:Group {id: row.parent}) MATCH (g:Group {id: row.id}) "
    "CREATE (p)-[:CONTAINS {since: '2026-01-01T00:00:00.000000Z'}]->(g)",
)
HOLD = Query(
    "test.hold_positions",
    "UNWIND $rows AS row MATCH (a:Account {id: row.account}) "
    "CREATE (a)-[:HOLDS {since: '2026-01-01T00:00:00.000000Z'}]->(p:Position) SET p = row.properties",
)
AGGREGATE = Query(
    "test.aggregate",
    "MATCH (a:Account {id: $id}) UNWIND $components AS component MATCH (c:Account {id: component}) "
    "CREATE (a)-[:AGGREGATES {since: '2026-01-01T00:00:00.000000Z'}]->(c)",
)


@dataclass(slots=True)
class Read:
    """What a read answered, and what it cost."""

    data: Any
    errors: list[GraphQLError]
    statements: int
    symbols_asked: list[tuple[str, ...]] = field(default_factory=list[tuple[str, ...]])

    @property
    def codes(self) -> list[Any]:
        """The codes of the errors."""
        return [(error.extensions or {}).get("code") for error in self.errors]


class CountedMarket:
    """Passes the quotes of another market on, counts the calls, and can be gone."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self.calls: list[tuple[str, ...]] = []
        self.gone = False

    async def quotes(self, symbols: Collection[str]) -> dict[str, Quote]:
        self.calls.append(tuple(sorted(symbols)))
        if self.gone:
            raise MarketUnavailable("gone for this test")
        return await self._market.quotes(symbols)


async def read(
    house: House, document: str, viewer: Viewer | None = None, /, *, gone: bool = False, **variables: Any
) -> Read:
    """The answer to a query, asked as the administrator or as another viewer."""
    market = CountedMarket(house.market)
    market.gone = gone
    book = PriceBook(market, house.desk.database)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    desk = replace(house.desk, market=market, prices=book)  # pyright: ignore[reportArgumentType]
    context = Context(desk=desk, pipeline=house.pipeline, guard=Guard(), viewer=viewer or house.admin)
    result = await schema().execute(document, variable_values=variables, context_value=context)
    await context.reading.settled()
    await book.aclose()
    return Read(result.data, list(result.errors or ()), context.reading.statements, market.calls)


async def ask(house: House, document: str, viewer: Viewer | None = None, /, **variables: Any) -> Any:
    """The data of a query that has no error."""
    answer = await read(house, document, viewer, **variables)
    assert answer.errors == []
    return answer.data


@cache
def schema() -> strawberry.Schema:
    """The schema, built once."""
    return build_schema()


async def viewer_with(house: House, *nodes: str, role: Role = Role.VIEWER) -> Viewer:
    """A new user with the role on each of the nodes."""
    name = f"u{op().replace('-', '')}"
    await house.do(CreateUser.model_validate({"operation_id": op(), "username": name, "password": "long enough 123"}))
    for node in nodes:
        await house.do(Grant(operation_id=op(), username=name, node_id=node, role=role))
    return await again(house, name)


async def again(house: House, name: str) -> Viewer:
    """The user of this name with the rights of now."""
    rows = await house.desk.database.run(
        Query.compiled("test.user", "MATCH (u:User {key: $key}) RETURN u.id AS id"), key=name
    )
    viewer = await viewer_of_user(house.desk.database, rows[0]["id"])
    assert viewer is not None
    return viewer


def account_row(root: str, at: str = "2026-01-01T00:00:00.000000Z", **given: Any) -> dict[str, Any]:
    """The properties of an account, but for what is given instead."""
    row: dict[str, Any] = {
        "id": new_id(Kind.ACCOUNT), "root": root, "name": "A", "kind": "INDIVIDUAL", "status": "ACTIVE",
        "currency": "USD", "simulated": False, "version": 1, "cash": 0, "held": 0, "place": 0, "settings": "{}",
        "metadata": "{}", "createdAt": at, "updatedAt": at,
    }  # fmt: skip
    row |= given
    key = sort_key(row["name"])
    return row if key is None else row | {"nameKey": key}


async def write(house: House, query: Query, **parameters: Any) -> None:
    """Writes to the graph directly, where a test needs more than the services make in good time.

    The journal tells of the accounts, groups and positions, as it does of all that the services make.
    """
    records = [_record(query, row) for row in parameters["rows"]] if query in (PLACE, LINK, HOLD) else []

    async def work(transaction: Transaction) -> None:
        await transaction.run(query, **parameters)
        if records:
            recorder = await take_feed(transaction, house.root, Author("test", "plant", None))
            for record in records:
                recorder.add(*record)
            await recorder.write(transaction)

    await house.desk.database.write(work, queue=house.root)


def _record(query: Query, row: Row) -> tuple[str, list[str], Row, Row]:
    if query is LINK:
        return "GROUP_CREATED", [row["id"], row["parent"]], {}, {"parent": row["parent"]}
    properties: Row = row["properties"]
    if query is HOLD:
        return "POSTED", [row["account"]], {}, {"positions": {properties["id"]: properties}}
    parent: str = row["parent"]
    return "ACCOUNT_CREATED", [properties["id"], parent], {}, {**properties, "parent": parent}


async def place(house: House, parent: str | None = None, **given: Any) -> str:
    """An account in a group, the tenant's root where none is said; its id."""
    row = account_row(house.root, **given)
    await write(house, PLACE, rows=[{"parent": parent or house.root, "properties": row}])
    return row["id"]


async def hold(house: House, account: str, symbol: str, quantity: int, cost: str = "0") -> None:
    """A position of so much (1e-8) that cost so much."""
    properties = {"id": new_id(Kind.POSITION), "symbol": symbol, "quantity": quantity, "cost": cost, "held": 0}
    await write(house, HOLD, rows=[{"account": account, "properties": properties}])


async def aggregate(house: House, composite: str, *components: str) -> None:
    """Makes accounts the components of a COMPOSITE one."""
    await write(house, AGGREGATE, id=composite, components=list(components))


async def chain(house: House, length: int) -> list[str]:
    """A line of groups below the root, each below the one before; their ids from the top."""
    ids = [new_id(Kind.GROUP) for _ in range(length)]
    at = "2026-01-01T00:00:00.000000Z"
    rows = [
        {"id": one, "root": house.root, "name": "G", "version": 1, "createdAt": at, "updatedAt": at, "settings": "{}",
         "locks": []}
        for one in ids
    ]  # fmt: skip
    await write(house, CHAIN, rows=rows)
    above = [house.root, *ids[:-1]]
    await write(house, LINK, rows=[{"id": one, "parent": parent} for one, parent in zip(ids, above, strict=True)])
    return ids
