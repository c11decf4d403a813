"""The data loaders of one request: what many fields ask for at once is read by one statement."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Hashable, Sequence
from functools import cached_property, partial
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
    """What a request reads, each thing once. Keys are node ids unless said otherwise.

    Most requests need few loaders, and each is made when it is first asked for.
    """

    def __init__(self, reading: Reading, book: PriceBook) -> None:
        self._reading = reading
        self.prices = Prices(reading, book)

    @cached_property
    def nodes(self) -> "Loader[str, Row | None]":
        """The properties of an account, group, template or entry."""
        return self._by_id(reads_nodes.find)

    @cached_property
    def operations(self) -> "Loader[str, Row | None]":
        """Operations."""
        return self._by_id(operations.find)

    @cached_property
    def places(self) -> "Loader[str, Located | None]":
        """Where nodes stand."""
        return self._by_id(structure.locate)

    @cached_property
    def parents(self) -> "Loader[str, str | None]":
        """The ids of the groups above."""
        return self._by_id(reads_nodes.parents)

    @cached_property
    def templates(self) -> "Loader[str, Row | None]":
        """The template that an account uses."""
        return self._by_id(reads_nodes.used_templates)

    @cached_property
    def holdings(self) -> "Loader[str, list[Holding] | None]":
        """All that an account holds."""
        return self._by_id(reads_holdings.holdings)

    @cached_property
    def holdings_totals(self) -> "Loader[str, int | None]":
        """How many positions an account has."""
        return self._by_id(reads_holdings.totals)

    @cached_property
    def component_funds(self) -> "Loader[str, Funds | None]":
        """The cash of a composite account's components."""
        return self._by_id(reads_holdings.component_funds)

    @cached_property
    def below(self) -> "Loader[tuple[str, bool], Below | None]":
        """By the group, and whether positions are asked for; what is asked for together is of one moment."""
        return Loader(self._below)

    @cached_property
    def in_force(self) -> "Loader[str, InForce | None]":
        """The settings that hold for a node."""
        return self._by_id(self._in_force)

    @cached_property
    def pages(self) -> "Loader[tuple[Listing, Window, str], Page]":
        """Pages of lists, by the list, the window and the parent."""
        return Loader(self._pages)

    @cached_property
    def totals(self) -> "Loader[tuple[Listing, str], int]":
        """How many nodes a list has, by the list and the parent."""
        return Loader(self._totals)

    @cached_property
    def holdings_pages(self) -> "Loader[tuple[str, int, str], list[Holding]]":
        """By the symbol that the page follows, how many at most, and the account."""
        return Loader(self._holdings_pages)

    @cached_property
    def balances(self) -> "Loader[tuple[str, str, str], Balances]":
        """By the first day, the last day, and the account."""
        return Loader(self._balances)

    def _by_id(self, read: ById[T]) -> "Loader[str, T | None]":
        return Loader(partial(self._found, read))

    async def _found(self, read: ById[T], ids: list[str]) -> Sequence[T | None]:
        found = await read(self._reading, ids)
        return [found.get(node_id) for node_id in ids]

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
