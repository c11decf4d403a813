"""A whole run of the benchmark at its smallest size, on the engine of the suite."""

import re
from pathlib import Path

import pytest

from bench.__main__ import run
from bench.organisation import Sizes
from bench.report import document
from bench.wire import BenchFailed, Connection, payload
from bench.works import CONSTANT
from tests.support.engines import chosen_engine
from tests.support.running import running

pytestmark = pytest.mark.anyio
SMALLEST = Sizes(groups=2, each=3, many=5, clients=2, rounds=1, seconds=0)


async def test_a_run_gives_every_figure_and_leaves_nothing(tmp_path: Path) -> None:
    done = await run(tmp_path, chosen_engine(), SMALLEST)
    assert len(done.samples) == 13
    for name, samples in done.samples.items():
        assert [sample.rate > 0 and sample.p50 > 0 for sample in samples] == [True], name
    text = document(done)
    assert re.search(r"^\| point read, API to driver +\| +\d+\.\d\d \| +\d+\.\d\d - \d+\.\d\d \|$", text, re.MULTILINE)
    assert f"{done.engine.name} {done.engine.version}" in text
    assert not re.search(r"\b(nan|inf)\b", text)
    assert max(len(line) for line in text.splitlines() if not line.startswith(("|", "-"))) <= 120


async def test_an_answer_that_is_no_answer_stops_the_run(tmp_path: Path) -> None:
    async with running(tmp_path) as url:
        connection = Connection(url)
        try:
            assert await connection.ask(CONSTANT) == {"__typename": "Query"}
            with pytest.raises(BenchFailed, match="401"):
                await connection.ask("{ viewer { id } }")
            with pytest.raises(BenchFailed, match="401"):
                await connection.ask("{ nothing }")
        finally:
            await connection.close()
    with pytest.raises(BenchFailed, match="NOT_FOUND: none"):
        payload({"answer": {"code": "NOT_FOUND", "message": "none"}})
