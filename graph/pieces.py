"""Pages of long lists whose nodes are numbered in the list's order: the nearest piece of the numbers is read first.

ArcadeDB sorts all that a page could be of before it takes the page. So a page is looked for among as many numbers as
it very likely has enough in, and among all others only where these are too few.
"""

from collections.abc import Callable, Sequence

LEAST, TIMES = 32, 4
Read = Callable[[Sequence[str]], str]
"""What reads a page under further tests, and returns it as `page`."""


def reach(limit: int) -> int:
    """How many numbers the nearest piece has, for a page of so many nodes."""
    return max(LEAST, TIMES * limit)


def nearest_first(ends: str, number: str, start: str | None, read: Read, *, ascending: bool) -> str:
    """Cypher that returns a page as `page`. It takes `$limit` and `$reach`.

    `ends` binds `low` and `high`, between which the numbers are, for the one `parent`; `start` is the number where the
    page begins, where that is known.
    """
    if ascending:
        begin = f"CASE WHEN {start} > low THEN {start} ELSE low END" if start else "low"
        past = "CASE WHEN begin + $reach <= high THEN begin + $reach ELSE high + 1 END"
        near = [f"{number} >= begin", f"{number} < past"]
        far = [f"{number} >= {_where_too_few('past', 'high + 1')}", f"{number} <= high"]
    else:
        begin = f"CASE WHEN {start} < high THEN {start} ELSE high END" if start else "high"
        past = "CASE WHEN begin - $reach >= low THEN begin - $reach ELSE low - 1 END"
        near = [f"{number} <= begin", f"{number} > past"]
        far = [f"{number} <= {_where_too_few('past', 'low - 1')}", f"{number} >= low"]
    return (
        f"{ends} WITH parent, low, high, {begin} AS begin WITH parent, low, high, begin, {past} AS past "
        f"CALL (parent, begin, past) {{ {read(near)} }} WITH parent, low, high, past, page AS near "
        f"CALL (parent, low, high, past, near) {{ {read(far)} }} RETURN (near + page)[..$limit] AS page"
    )


def _where_too_few(rest: str, nothing: str) -> str:
    # A bound of the numbers and not a test beside them: Neo4j would read the rest, and then drop it.
    return f"CASE WHEN size(near) < $limit THEN {rest} ELSE {nothing} END"
