"""The settings in force on a node, read from the graph along its path."""

from dataclasses import dataclass

from graph import settings
from graph.database import Reader
from graph.ids import Kind
from graph.structure import Located
from services.settings.resolution import Effective, Level, SourceKind, resolve


@dataclass(frozen=True, slots=True)
class InForce:
    """What is in force on a node: effective settings by key, their levels, and the keys locked above."""

    values: dict[str, Effective]
    levels: tuple[Level, ...]
    locked: frozenset[str]


async def in_force(reader: Reader, place: Located) -> InForce:
    """The settings in force on a group or an account."""
    groups = await settings.of_groups(reader, [node for node in place.path if node.startswith(Kind.GROUP)])
    levels: list[Level] = []
    tier: str | None = None
    if place.kind is Kind.ACCOUNT:
        account = (await settings.of_accounts(reader, [place.id]))[place.id]
        tier = account["tier"]
        levels.append(Level(place.id, SourceKind.ACCOUNT, account["own"]))
        if account["template"] is not None:
            levels.append(Level(account["template"], SourceKind.TEMPLATE, account["shared"]))
    found = [(node, groups[node]) for node in place.path if node in groups]
    levels.extend(Level(node, SourceKind.GROUP, group["own"]) for node, group in found)
    locked = frozenset(key for node, group in found if node != place.id for key in group["locks"])
    return InForce(resolve(levels, tier), tuple(levels), locked)
