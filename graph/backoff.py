"""How long to wait before trying again."""

import random


def pause(attempt: int, first: float, longest: float) -> float:
    """The seconds before this attempt, counted from 0: twice as long each time, and never the same for two callers."""
    return min(longest, first * 2**attempt) * random.uniform(0.5, 1.0)  # noqa: S311
