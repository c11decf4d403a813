"""The one maker of ids: a prefix that names the kind of node, and a ULID."""

import secrets
import time
from enum import StrEnum
from functools import lru_cache

from ulid import ULID

_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = tuple(one + other for one in _DIGITS for other in _DIGITS)
_SHIFTS = tuple(range(120, -1, -10))


class Kind(StrEnum):
    """What an id names; the value is the id's prefix."""

    INSTALLATION = "inst"
    GROUP = "grp"
    ACCOUNT = "acc"
    TEMPLATE = "tpl"
    USER = "usr"
    SESSION = "ses"
    OPERATION = "op"
    ENTRY = "txn"
    POSTING_SET = "set"
    ORDER = "ord"
    POSITION = "pos"
    LOT = "lot"
    VALUATION = "val"
    GRANT = "gra"
    POLICY = "pol"
    UPLOAD = "upl"
    IMPORT = "imp"


def new_id(kind: Kind) -> str:
    """A new id of this kind, such as `acc_01JD8Z3K5V9Q2W7X4Y6B8C0D1E`."""
    return f"{kind.value}_{_text(time.time_ns() // 1_000_000 << 80 | secrets.randbits(80))}"


def following(node_id: str, number: int) -> str:
    """The ULID, without a prefix, that lies so many after that of an id: the same each time, and in order."""
    return _text(_value(node_id) + number)


@lru_cache(64)
def _value(node_id: str) -> int:
    return int(ULID.from_str(node_id.partition("_")[2]))


def _text(value: int) -> str:
    """A ULID of 128 bits in Crockford's base 32, ten bits at a time."""
    return "".join([_PAIRS[value >> shift & 1023] for shift in _SHIFTS])


def kind_of(node_id: str) -> Kind | None:
    """The kind that an id names by its form, or None where it has the form of none."""
    prefix, separator, rest = node_id.partition("_")
    if not separator or len(rest) != 26 or not rest.isascii() or not rest.isalnum():
        return None
    try:
        return Kind(prefix)
    except ValueError:
        return None
