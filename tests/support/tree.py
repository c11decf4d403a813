"""Groups, accounts and templates as commands make them, and what the graph says of them afterwards."""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from typing_extensions import override

from graph import accounts, groups, templates
from graph.database import Row
from graph.query import Query
from graph.structure import Located, locate
from services.accounts import AccountStatus
from services.configuring import Configure
from services.creating import CreateAccount
from services.moving import Move
from services.permissions import Viewer
from services.pipeline import Outcome, Pipeline
from services.problems import Problem
from services.protocol.embedded import EmbeddedProtocol
from services.protocol.port import Question
from services.protocol.verdict import OverallStatus, Verdict
from services.status import ChangeAccountStatus
from services.templates import CreateTemplate
from tests.support.house import Address, House, op, open_house
from tests.support.trading import JOURNAL

EDGES = Query(
    "test.edges",
    "MATCH (n:Account {id: $id})-[e]->(m) "
    "RETURN type(e) AS type, e.since AS since, e.until AS until, m.id AS node ORDER BY since, node",
)
PAST_GROUP = Query(
    "test.past_of_group",
    "MATCH (:Group {id: $id})<-[e:CONTAINED]-(p:Group) "
    "RETURN e.since AS since, e.until AS until, p.id AS node ORDER BY since",
)
PAST_ACCOUNT = Query(
    "test.past_of_account",
    "MATCH (:Account {id: $id})<-[e:CONTAINED]-(p:Group) "
    "RETURN e.since AS since, e.until AS until, p.id AS node ORDER BY since",
)
TREE = Query(
    "test.tree",
    "UNWIND $ids AS id MATCH (g:Group {id: id})<-[:CONTAINS]-(p:Group) RETURN id, collect(p.id) AS parents",
)


async def account(house: House, parent: str | None = None, **given: Any) -> str:
    """A new account in a group, the tenant's root where none is said; its id."""
    made = await house.do(create(house, parent, **given))
    return made.payload["account"]


def create(house: House, parent: str | None = None, **given: Any) -> CreateAccount:
    """The command that creates an account."""
    fields: dict[str, Any] = {"operation_id": op(), "name": "Account", "parent_id": parent or house.root}
    return CreateAccount.model_validate(fields | given)


async def template(house: House, parent: str | None = None, **settings: Any) -> str:
    """A new template with settings whose dots are written as double underscores; its id."""
    made = await house.do(
        CreateTemplate(operation_id=op(), name="Template", parent_id=parent or house.root, settings=dotted(settings))
    )
    return made.payload["template"]


def dotted(settings: Row) -> Row:
    """`custom__a=1` as `{"custom.a": 1}`."""
    return {key.replace("__", "."): value for key, value in settings.items()}


def configure(node: str, settings: Row | None = None, **more: Any) -> Configure:
    """The command that configures a node."""
    return Configure.model_validate({"operation_id": op(), "id": node, "settings": settings or {}, **more})


def move(node: str, parent: str) -> Move:
    """The command that moves a node."""
    return Move(operation_id=op(), id=node, parent_id=parent, rationale="because")


async def status(house: House, node: str, wanted: str) -> Outcome:
    """Sets an account's status at its present version."""
    version = (await node_of(house, node))["version"]
    return await house.do(
        ChangeAccountStatus(operation_id=op(), id=node, version=version, status=AccountStatus(wanted), reason="because")
    )


async def node_of(house: House, node: str) -> Row:
    """The properties of a group, account or template, its JSON texts read."""
    database = house.desk.database
    found = {**await groups.find(database, [node]), **await accounts.find(database, [node])}
    row = {**found, **await templates.find(database, [node])}[node]
    texts = ("settings", "metadata", "metadataSchema")
    return {name: orjson.loads(value) if name in texts and value else value for name, value in row.items()}


async def values_of(house: House, node: str) -> Row:
    """The node's own settings, without the instants of their setting."""
    return {key: stored["value"] for key, stored in (await node_of(house, node))["settings"].items()}


async def place_of(house: House, node: str) -> Located:
    """Where a node stands."""
    return (await locate(house.desk.database, [node]))[node]


async def edges(house: House, node: str, kind: str) -> list[Row]:
    """The edges of a kind that leave an account, oldest first."""
    return [row for row in await house.desk.database.run(EDGES, id=node) if row["type"] == kind]


async def past_parents(house: House, node: str) -> list[Row]:
    """The groups that a node was in before, oldest first, with since and until."""
    query = PAST_GROUP if node.startswith("grp") else PAST_ACCOUNT
    return await house.desk.database.run(query, id=node)


async def last_record(house: House, feed: str | None = None) -> Row:
    """The newest record of a feed, the tenant's where none is said, its payload read."""
    rows = await house.desk.database.run(JOURNAL, feed=feed or house.root)
    record = rows[-1]["record"]
    return {**record, **orjson.loads(record["payload"])}


def told(problems: list[Problem]) -> list[tuple[str, tuple[str, ...]]]:
    """The code and path of each problem."""
    return [(problem.code.value, problem.path) for problem in problems]


@dataclass
class Listening(EmbeddedProtocol):
    """The embedded engine, which keeps what it was asked; `asks` makes it ask for a person's approval."""

    asks: bool = False
    questions: list[Question] = field(default_factory=list[Question])

    def __post_init__(self) -> None:
        super().__init__()

    @override
    async def validate(self, question: Question) -> Verdict:
        self.questions.append(question)
        verdict = await super().validate(question)
        if not self.asks:
            return verdict
        return verdict.model_copy(update={"overall_status": OverallStatus.WARNING, "requires_approval": True})


def listening(house: House, *, asks: bool = False) -> tuple[House, Listening]:
    """The same house with a protocol engine that keeps what it is asked."""
    protocol = Listening(asks)
    desk = replace(house.desk, protocol=protocol)
    return House(desk, Pipeline(desk), house.admin, house.market, house.root), protocol


@asynccontextmanager
async def beside(house: House, engine: Address) -> AsyncGenerator[House]:
    """The same tenant through connections, queues and locks of their own, as another process has them."""
    async with open_house(engine) as other:
        other.root = house.root
        yield other


@contextmanager
def counted(house: House) -> Generator[list[str]]:
    """The names of the statements that run meanwhile."""
    names: list[str] = []
    database = house.desk.database
    before = database._observe
    database._observe = lambda name, _seconds, _outcome: names.append(name)
    try:
        yield names
    finally:
        database._observe = before


async def statements(house: House, command: Any, viewer: Viewer | None = None) -> int:
    """How many statements a command takes."""
    with counted(house) as names:
        await house.do(command, viewer)
    return len(names)
