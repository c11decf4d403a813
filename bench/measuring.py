"""Rates and times of kinds of work, taken in turns in one run, and their ratios from turn to turn."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

Once = Callable[[int], Awaitable[None]]
LEAST_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Work:
    """One kind of work: `once` does it one time for the client of this number; `clients` do so at the same time."""

    name: str
    clients: int
    once: Once


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement: how many a second, and the median of the times that one took, in milliseconds."""

    rate: float
    p50: float


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of the rounds' values, with the smallest and the largest."""

    middle: float
    least: float
    most: float


Samples = Mapping[str, Sequence[Sample]]


async def measure(work: Work, seconds: float) -> Sample:
    """Does the work with its clients for so many seconds, and each once at least. Raises what the work raises."""
    started = time.perf_counter()
    deadline = started + seconds
    times: list[float] = []

    async def client(number: int) -> None:
        before = time.perf_counter()
        while True:
            await work.once(number)
            after = time.perf_counter()
            times.append(after - before)
            if after >= deadline:
                return
            before = after

    async with asyncio.TaskGroup() as group:
        for number in range(work.clients):
            group.create_task(client(number))
    return Sample(len(times) / (time.perf_counter() - started), median(times) * 1000)


async def measure_in_turns(works: Sequence[Work], rounds: int, seconds: float) -> dict[str, list[Sample]]:
    """The samples of each work, one a round, after one that is not counted; every second round goes backwards."""
    for work in works:
        await measure(work, seconds)
    samples: dict[str, list[Sample]] = {work.name: [] for work in works}
    for number in range(rounds):
        for work in works if number % 2 == 0 else reversed(works):
            samples[work.name].append(await measure(work, seconds))
    return samples


def spread(values: Sequence[float]) -> Spread:
    """The median of the values and their ends."""
    return Spread(median(values), min(values), max(values))


def rates(samples: Samples, name: str) -> Spread:
    """How many of this work were done in a second."""
    return spread([each.rate for each in samples[name]])


def times(samples: Samples, name: str) -> Spread:
    """The median times of one of this work, in milliseconds."""
    return spread([each.p50 for each in samples[name]])


def rate_ratio(samples: Samples, name: str, to: str) -> Spread:
    """The rate of one work to that of another in the same round."""
    return spread([one.rate / other.rate for one, other in zip(samples[name], samples[to], strict=True)])


def time_ratio(samples: Samples, name: str, to: str) -> Spread:
    """The median time of one work to that of another in the same round."""
    return spread([one.p50 / other.p50 for one, other in zip(samples[name], samples[to], strict=True)])
