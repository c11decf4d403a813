"""The kinds of work that are measured, each a request to the server or a statement of the driver."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import uuid4

from bench.driver import Driver
from bench.measuring import Once, Work
from bench.organisation import Organisation, Sizes, mutation
from bench.peers.asking import facts
from bench.peers.servers import Peer
from bench.peers.works import PeerWorks, peer_works
from bench.wire import BenchFailed, Connection, payload, request

CONSTANT = "{ __typename }"
ACCOUNT = "id name kind tier status currency version cash { amount currency }"
POINT = f"query Point($id: ID!) {{ account(id: $id) {{ {ACCOUNT} }} }}"
NESTED = f"""query Nested($id: ID!, $groups: Int!, $each: Int!) {{
  group(id: $id) {{ id name groups(first: $groups) {{ nodes {{ id name accounts(first: $each) {{
    nodes {{ {ACCOUNT} }}
  }} }} }} }}
}}"""
WIDE = f"""query Wide($id: ID!, $groups: Int!, $each: Int!) {{
  group(id: $id) {{ id name groups(first: $groups) {{ nodes {{ id name groups(first: $groups) {{ nodes {{
    id name accounts(first: $each) {{ nodes {{ {ACCOUNT} }} }}
  }} }} }} }} }}
}}"""
PAGE = f"""query Page($within: ID!) {{
  accounts(where: {{ within: $within, status: [ACTIVE], minCash: "1" }}, orderBy: {{ field: NAME }}, first: 50) {{
    nodes {{ {ACCOUNT} }} pageInfo {{ hasNextPage endCursor }}
  }}
}}"""
ROLLUP = "query Rollup($id: ID!) { group(id: $id) { rollup { accountCount cash { amount currency } } } }"
SMALLEST = "0.01"

CONSTANT_RATE, POINT_RATE, POINT_DRIVER = "constant", "point", "point by the driver"
NESTED_RATE, NESTED_DRIVER, NESTED_KEPT = "nested", "nested by the driver", "nested, unchanged"
WIDE_RATE, WIDE_DRIVER, WIDE_KEPT = "wide", "wide by the driver", "wide, unchanged"
PAGE_RATE = "page"
ONE_BY_ONE, HOT_FEED, SPREAD_FEEDS = "transfers one by one", "transfers on one feed", "transfers on many feeds"
TWO_SERVERS = "transfers on many feeds, two servers"
POINT_LESS, POINT_LARGE = "point alone, lesser tenant", "point alone, large tenant"
CREATED_SINGLY, CREATED_AT_ONCE, IMPORTED = "accounts one by one", "accounts by many clients", "accounts imported"
ROLLUP_LESS, ROLLUP_LARGE = "roll-up alone, lesser tenant", "roll-up alone, large tenant"


@dataclass(frozen=True, slots=True)
class Connections:
    """Connections to the ordinary server and to the fresh one, which keeps no answers."""

    reading: Sequence[Connection]
    fresh: Sequence[Connection]
    """The reader's connections to the fresh server."""
    trading: Sequence[Connection]
    halved: Sequence[Connection]
    """The payers' connections, every second one to the fresh server."""


