"""Which line has which id, in few bytes for each of very many lines."""

import secrets
from array import array
from dataclasses import dataclass
from hashlib import blake2b

_FREE = 0


@dataclass(frozen=True, slots=True)
class Known:
    """An earlier line: its number, and whether it makes a group, if it is to be done at all."""

    number: int
    makes_group: bool
    refused: bool


class LineIndex:
    """Lines by their ids, for at most so many: a table of keyed 64-bit hashes, which nobody outside can aim at."""

    def __init__(self, most: int) -> None:
        self._mask = (1 << max(4, (2 * most).bit_length())) - 1
        self._hashes = array("Q", bytes(8 * (self._mask + 1)))
        self._lines = array("I", bytes(4 * (self._mask + 1)))
        self._key = secrets.token_bytes(16)

    def find(self, line_id: str) -> Known | None:
        """The first line that had this id, or None."""
        slot = self._slot(self._hash(line_id))
        if self._hashes[slot] == _FREE:
            return None
        packed = self._lines[slot]
        return Known(packed >> 2, bool(packed & 2), bool(packed & 1))

    def add(self, line_id: str, known: Known) -> None:
        """Adds a line whose id no line before it had."""
        hashed = self._hash(line_id)
        slot = self._slot(hashed)
        assert self._hashes[slot] == _FREE, "an id is added once"
        self._hashes[slot] = hashed
        self._lines[slot] = known.number << 2 | known.makes_group << 1 | known.refused

    def refuse(self, line_id: str) -> None:
        """Notes that a line which was added is not to be done."""
        self._lines[self._slot(self._hash(line_id))] |= 1

    def _slot(self, hashed: int) -> int:
        slot = hashed & self._mask
        while self._hashes[slot] not in (_FREE, hashed):
            slot = (slot + 1) & self._mask
        return slot

    def _hash(self, line_id: str) -> int:
        return int.from_bytes(blake2b(line_id.encode(), digest_size=8, key=self._key).digest()) or 1
