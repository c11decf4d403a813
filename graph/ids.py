"""The one maker of ids: a prefix that names the kind of node, and a ULID."""

from enum import StrEnum

from ulid import ULID


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
    return f"{kind.value}_{ULID()}"


def following(node_id: str, number: int) -> str:
    """The ULID, without a prefix, that lies so many after that of an id: the same each time, and in order."""
    return str(ULID.from_int(int(ULID.from_str(node_id.partition("_")[2])) + number))


def kind_of(node_id: str) -> Kind | None:
    """The kind that an id names by its form, or None where it has the form of none."""
    prefix, separator, rest = node_id.partition("_")
    if not separator or len(rest) != 26 or not rest.isascii() or not rest.isalnum():
        return None
    try:
        return Kind(prefix)
    except ValueError:
        return None
