"""Named Cypher. Every statement has a name, which metrics, logs and the plan test use."""

from dataclasses import dataclass
from typing import LiteralString, cast

NAMED: "dict[str, Query]" = {}


@dataclass(frozen=True, slots=True)
class Query:
    """A statement with its name. The text is a literal: values are always bound as parameters."""

    name: str
    text: LiteralString

    def __post_init__(self) -> None:
        assert self.name not in NAMED, f"two queries are named {self.name}"
        NAMED[self.name] = self

    @classmethod
    def compiled(cls, name: str, text: str) -> "Query":
        """A statement that the read compiler made, from names that it holds itself. Many may share a name."""
        query = object.__new__(cls)
        object.__setattr__(query, "name", name)
        object.__setattr__(query, "text", cast("LiteralString", text))
        return query
