"""Cursors: opaque to clients, and of one list alone."""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Any

import orjson

from graph.listing import Keys
from resolvers.refusals import ReadRefused, bad_input

MAX_LENGTH = 4_096
_LARGEST = 2**63


def mark_of(*parts: str) -> str:
    """What a list's cursors begin with: short, and different for each field, owner and order."""
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=6).hexdigest()


def write(mark: str, keys: Keys) -> str:
    """The cursor of the node with these keys in the list of this mark."""
    return urlsafe_b64encode(orjson.dumps([mark, *keys])).rstrip(b"=").decode()


def read(cursor: str, mark: str, types: Sequence[type], argument: str) -> Keys:
    """The keys that a cursor of this list holds. Raises ReadRefused for a garbled one and for another list's."""
    content = _content(cursor)
    keys = content[1:] if isinstance(content, list) and content[:1] == [mark] else None
    if keys is None or not _fits(keys, types) or write(mark, tuple(keys)) != cursor:
        raise _foreign(argument)
    return tuple(keys)


def _content(cursor: str) -> Any:
    if len(cursor) > MAX_LENGTH or not cursor.isascii():
        return None
    try:
        return orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        return None


def _fits(keys: Sequence[Any], types: Sequence[type]) -> bool:
    return len(keys) == len(types) and all(
        type(key) is kind and (kind is not int or -_LARGEST <= key < _LARGEST)
        for key, kind in zip(keys, types, strict=True)
    )


def _foreign(argument: str) -> ReadRefused:
    return bad_input(f"{argument} must be a cursor that this very list gave, in the same order", argument)
