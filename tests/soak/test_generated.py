"""Operations by chance, which compiled reads and the executor answer the same."""

import random
from datetime import timedelta

import pytest

from tests.support.asking import Asking, made_at, planted
from tests.support.both_ways import BothWays, session_of
from tests.support.house import House
from tests.support.reads import viewer_with
from tests.support.size import pick, seed

pytestmark = pytest.mark.anyio
OPERATIONS = pick(150, 10_000)
FEWEST_COMPILED = 0.25
"""Of all operations; the others ask for something that is rare."""


async def test_generated_operations_are_answered_the_same_both_ways(house: House) -> None:
    ids, dice = await planted(house), random.Random(seed())
    low = await viewer_with(house, ids[3])
    one = await viewer_with(house, ids[5], ids[2])
    stranger = await viewer_with(house)
    users = [*[house.admin.user_id] * 4, low.user_id, one.user_id, stranger.user_id]
    tokens = [await session_of(house, user, lasts=timedelta(days=1)) for user in users]
    tokens += [await session_of(house, house.admin.user_id, lasts=timedelta(-1)), "nobody's"]
    ways, asking = BothWays(house), Asking(ids, await made_at(house, ids), dice)
    fast = 0
    for _ in range(OPERATIONS):
        document = asking.document()
        given = {
            name: value
            for name, value in (("on", False), ("n", 1), ("c", asking.cursor()))
            if dice.random() < 0.3 and f"${name}" in document
        }
        fast += await ways.same(document, dice.choice(tokens), **given)
    print(f"{OPERATIONS} operations, {fast} of them compiled, to {len(ways.texts)} texts")  # noqa: T201
    assert fast > FEWEST_COMPILED * OPERATIONS
