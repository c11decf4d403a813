"""An account as it would be: what would be in force on it, and whether that may be."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from graph import accounts, settings
from graph.database import Reader, Row
from graph.structure import Located
from services.effective import Inherited, account_levels, inherited
from services.problems import Problem, invalid
from services.settings.resolution import Effective, Level, Stored, defaults, resolve
from services.settings.rules import RULE_KEYS, check_effective
from services.settings.validation import check_own


@dataclass(frozen=True, slots=True)
class Prospect:
    """What decides an account's settings: its tier, its own, its template's, and what the groups above give."""

    id: str
    tier: str | None
    own: Mapping[str, Stored]
    template: str | None
    shared: Mapping[str, Stored]
    above: Inherited

    def levels(self) -> tuple[Level, ...]:
        """Whose settings count, the most first."""
        own = account_levels(self.id, dict(self.own), self.template, dict(self.shared))
        return (*own, *self.above.levels)

    def values(self) -> dict[str, Effective]:
        """The settings that would be in force."""
        return resolve(self.levels(), self.tier)

    def problems(self, changed: Collection[str], *blame: str) -> list[Problem]:
        """Why it may not be so. A problem's path is the changed setting that causes it, else the field `blame`."""
        found = check_own(self.own)
        for key in sorted({*self.own, *self.shared} & self.above.locked):
            who = "the template" if key not in self.own else "the account"
            words = f"{key} is locked by a group above; {who} must not set it"
            found.append(invalid(words, *(("settings", key) if key in changed else blame)))
        for problem in self._broken(changed):
            found.append(problem if problem.path[-1] in changed else replace(problem, path=blame))
        return found

    def _broken(self, changed: Collection[str]) -> Sequence[Problem]:
        """The rules between settings that would not hold; where no level says anything of them, the tier decides."""
        if any(not RULE_KEYS.isdisjoint(level.values) for level in self.levels()):
            return check_effective(self.values(), ("settings",), changed)
        return _broken_by_defaults(self.tier)


@cache
def _broken_by_defaults(tier: str | None) -> Sequence[Problem]:
    return tuple(check_effective(defaults(tier)))


async def prospect_of(reader: Reader, place: Located) -> tuple[Row, Prospect]:
    """An account as it stands: its properties, and what decides its settings."""
    row = (await accounts.find(reader, [place.id]))[place.id]
    kept = (await settings.of_accounts(reader, [place.id]))[place.id]
    above = await inherited(reader, place.path[1:])
    return row, Prospect(place.id, row["tier"], kept["own"], kept["template"], kept["shared"], above)


def same_above(one: Inherited, other: Inherited) -> bool:
    """Whether both give the same settings, locks and schemas, so that what is valid under one is under the other."""
    return _plain(one.levels) == _plain(other.levels) and one.locked == other.locked and one.schemas == other.schemas


def _plain(levels: Sequence[Level]) -> Mapping[str, object]:
    return {key: stored["value"] for level in reversed(levels) for key, stored in level.values.items()}
