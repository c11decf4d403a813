"""What is summed below a group, and how a sum is kept: as it is after the last turn that changed it, and before.

A sum counts things by name: in a `c:` sum the accounts and the cash of a currency, in minor units, and in an `h:` sum
how many positions of a symbol have which quantity (1e-8). What is zero is left out. Where an `h:` sum is parted, it
says so, and the quantities are counted in parts of it.
"""

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

Count = dict[str, int]
Sums = dict[str, Count]
"""Counts by their keys."""

ACCOUNTS, CASH = "accounts", "cash"
PARTED = "parted"
PARTS = 256


def cash_key(currency: str) -> str:
    """The key of the cash in a currency."""
    return f"c:{currency}"


def held_key(currency: str, symbol: str) -> str:
    """The key of the positions of a symbol whose accounts have this currency."""
    return f"h:{currency}:{symbol}"


def is_cash(key: str) -> bool:
    """Whether it is the key of cash."""
    return key.startswith("c:")


def is_whole(key: str) -> bool:
    """Whether it is the key of all positions of a symbol."""
    return key.startswith("h:")


def part_key(key: str, quantity: str) -> str:
    """The key of the part of a symbol's positions that counts this quantity."""
    return f"p{zlib.crc32(quantity.encode()) % PARTS}:{key.partition(':')[2]}"


def whole_key(key: str) -> str:
    """The key of the whole that this is a part of, or itself."""
    return f"h:{key.partition(':')[2]}" if key.startswith("p") else key


def add(sums: Sums, more: Mapping[str, Mapping[str, int]], sign: int = 1) -> None:
    """Adds counts, or takes them away where the sign is -1."""
    for key, counted in more.items():
        into = sums.setdefault(key, {})
        for name, number in counted.items():
            into[name] = into.get(name, 0) + sign * number


class Cursor(NamedTuple):
    """How far a tenant's totals are folded: after this `turn`, up to this record; `settled` is that of the turn before.

    Whoever reads this cursor can read everything of the turn before: that was committed before this turn began.
    """

    turn: int
    number: int
    settled: int


@dataclass(frozen=True, slots=True)
class Kept:
    """A sum after the turn that changed it last, and what it was until then, since an earlier turn."""

    turn: int
    now: Count
    since: int
    before: Count

    @classmethod
    def read(cls, text: str) -> "Kept":
        """What `text` wrote."""
        return cls(*json.loads(text))

    @property
    def text(self) -> str:
        """Both as one text, so that no reader sees one without the other."""
        return json.dumps([self.turn, self.now, self.since, self.before], separators=(",", ":"), sort_keys=True)

    def after(self, turn: int) -> Count | None:
        """The sum after this turn, or None where too much has happened since."""
        if self.turn <= turn:
            return self.now
        return self.before if self.since <= turn else None

    def plus(self, more: Mapping[str, int], turn: int) -> "Kept":
        """The sum with these counts added in a turn that comes after the last one."""
        assert turn > self.turn, "a sum changes once in a turn"
        sums = {name: self.now.get(name, 0) + more.get(name, 0) for name in {*self.now, *more}}
        return Kept(turn, {name: number for name, number in sums.items() if number}, self.turn, self.now)


NOTHING = Kept(0, {}, 0, {})
