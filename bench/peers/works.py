"""The reads that the peers do as well, and that their answers are the driver's."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from typing import Any

from bench.measuring import Once, Work
from bench.peers.asking import facts, facts_of
from bench.peers.servers import Peer
from bench.wire import BenchFailed, Connection, request

Expected = Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]
"""Variables, and the row with which the driver answers them."""


def point_by(peer: str) -> str:
    """The name of a peer's point reads."""
    return f"point by {peer}"


def nested_by(peer: str) -> str:
    """The name of a peer's reads of groups with accounts."""
    return f"nested by {peer}"


def wide_by(peer: str) -> str:
    """The name of a peer's reads of groups of groups with accounts."""
    return f"wide by {peer}"


class PeerWorks:
    """The works of one peer over its connections, one for each client."""

    def __init__(self, peer: Peer, connections: Sequence[Connection]) -> None:
        self._peer = peer
        self._connections = connections

    def all(self, accounts: Sequence[str], nested: Mapping[str, Any], wide: Mapping[str, Any], few: int) -> list[Work]:
        """Point reads of the accounts in this order, and the reads of both trees; the wide one by a few clients."""
        name, documents, most = self._peer.name, self._peer.documents, len(self._connections)
        points = [request(documents.point, {"id": account}) for account in accounts]
        return [
            Work(point_by(name), most, self._posting(points)),
            Work(nested_by(name), most, self._posting([request(documents.nested, nested)])),
            Work(wide_by(name), few, self._posting([request(documents.wide, wide)])),
        ]

    async def compare(self, points: Expected, nested: Expected, wide: Expected) -> None:
        """Raises BenchFailed where an answer of the peer has other facts than the driver's."""
        documents = self._peer.documents
        for document, expected in ((documents.point, points), (documents.nested, nested), (documents.wide, wide)):
            for variables, row in expected:
                given = facts_of(await self._connections[0].post(request(document, variables)))
                if given != facts(row):
                    raise BenchFailed(f"{self._peer.name} answers {str(given)[:200]}, not {str(facts(row))[:200]}")

    def _posting(self, bodies: Sequence[bytes]) -> Once:
        turn = count()

        async def once(client: int) -> None:
            await self._connections[client].post(bodies[next(turn) % len(bodies)])

        return once


@asynccontextmanager
async def peer_works(peers: Sequence[Peer], clients: int) -> AsyncGenerator[Sequence[PeerWorks]]:
    """The works of the peers, with a connection for each client, closed at the end."""
    async with AsyncExitStack() as stack:
        made: list[PeerWorks] = []
        for peer in peers:
            connections = [Connection(peer.url) for _ in range(clients)]
            for connection in connections:
                stack.push_async_callback(connection.close)
            made.append(PeerWorks(peer, connections))
        yield made