class Works:
    """The works over one organisation, each with a connection for each of its clients."""

    def __init__(
        self,
        organisation: Organisation,
        sizes: Sizes,
        driver: Driver,
        connections: "Connections",
        peers: Sequence[PeerWorks],
    ) -> None:
        self._organisation = organisation
        self._sizes = sizes
        self._driver = driver
        self._reading = connections.reading
        self._fresh = connections.fresh
        self._trading = connections.trading
        self._halved = connections.halved
        self._peers = peers

    def all(self) -> list[Work]:
        """Every work that is measured."""
        small, most = self._organisation.small, self._sizes.clients
        less, large = self._organisation.less, self._organisation.large
        points, few, payers = _shuffled(small.accounts), self._sizes.few, self._sizes.payers
        nested, wide = request(NESTED, self._nested()), request(WIDE, self._wide())
        return [
            Work(CONSTANT_RATE, most, self._posting([request(CONSTANT)])),
            Work(POINT_RATE, most, self._points(small.accounts)),
            Work(POINT_DRIVER, most, self._driver_points(small.accounts)),
            Work(NESTED_RATE, most, self._posting([nested], self._fresh)),
            Work(NESTED_KEPT, most, self._posting([nested])),
            Work(NESTED_DRIVER, most, self._driver_nested),
            Work(WIDE_RATE, few, self._posting([wide], self._fresh)),
            Work(WIDE_KEPT, few, self._posting([wide])),
            Work(WIDE_DRIVER, few, self._driver_wide),
            *(work for peer in self._peers for work in peer.all(points, self._nested(), self._wide(), few)),
            Work(PAGE_RATE, most, self._posting([request(PAGE, {"within": small.root})], self._fresh)),
            Work(ONE_BY_ONE, 1, self._hot),
            Work(HOT_FEED, payers, self._hot),
            Work(SPREAD_FEEDS, payers, self._spread),
            Work(TWO_SERVERS, payers, self._spread_over_two),
            Work(POINT_LESS, 1, self._points(less.accounts)),
            Work(POINT_LARGE, 1, self._points(large.accounts)),
            Work(ROLLUP_LESS, 1, self._posting([request(ROLLUP, {"id": less.root})])),
            Work(ROLLUP_LARGE, 1, self._posting([request(ROLLUP, {"id": large.root})])),
        ]

    def empty(self) -> Once:
        """A request of the fresh server that asks for nothing."""
        return self._posting([request(CONSTANT)], self._fresh)

    def profiled(self) -> dict[str, Once]:
        """The works whose time is taken apart, by their titles, all of the fresh server."""
        points = [request(POINT, {"id": account}) for account in _shuffled(self._organisation.small.accounts)]

        async def transfer(_: int) -> None:
            await _transfer(self._halved[1], self._organisation.spread[1].accounts)

        nested = self._posting([request(NESTED, self._nested())], self._fresh)
        return {"point read": self._posting(points, self._fresh), "nested read": nested, "transfer": transfer}

    async def compare(self) -> None:
        """Raises BenchFailed where the server and the driver do not give the same answers, or give too few."""
        small = self._organisation.small
        for account in (small.accounts[0], small.accounts[-1]):
            answer = await self._reading[0].ask(POINT, id=account)
            _same("a point read", answer["account"], _as_answer(await self._driver.point(account)))
        answer = await self._fresh[0].ask(NESTED, **self._nested())
        _same("the nested read of the other server", await self._reading[0].ask(NESTED, **self._nested()), answer)
        raw = await self._driver.nested(small.root, self._sizes.groups, self._sizes.each)
        groups = [
            {
                "id": each["id"],
                "name": each["name"],
                "accounts": {"nodes": [_as_answer(one) for one in each["accounts"]]},
            }
            for each in raw["groups"]
        ]
        _same("the nested read", answer["group"], {"id": raw["id"], "name": raw["name"], "groups": {"nodes": groups}})
        _same("its accounts", sum(len(each["accounts"]["nodes"]) for each in groups), len(small.accounts))
        for tenant in (self._organisation.less, self._organisation.large):
            answer = await self._reading[0].ask(ROLLUP, id=tenant.root)
            _same("a roll-up's accounts", answer["group"]["rollup"]["accountCount"], tenant.count)
        answer = await self._reading[0].ask(PAGE, within=small.root)
        _same("the page", len(answer["accounts"]["nodes"]), min(50, len(small.accounts)))
        await self._compare_trees()

    async def _compare_trees(self) -> None:
        """The wide tree of the server, and all that the peers answer, against the driver."""
        answer = await self._fresh[0].ask(WIDE, **self._wide())
        _same("the wide read of the other server", await self._reading[0].ask(WIDE, **self._wide()), answer)
        wide = await self._driver.wide(**_by_root(self._wide()))
        _same("the wide read", facts(answer["group"]), facts(wide))
        held = sum(len(group["accounts"]) for above in wide["groups"] for group in above["groups"])
        _same("its accounts", held, len(self._organisation.wide.accounts))
        nested = await self._driver.nested(**_by_root(self._nested()))
        accounts = self._organisation.small.accounts
        points = [({"id": account}, await self._driver.point(account)) for account in (accounts[0], accounts[-1])]
        for peer in self._peers:
            await peer.compare(points, [(self._nested(), nested)], [(self._wide(), wide)])

    def _nested(self) -> dict[str, Any]:
        return {"id": self._organisation.small.root, "groups": self._sizes.groups, "each": self._sizes.each}

    def _wide(self) -> dict[str, Any]:
        return {**self._nested(), "id": self._organisation.wide.root}

    def _posting(self, bodies: Sequence[bytes], to: Sequence[Connection] | None = None) -> Once:
        turn, connections = count(), to or self._reading

        async def once(client: int) -> None:
            await connections[client].post(bodies[next(turn) % len(bodies)])

        return once

    def _points(self, accounts: Sequence[str]) -> Once:
        return self._posting([request(POINT, {"id": account}) for account in _shuffled(accounts)])

    def _driver_points(self, accounts: Sequence[str]) -> Once:
        turn, shuffled = count(), _shuffled(accounts)

        async def once(_: int) -> None:
            await self._driver.point(shuffled[next(turn) % len(shuffled)])

        return once

    async def _driver_nested(self, _: int) -> None:
        await self._driver.nested(self._organisation.small.root, self._sizes.groups, self._sizes.each)

    async def _driver_wide(self, _: int) -> None:
        await self._driver.wide(**_by_root(self._wide()))

    async def _hot(self, client: int) -> None:
        await _transfer(self._trading[client], self._organisation.hot.accounts[2 * client : 2 * client + 2])

    async def _spread(self, client: int) -> None:
        await _transfer(self._trading[client], self._organisation.spread[client].accounts)

    async def _spread_over_two(self, client: int) -> None:
        await _transfer(self._halved[client], self._organisation.spread[client].accounts)


