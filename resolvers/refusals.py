"""The one exception of a read that is refused: plain words, and a code in the error's extensions."""

from typing import Any

from graphql import GraphQLError

BAD_USER_INPUT = "BAD_USER_INPUT"
NOT_FOUND = "NOT_FOUND"
PRICE_UNKNOWN = "PRICE_UNKNOWN"
UNAUTHENTICATED = "UNAUTHENTICATED"
UNAVAILABLE = "UNAVAILABLE"


class ReadRefused(GraphQLError):
    """A read, or one field of it, that has no answer. `code` says why, in the API's words."""

    def __init__(self, code: str, message: str, **extensions: Any) -> None:
        super().__init__(message, extensions={"code": code, **extensions})


def bad_input(message: str, *path: str) -> ReadRefused:
    """The refusal of a bad argument, which `path` names."""
    return ReadRefused(BAD_USER_INPUT, message, **({"path": list(path)} if path else {}))
