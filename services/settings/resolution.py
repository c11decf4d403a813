"""Which value of each setting is in force, and where it comes from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import TypedDict

from services.settings.catalogue import CATALOGUE, default_values
from services.settings.json_limits import Json


class Stored(TypedDict):
    """One setting as a node keeps it: its value as it was given, and the instant of its setting (clock text)."""

    value: Json
    at: str


class SourceKind(StrEnum):
    """What a value in force comes from."""

    ACCOUNT = "ACCOUNT"
    GROUP = "GROUP"
    TEMPLATE = "TEMPLATE"
    TIER = "TIER"
    CATALOGUE = "CATALOGUE"


@dataclass(frozen=True, slots=True)
class Level:
    """The settings of one node on the path."""

    node_id: str | None
    kind: SourceKind
    values: Mapping[str, Stored]


@dataclass(frozen=True, slots=True)
class Effective:
    """A value in force; the source has an id where it is a node, and none where it is a tier or the catalogue."""

    value: Json
    source_id: str | None
    source_kind: SourceKind

    @property
    def is_default(self) -> bool:
        """Whether nobody set it: it is the tier's or the catalogue's."""
        return self.source_kind in {SourceKind.TIER, SourceKind.CATALOGUE}


def resolve(levels: Sequence[Level], tier: str | None) -> dict[str, Effective]:
    """Every setting in force, sorted by key.

    `levels` begins with what counts most: the node's own, its template's, then its ancestors' from the nearest up.
    The tier's default comes after them, the catalogue's last.
    """
    effective = dict(defaults(tier))
    for level in reversed(levels):
        for key, stored in level.values.items():
            effective[key] = Effective(stored["value"], level.node_id, level.kind)
    return dict(sorted(effective.items()))


@cache
def defaults(tier: str | None) -> MappingProxyType[str, Effective]:
    """What is in force for a node of this tier, or of none, where nothing is set."""
    return MappingProxyType(
        {
            key: Effective(value, None, SourceKind.TIER if tier in CATALOGUE[key].tiers else SourceKind.CATALOGUE)
            for key, value in default_values(tier).items()
        }
    )


def apply_changes(stored: Mapping[str, Stored], changes: Mapping[str, Json], at: str) -> dict[str, Stored]:
    """The node's own settings after the changes, sorted by key; null removes one, others are set as of `at`."""
    after = dict(stored) | {key: Stored(value=value, at=at) for key, value in changes.items()}
    return {key: after[key] for key in sorted(after) if after[key]["value"] is not None}
