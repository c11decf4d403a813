"""A small client of the API: in this process with a user's rights, or over HTTP with a token."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import uuid4

import httpx
import strawberry
from graphql import GraphQLUnionType, get_named_type
from graphql import build_schema as read_schema

from graph import users
from resolvers.context import Context
from schema.schema import build_schema
from services.access import viewer_of_token, viewer_of_user
from services.guard import Guard
from services.permissions import Viewer
from services.problems import Refused
from tests.support.house import House, op

PASSWORD = "a long enough password"
PROBLEM = "... on Problem { code message path problems { code message path } }"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the data, and the errors as clients see them (in this process: as they were raised)."""

    data: dict[str, Any] | None
    errors: list[Any] = field(default_factory=list[Any])


class Api(ABC):
    """A client. `run` takes any document, `do` a mutation by its name."""

    @abstractmethod
    async def run(self, document: str, /, **variables: Any) -> Answer:
        """The answer to a document."""

    async def ask(self, document: str, /, **variables: Any) -> dict[str, Any]:
        """The data of a document that has no error."""
        answer = await self.run(document, **variables)
        assert not answer.errors, answer.errors
        assert answer.data is not None
        return answer.data

    async def do(self, name: str, payload: str = "operation { id state }", /, **given: Any) -> dict[str, Any]:
        """The result of a mutation, with its __typename: the payload's fields, or a problem's."""
        answer = await self.ask(document_of(name, payload), input={"operationId": op(), **given})
        return answer[name]

    async def done(self, name: str, payload: str = "operation { id state }", /, **given: Any) -> dict[str, Any]:
        """The payload of a mutation that meets no problem."""
        result = await self.do(name, payload, **given)
        assert "code" not in result, result
        return result

    async def refused(self, name: str, /, **given: Any) -> dict[str, Any]:
        """The problem that a mutation meets."""
        result = await self.do(name, "__typename", **given)
        assert "code" in result, result
        return result


class InProcess(Api):
    """The schema in this process. Without a user nobody is signed in; a token takes the place of a user's id."""

    def __init__(self, house: House, user: str | None = None, *, token: str | None = None) -> None:
        self.house = house
        self.user = user
        self.token = token
        self.guard = Guard()
        self.refusal: Refused | None = None
        # Failures are counted for addresses too, and many tests share an engine.
        self.address = f"address of {uuid4()}"

    async def run(self, document: str, /, **variables: Any) -> Answer:
        context = Context(
            desk=self.house.desk,
            pipeline=self.house.pipeline,
            guard=self.guard,
            viewer=await self.viewer(),
            refusal=self.refusal,
            address=self.address,
        )
        result = await _schema().execute(document, variable_values=variables, context_value=context)
        return Answer(result.data, list(result.errors or ()))

    async def viewer(self) -> Viewer | None:
        """Who asks, with the rights of now."""
        if self.token is not None:
            return await viewer_of_token(self.house.desk.database, self.token)
        return await viewer_of_user(self.house.desk.database, self.user) if self.user is not None else None


class Remote(Api):
    """A server at a URL, such as http://127.0.0.1:8000/graphql."""

    def __init__(self, client: httpx.AsyncClient, url: str, token: str | None = None) -> None:
        self._client = client
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    async def run(self, document: str, /, **variables: Any) -> Answer:
        body = {"query": document, "variables": variables}
        response = await self._client.post(self._url, json=body, headers=self._headers)
        content = response.json()
        return Answer(content.get("data"), content.get("errors", []))


def document_of(name: str, payload: str, problem: str = PROBLEM) -> str:
    """The document that asks for a mutation with its one input as a variable; `problem` is what it asks of problems."""
    given, result = _shapes()[name]
    shown = f"__typename ... on {result} {{ {payload} }} {problem}"
    return f"mutation($input: {given}) {{ {name}(input: $input) {{ {shown} }} }}"


@cache
def _shapes() -> dict[str, tuple[str, str]]:
    """For each mutation, the type of its input and the name of its payload."""
    mutation = read_schema(_schema().as_str()).mutation_type
    assert mutation is not None
    shapes: dict[str, tuple[str, str]] = {}
    for name, found in mutation.fields.items():
        union = get_named_type(found.type)
        if isinstance(union, GraphQLUnionType):
            payload = next(each.name for each in union.types if each.name.endswith("Payload"))
            shapes[name] = (str(found.args["input"].type), payload)
    return shapes


@cache
def _schema() -> strawberry.Schema:
    return build_schema()


async def a_user(house: House, *grants: tuple[str, str], username: str = "", password: str = PASSWORD) -> InProcess:
    """A new user's client; `grants` are roles, each with the node that it is granted on."""
    admin = InProcess(house, house.admin.user_id)
    name = username or f"user-{uuid4().hex[:12]}"
    await admin.done("createUser", "username", username=name, password=password)
    for role, node in grants:
        await admin.done("grant", username=name, nodeId=node, role=role)
    row = await users.by_key(house.desk.database, name)
    assert row is not None
    return InProcess(house, row["id"])
