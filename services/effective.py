"""The settings in force on nodes, and what groups give to what stands below them, read from the graph."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from graph import settings
from graph.database import Reader, Row
from graph.ids import Kind
from graph.structure import Located
from services.settings.json_limits import Json
from services.settings.resolution import Effective, Level, SourceKind, resolve


@dataclass(frozen=True, slots=True)
class Inherited:
    """What a line of groups gives to a node below: settings from the nearest up, locked keys, metadata schemas."""

    levels: tuple[Level, ...]
    locked: frozenset[str]
    schemas: tuple[Json, ...]


@dataclass(frozen=True, slots=True)
class InForce:
    """What is in force on a node: effective settings by key, their levels, and the keys locked above."""

    values: dict[str, Effective]
    levels: tuple[Level, ...]
    locked: frozenset[str]


async def inherited(reader: Reader, path: Sequence[str]) -> Inherited:
    """What the groups of these ids, from the nearest up, give to what stands below the first."""
    return _inherited(path, await settings.of_groups(reader, path) if path else {})


async def in_force(reader: Reader, place: Located) -> InForce:
    """The settings in force on a group or an account."""
    return (await in_force_on(reader, [place]))[place.id]


async def in_force_on(reader: Reader, places: Collection[Located]) -> dict[str, InForce]:
    """The settings in force on each group or account, by id, in two statements for any number of them."""
    wanted = {node for place in places for node in place.path if node.startswith(Kind.GROUP)}
    groups = await settings.of_groups(reader, wanted) if wanted else {}
    own = [place.id for place in places if place.kind is Kind.ACCOUNT]
    accounts = await settings.of_accounts(reader, own) if own else {}
    return {place.id: _in_force(place, groups, accounts) for place in places}


def _in_force(place: Located, groups: Mapping[str, Row], accounts: Mapping[str, Row]) -> InForce:
    above = _inherited(place.path[1:], groups)
    account = accounts.get(place.id)
    if account is None:
        own = _inherited([place.id], groups).levels
    else:
        own = account_levels(place.id, account["own"], account["template"], account["shared"])
    levels = (*own, *above.levels)
    return InForce(resolve(levels, account["tier"] if account else None), levels, above.locked)


def account_levels(account: str, own: Row, template: str | None, shared: Row) -> tuple[Level, ...]:
    """An account's own settings and its template's, as what counts most."""
    levels = (Level(account, SourceKind.ACCOUNT, own),)
    return levels if template is None else (*levels, Level(template, SourceKind.TEMPLATE, shared))


def _inherited(path: Sequence[str], groups: Mapping[str, Row]) -> Inherited:
    found = [(node, groups[node]) for node in path if node in groups]
    return Inherited(
        tuple(Level(node, SourceKind.GROUP, group["own"]) for node, group in found),
        frozenset(key for _, group in found for key in group["locks"]),
        tuple(group["schema"] for _, group in found if group["schema"] is not None),
    )