@asynccontextmanager
async def works_over(
    urls: tuple[str, str], organisation: Organisation, sizes: Sizes, driver: Driver, peers: Sequence[Peer]
) -> AsyncGenerator[Works]:
    """The works, asked of the ordinary server and of the fresh one; their connections are closed at the end."""
    async with AsyncExitStack() as stack:

        def opened(token: str, clients: int, *servers: str) -> list[Connection]:
            made = [Connection(servers[number % len(servers)], token) for number in range(clients)]
            for each in made:
                stack.push_async_callback(each.close)
            return made

        reader, trader = organisation.reader, organisation.trader
        connections = Connections(
            reading=opened(reader, sizes.clients, urls[0]),
            fresh=opened(reader, sizes.clients, urls[1]),
            trading=opened(trader, sizes.payers, urls[0]),
            halved=opened(trader, sizes.payers, *urls),
        )
        asked = await stack.enter_async_context(peer_works(peers, sizes.clients))
        yield Works(organisation, sizes, driver, connections, asked)


async def _transfer(connection: Connection, accounts: Sequence[str]) -> None:
    payer, payee = accounts
    given = {"operationId": str(uuid4()), "fromId": payer, "toId": payee, "amount": SMALLEST}
    answer = payload(await connection.post(request(mutation("transfer"), {"input": given})))
    _same("a transfer", answer["operation"]["state"], "SUCCEEDED")


def _shuffled(accounts: Sequence[str]) -> list[str]:
    """The accounts in an order of no meaning, the same in every run of the same number."""
    step = next(each for each in (7919, 104_729) if len(accounts) % each)
    return [accounts[number * step % len(accounts)] for number in range(len(accounts))]


def _by_root(variables: dict[str, Any]) -> dict[str, Any]:
    return {"root" if name == "id" else name: value for name, value in variables.items()}


def _as_answer(row: dict[str, Any]) -> dict[str, Any]:
    """The driver's properties of an account in US dollars as the API shows them."""
    cash = {"amount": str(Decimal(row["cash"]).scaleb(-2)), "currency": row["currency"]}
    return {**row, "tier": row.get("tier"), "cash": cash}


def _same(what: str, given: object, expected: object) -> None:
    if given != expected:
        raise BenchFailed(f"{what} is not as it should be: {str(given)[:200]}, not {str(expected)[:200]}")
