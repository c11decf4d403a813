"""The data loaders of one request: what many fields ask for at once is read by one statement."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Hashable, Sequence
from typing import Any, TypeVar

from strawberry.dataloader import DataLoader

from graph import listing, operations, reads_holdings, reads_nodes, reads_statements, reads_totals, structure
from graph.database import Reader, Row
from graph.listing import Listing, Page, Window
from graph.reads_holdings import Funds, Holding
from graph.reads_statements import Balances
from graph.reads_totals import Below
from graph.structure import Located
from resolvers.pricing import Prices
from resolvers.reading import Reading
from services.effective import InForce, in_force_on
from services.prices import PriceBook

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
ById = Callable[[Reader, Collection[str]], Awaitable[dict[str, T]]]


class Loader(DataLoader[K, T]):
    """Loads each key once. A field that is cancelled, because one beside it failed, takes nothing from the others."""

    def load(self, key: K) -> Awaitable[T]:
        return asyncio.shield(super().load(key))


class Loaders:
    """What a request reads, each thing once. Keys are node ids unless said otherwise."""

    def __init__(self, reading: Reading, book: PriceBook) -> None:
        self._reading = reading
        self.prices = Prices(reading, book)
        self.nodes: Loader[str, Row | None] = self._by_id(reads_nodes.find)
        """The properties of an account, group, template or entry."""
        self.operations: Loader[str, Row | None] = self._by_id(operations.find)
        self.places: Loader[str, Located | None] = self._by_id(structure.locate)
        self.parents: Loader[str, str | None] = self._by_id(reads_nodes.parents)
        self.templates: Loader[str, Row | None] = self._by_id(reads_nodes.used_templates)
        """The template that an account uses."""
        self.holdings: Loader[str, list[Holding] | None] = self._by_id(reads_holdings.holdings)
        self.holdings_totals: Loader[str, int | None] = self._by_id(reads_holdings.totals)
        self.component_funds: Loader[str, Funds | None] = self._by_id(reads_holdings.component_funds)
        self.below: Loader[tuple[str, bool], Below | None] = Loader(self._below)
        """By the group, and whether positions are asked for; what is asked for together is of one moment."""
        self.in_force: Loader[str, InForce | None] = self._by_id(self._in_force)
        self.pages: Loader[tuple[Listing, Window, str], Page] = Loader(self._pages)
        self.totals: Loader[tuple[Listing, str], int] = Loader(self._totals)
        self.holdings_pages: Loader[tuple[str, int, str], list[Holding]] = Loader(self._holdings_pages)
        """By the symbol that the page follows, how many at most, and the account."""
        self.balances: Loader[tuple[str, str, str], Balances] = Loader(self._balances)
        """By the first day, the last day, and the account."""

    def _by_id(self, read: ById[T]) -> Loader[str, T | None]:
        async def load(ids: list[str]) -> Sequence[T | None]:
            found = await read(self._reading, ids)
            return [found.get(node_id) for node_id in ids]

        return Loader(load)

    async def _in_force(self, reader: Reader, ids: Collection[str]) -> dict[str, InForce]:
        places = await self.places.load_many(ids)
        return await in_force_on(reader, [place for place in places if place is not None])

    async def _below(self, keys: list[tuple[str, bool]]) -> Sequence[Below | None]:
        ids = list(dict.fromkeys(group for group, _ in keys))
        found = await reads_totals.read(self._reading, ids, held=any(held for _, held in keys))
        return [found.get(group) for group, _ in keys]

    async def _pages(self, keys: list[tuple[Listing, Window, str]]) -> Sequence[Page]:
        async def read(shape: tuple[Listing, Window], parents: list[str]) -> dict[str, Page]:
            return await listing.pages(self._reading, *shape, parents)

        return await _grouped([((key[0], key[1]), key[2]) for key in keys], read)

    async def _totals(self, keys: list[tuple[Listing, str]]) -> Sequence[int]:
        async def read(shape: Listing, parents: list[str]) -> dict[str, int]:
            return await listing.totals(self._reading, shape, parents)

        return await _grouped(keys, read)

    async def _holdings_pages(self, keys: list[tuple[str, int, str]]) -> Sequence[list[Holding]]:
        async def read(shape: tuple[str, int], ids: list[str]) -> dict[str, list[Holding]]:
            return await reads_holdings.page(self._reading, ids, *shape)

        return await _grouped([((key[0], key[1]), key[2]) for key in keys], read)

    async def _balances(self, keys: list[tuple[str, str, str]]) -> Sequence[Balances]:
        async def read(shape: tuple[str, str], ids: list[str]) -> dict[str, Balances]:
            return await reads_statements.balances(self._reading, ids, *shape)

        return await _grouped([((key[0], key[1]), key[2]) for key in keys], read)


async def _grouped(
    keys: Sequence[tuple[K, str]], read: Callable[[K, list[str]], Awaitable[dict[str, Any]]]
) -> list[Any]:
    """The value of each key, where one read serves all keys of the same shape."""
    shapes: dict[K, list[str]] = {}
    for shape, node_id in keys:
        shapes.setdefault(shape, []).append(node_id)
    answers = await asyncio.gather(*(read(shape, ids) for shape, ids in shapes.items()))
    found = dict(zip(shapes, answers, strict=True))
    return [found[shape][node_id] for shape, node_id in keys]
