"""Totals of groups: what the fold tells is what a walk through all accounts finds."""

import random

import pytest

from tests.support.folding import History, require_folded
from tests.support.house import House

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("chosen", range(3))
async def test_random_histories_are_folded_to_what_a_walk_finds(house: House, chosen: int) -> None:
    history = History(house, random.Random(chosen))
    for _ in range(6):
        await history.change(20)
        await require_folded(house, history.groups)
