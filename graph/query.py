"""Named Cypher. Every statement has a name, which metrics, logs and the plan test use."""

from dataclasses import dataclass
from typing import LiteralString, cast

NAMED: "dict[str, Query]" = {}


@dataclass(frozen=True, slots=True)
class Query:
    """A statement with its name. The text is a literal: values are always bound as parameters.

    `by` names the list among its parameters by which a read is shared: calls whose other parameters are equal may be
    answered by one statement over all their ids, and the column `of` tells which id a row belongs to: by the id itself,
    or where the query is `placed` by its place in the list, for ids of several values. Only a statement is shared whose
    rows depend on nothing but their id and the parameters: what depends on who asks is among these.
    """

    name: str
    text: LiteralString
    by: str | None = None
    of: str = "id"
    placed: bool = False

    def __post_init__(self) -> None:
        assert self.name not in NAMED, f"two queries are named {self.name}"
        NAMED[self.name] = self

    @classmethod
    def compiled(cls, name: str, text: str, by: str | None = None, of: str = "id", *, placed: bool = False) -> "Query":
        """A statement that the read compiler made, from names that it holds itself. Many may have the same name."""
        query = object.__new__(cls)
        object.__setattr__(query, "name", name)
        object.__setattr__(query, "text", cast("LiteralString", text))
        object.__setattr__(query, "by", by)
        object.__setattr__(query, "of", of)
        object.__setattr__(query, "placed", placed)
        return query


Part = tuple[Query, tuple[LiteralString, ...]]
"""A query among several, and the columns of its rows."""


def gathered(name: str, **parts: Part) -> Query:
    """Several queries as one statement of one row, done in their order: each one's rows are a list of maps, by its key.

    Their parameters keep their names, so that equal names have equal values.
    """
    calls: list[LiteralString] = []
    for key, (query, columns) in parts.items():
        row: LiteralString = ", ".join(f"{column}: {column}" for column in columns)
        calls.append(f"CALL () {{ CALL () {{ {query.text} }} RETURN collect({{{row}}}) AS {_literal(key)} }}")
    return Query(name, f"{' '.join(calls)} RETURN {', '.join(_literal(key) for key in parts)}")


def written(name: str, **parts: Query) -> Query:
    """Several queries that return nothing as one statement, done in their order; the `rows` of each have its key."""
    return Query(
        name,
        " ".join(f"CALL () {{ {part.text.replace('$rows', _literal(f'${key}'))} }}" for key, part in parts.items()),
    )


def _literal(key: str) -> LiteralString:
    """The name of a keyword argument, which stands in our own text."""
    return cast("LiteralString", key)
