"""How large the random and fault runs are: small with a fixed seed in every run, whole where it is asked for."""

import os
import random
from typing import TypeVar

T = TypeVar("T")


def full() -> bool:
    """Whether ACCOUNTGRAPH_TEST_SIZE asks for the whole size, as `make soak` does."""
    return os.environ.get("ACCOUNTGRAPH_TEST_SIZE") == "full"


def pick(small: T, whole: T) -> T:
    """The value for a run of this size."""
    return whole if full() else small


def seed() -> int:
    """What seeds a random run: 1 in small runs; ACCOUNTGRAPH_TEST_SEED, or a printed one by chance, in whole ones."""
    if not full():
        return 1
    given = os.environ.get("ACCOUNTGRAPH_TEST_SEED")
    chosen = int(given) if given else random.SystemRandom().randrange(1, 1_000_000)
    print(f"seed {chosen}: ACCOUNTGRAPH_TEST_SEED={chosen} repeats this run")  # noqa: T201
    return chosen
