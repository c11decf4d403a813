"""A whole run of the benchmark at its smallest size, on the engine of the suite."""

import re
from pathlib import Path

import pytest

from bench.__main__ import run
from bench.organisation import Sizes
from bench.peers.servers import LIBRARY, PLAIN
from bench.plot import plot
from bench.report import document
from tests.support.engines import chosen_engine

pytestmark = pytest.mark.anyio
SMALLEST = Sizes(
    groups=2, each=3, less=20, accounts=210, clients=2, payers=2, few=2, profiled=3, imported=20, rounds=1, seconds=0
)


async def test_a_run_gives_every_figure_and_leaves_nothing(tmp_path: Path) -> None:
    done = await run(tmp_path, chosen_engine(), SMALLEST)
    assert len(done.samples) == 21 + 3 * len(done.peers)
    assert [peer.name for peer in done.peers] == [LIBRARY, PLAIN][done.engine.name != "Neo4j" :]
    for name, samples in done.samples.items():
        assert [sample.rate > 0 and sample.p50 > 0 for sample in samples] == [True], name
    text = document(done, "plot.svg")
    assert re.search(r"^\| point read, API to driver +\| +\d+\.\d\d \| +\d+\.\d\d - \d+\.\d\d \|$", text, re.MULTILINE)
    assert f"{done.engine.name} {done.engine.version}" in text
    assert not re.search(r"\b(nan|inf)\b", text)
    assert max(len(line) for line in text.splitlines() if not line.startswith(("|", "-"))) <= 120
    assert [one.title for one in done.profiles] == ["point read", "nested read", "transfer"]
    assert [list(one.statements) for one in done.profiles[:2]] == [["reads.compiled"]] * 2
    assert {"unit.take", "unit.write", "commit"} <= set(done.profiles[2].statements)
    assert "driver alone" in plot(done.samples, done.peers)
