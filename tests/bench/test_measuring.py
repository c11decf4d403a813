"""Measuring: who works how often, in which turns, and what is made of the figures."""

import asyncio

import pytest

from bench.measuring import Sample, Work, measure, measure_in_turns, rate_ratio, rates, spread, time_ratio, times

pytestmark = pytest.mark.anyio


async def test_each_client_works_at_the_same_time_as_the_others() -> None:
    together = asyncio.Barrier(3)
    seen: list[int] = []

    async def once(client: int) -> None:
        await together.wait()
        seen.append(client)

    sample = await measure(Work("meet", 3, once), 0)
    assert sorted(seen) == [0, 1, 2]
    assert sample.rate > 0
    assert sample.p50 > 0


async def test_works_take_turns_and_the_first_round_is_not_counted() -> None:
    turns: list[str] = []

    def work(name: str) -> Work:
        async def once(_: int) -> None:
            turns.append(name)

        return Work(name, 1, once)

    samples = await measure_in_turns([work("a"), work("b")], 3, 0)
    assert "".join(turns) == "ab" + "ab" + "ba" + "ab"
    assert {name: len(each) for name, each in samples.items()} == {"a": 3, "b": 3}


async def test_what_a_work_raises_ends_the_measurement() -> None:
    async def once(_: int) -> None:
        raise ValueError("no answer")

    with pytest.raises(ExceptionGroup) as raised:
        await measure(Work("fail", 2, once), 60)
    assert raised.group_contains(ValueError, match="no answer")


def test_ratios_are_of_the_same_round() -> None:
    samples = {
        "one": [Sample(10, 2), Sample(30, 4), Sample(20, 9)],
        "other": [Sample(20, 1), Sample(20, 1), Sample(20, 3)],
    }
    shown = [rate_ratio(samples, "one", "other"), time_ratio(samples, "one", "other")]
    assert [(each.least, each.middle, each.most) for each in shown] == [(0.5, 1.0, 1.5), (2, 3, 4)]
    assert rates(samples, "one") == spread([30, 10, 20])
    assert times(samples, "other") == spread([1, 1, 3])
