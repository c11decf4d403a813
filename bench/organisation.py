"""The accounts that a run reads and writes, made through the public API, as a client would make them."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import uuid4

from bench.filling import Filled, fill
from bench.running import PASSWORD
from bench.wire import Connection

T = TypeVar("T")
AT_ONCE = 16
READER, TRADER = "bench.reader", "bench.trader"
SIGN_IN = """mutation SignIn($input: SignInInput!) {
  answer: signIn(input: $input) { ... on SignInPayload { accessToken } ... on Problem { code message } }
}"""
_ASKED = {
    "createGroup": ("CreateGroup", "group { id }"),
    "createAccount": ("CreateAccount", "account { id }"),
    "createUser": ("CreateUser", "username"),
    "grant": ("Grant", "operation { state }"),
    "deposit": ("Deposit", "operation { state }"),
    "transfer": ("Transfer", "operation { state }"),
}
_POSTING = ("deposit", "transfer")


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large a run is."""

    groups: int = 10
    each: int = 20
    """Accounts of a group in the small tenant."""
    less: int = 20_000
    """Accounts of the lesser of the two tenants that are imported."""
    accounts: int = 1_000_000
    """Accounts of the larger one."""
    few: int = 4
    """Clients at once for the wide tree, at most `clients`."""
    clients: int = 16
    """Clients at once for reads."""
    payers: int = 64
    """Clients at once for transfers; also how many tenants there are with a feed of their own."""
    imported: int = 10_000
    """Accounts of an import; a fifth of them are made by single mutations beside it."""
    profiled: int = 200
    """How often each work is done whose time is taken apart."""
    rounds: int = 7
    seconds: float = 0.8
    """How long one measurement lasts."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant: its root, and the accounts in it."""

    root: str
    accounts: Sequence[str]


@dataclass(frozen=True, slots=True)
class Organisation:
    """What was loaded. Two users have their rights on it; nobody who measures is the administrator."""

    small: Tenant
    less: Filled
    large: Filled
    wide: Tenant
    """Its root has groups of groups; the accounts are named from group to group."""
    hot: Tenant
    """Two accounts for each payer, all with one feed."""
    spread: Sequence[Tenant]
    """A tenant of two accounts for each payer, each with a feed of its own."""
    reader: str
    """The token of the user who reads the small, the imported and the wide tenants."""
    trader: str
    """The token of the user who posts in the others."""


def mutation(name: str) -> str:
    """The document of a mutation."""
    kind, asked = _ASKED[name]
    payload = "Post" if name in _POSTING else kind
    return (
        f"mutation Bench{kind}($input: {kind}Input!) {{ answer: {name}(input: $input) {{ "
        f"... on {payload}Payload {{ {asked} }} ... on Problem {{ code message }} }} }}"
    )


async def load(url: str, sizes: Sizes, tell: Callable[[str], None]) -> Organisation:
    """Makes the tenants and the users over the API of the server there. Raises BenchFailed."""
    async with AsyncExitStack() as stack:
        token = await signed_in(url, "admin")
        connections = [Connection(url, token) for _ in range(AT_ONCE)]
        for connection in connections:
            stack.push_async_callback(connection.close)
        loader = _Loader(connections)
        tell(f"loading {sizes.groups * (1 + sizes.groups) * sizes.each:,} accounts through the API")
        small = await loader.tenant("Small", sizes.groups, sizes.each)
        wide = await loader.wide_tenant("Wide", sizes.groups, sizes.each)
        hot = await loader.tenant("Hot", 1, 2 * sizes.payers)
        spread = [await loader.tenant(f"Feed {number}", 1, 2) for number in range(sizes.payers)]
        funded = [account for tenant in (hot, *spread) for account in tenant.accounts]
        await loader.all(loader.fund(account) for account in (*funded, *small.accounts))
        less, large = [
            await fill(url, token, await loader.group(name), accounts, tell)
            for name, accounts in (("Less", sizes.less), ("Large", sizes.accounts))
        ]
        await loader.user(READER, "VIEWER", [small.root, less.root, large.root, wide.root])
        await loader.user(TRADER, "OPERATOR", [hot.root, *(tenant.root for tenant in spread)])
    return Organisation(
        small, less, large, wide, hot, spread, await signed_in(url, READER), await signed_in(url, TRADER)
    )


async def signed_in(url: str, username: str) -> str:
    """The token of a new session."""
    connection = Connection(url)
    try:
        return (await connection.do(SIGN_IN, {"username": username, "password": PASSWORD}))["accessToken"]
    finally:
        await connection.close()


class _Loader:
    def __init__(self, connections: Sequence[Connection]) -> None:
        self._free: asyncio.Queue[Connection] = asyncio.Queue()
        for connection in connections:
            self._free.put_nowait(connection)

    async def all(self, work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
        """What each piece of work gives, as many at once as there are connections."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in work]
        return [task.result() for task in tasks]

    async def tenant(self, name: str, groups: int, each: int) -> Tenant:
        root = await self.group(name)
        below = await self.all(self.group(f"{name} {number:02}", root) for number in range(groups))
        names = [(f"{name} account {number:05}", below[number // each]) for number in range(groups * each)]
        return Tenant(root, await self.all(self.account(*one) for one in names))

    async def wide_tenant(self, name: str, groups: int, each: int) -> Tenant:
        root = await self.group(name)
        above = await self.all(self.group(f"{name} {number:02}", root) for number in range(groups))
        below = await self.all(
            self.group(f"{name} {number:03}", above[number // groups]) for number in range(groups**2)
        )
        names = [(f"{name} account {number:05}", below[number // each]) for number in range(groups**2 * each)]
        return Tenant(root, await self.all(self.account(*one) for one in names))

    async def group(self, name: str, parent: str | None = None) -> str:
        made = await self._do("createGroup", name=name, **({"parentId": parent} if parent else {}))
        return made["group"]["id"]

    async def account(self, name: str, parent: str) -> str:
        return (await self._do("createAccount", name=name, parentId=parent))["account"]["id"]

    async def fund(self, account: str) -> None:
        await self._do("deposit", accountId=account, amount="1000000.00")

    async def user(self, name: str, role: str, nodes: Sequence[str]) -> None:
        await self._do("createUser", username=name, password=PASSWORD)
        await self.all(self._do("grant", username=name, nodeId=node, role=role) for node in nodes)

    async def _do(self, name: str, /, **given: Any) -> dict[str, Any]:
        connection = await self._free.get()
        try:
            return await connection.do(mutation(name), {"operationId": str(uuid4()), **given})
        finally:
            self._free.put_nowait(connection)
