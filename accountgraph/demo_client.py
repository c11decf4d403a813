"""What `accountgraph demo` says to a server: signs in, and does each step once, however often it is asked to."""

import asyncio
from typing import Any
from uuid import UUID, uuid5

import httpx

from accountgraph.data_folder import StartFailed

AT_ONCE = 8
MOST_SECONDS = 60
DEMO = UUID("5b0f4b1e-8a55-4c0e-9f0d-6d2a3a3f5d11")
"""The namespace of the operation ids of the demo."""
REUSED = "OPERATION_ID_REUSED"
# Each mutation's input and payload, and what is asked of the payload.
_MUTATIONS = {
    "createGroup": ("CreateGroup", "CreateGroup", "group { id }"),
    "createAccount": ("CreateAccount", "CreateAccount", "account { id }"),
    "createTemplate": ("CreateTemplate", "CreateTemplate", "template { id }"),
    "createUser": ("CreateUser", "CreateUser", "username"),
    "grant": ("Grant", "Grant", "operation { state }"),
    "configure": ("Configure", "Configure", "operation { state }"),
    "deposit": ("Deposit", "Post", "operation { state }"),
    "transfer": ("Transfer", "Post", "operation { state }"),
    "placeOrder": ("PlaceOrder", "PlaceOrder", "operation { state }"),
    "advanceMarketDate": ("AdvanceMarketDate", "Market", "market { date }"),
}
_SIGN_IN = """mutation DemoSignIn($input: SignInInput!) {
  answer: signIn(input: $input) { ... on SignInPayload { accessToken } ... on Problem { code message path } }
}"""
_MARKET = "query DemoMarket { installation { id } market { date embedded } }"
_SETTINGS = "query DemoSettings($id: ID!) { group(id: $id) { settings { key value } } }"


class Client:
    """A signed-in user of one server. Raises StartFailed where the server refuses, httpx.HTTPError where it is gone."""

    def __init__(self, http: httpx.AsyncClient, slots: asyncio.Semaphore) -> None:
        self._http = http
        self._slots = slots
        self._headers: dict[str, str] = {}
        self.installation = ""

    async def sign_in(self, username: str, password: str, installation: str = "") -> "Client":
        """This client, signed in; `installation` is the id that its operation ids follow from."""
        answer = _done(await self._ask(_SIGN_IN, input={"username": username, "password": password}))
        self._headers = {"Authorization": f"Bearer {answer['answer']['accessToken']}"}
        self.installation = installation
        return self

    def another(self) -> "Client":
        """Another client of the same server, which nobody is signed in with yet. The two share their bound."""
        return Client(self._http, self._slots)

    async def market(self) -> dict[str, Any]:
        """The market's date, and whether it is the embedded one. It sets `installation` on the way."""
        found = await self._ask(_MARKET)
        self.installation = found["installation"]["id"]
        return found["market"]

    async def setting(self, group: str, key: str) -> Any:
        """The value of a setting in force on a group; None where there is none."""
        found = (await self._ask(_SETTINGS, id=group))["group"]["settings"]
        return next((each["value"] for each in found if each["key"] == key), None)

    async def do(self, name: str, step: str, /, **given: Any) -> dict[str, Any]:
        """The payload of a mutation. The operation id follows from the installation and the step's name."""
        return _done(await self._mutate(name, step, given))["answer"]

    async def do_unless_done(self, name: str, step: str, /, **given: Any) -> bool:
        """Does a step; False, and no effect, where it was done before with another input."""
        answer = await self._mutate(name, step, given)
        if answer["answer"].get("code") == REUSED:
            return False
        _done(answer)
        return True

    async def _mutate(self, name: str, step: str, given: dict[str, Any]) -> dict[str, Any]:
        taken, payload, asked = _MUTATIONS[name]
        document = (
            f"mutation Demo{taken}($input: {taken}Input!) {{ answer: {name}(input: $input) {{ "
            f"... on {payload}Payload {{ {asked} }} ... on Problem {{ code message path }} }} }}"
        )
        operation = str(uuid5(DEMO, f"{self.installation}/{step}"))
        async with self._slots:
            return await self._ask(document, input={"operationId": operation, **given})

    async def _ask(self, document: str, **variables: Any) -> dict[str, Any]:
        body = {"query": document, "variables": variables}
        content = (await self._http.post("/graphql", json=body, headers=self._headers)).json()
        if content.get("errors") or not content.get("data"):
            raise StartFailed(f"the demo stopped: {content.get('errors')}")
        return content["data"]


def _done(answer: dict[str, Any]) -> dict[str, Any]:
    problem = answer["answer"]
    if "code" in problem:
        where = f" at {'.'.join(problem['path'])}" if problem["path"] else ""
        raise StartFailed(f"the demo stopped: {problem['code']}{where}: {problem['message']}")
    return answer
