"""Measures the product against its peers, the driver by itself and its own constant, and writes the figures down.

python -m bench [--engine neo4j|arcadedb] [--output FILE]
"""

import asyncio
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import click

from accountgraph.data_folder import StartFailed
from accountgraph.loops import new_event_loop
from bench.driver import Driver
from bench.imports import measure
from bench.measuring import LEAST_ROUNDS, Sample, Samples, measure_in_turns
from bench.organisation import Sizes, load
from bench.peers.servers import peers_over
from bench.plot import plot
from bench.report import Run, document, machine, table
from bench.running import engine_at, served
from bench.wire import BenchFailed
from bench.works import CREATED_AT_ONCE, CREATED_SINGLY, IMPORTED, works_over

DOCUMENT = Path("docs/benchmarks.md")


async def run(folder: Path, engine: str, sizes: Sizes) -> Run:
    """One run, with its data in the folder. Raises BenchFailed, and StartFailed where the engine does not run."""
    before = os.getloadavg()[0]
    async with (
        engine_at(folder / "engine", engine) as address,
        served(folder / "data", address) as server,
        served(folder / "fresh", address, KEPT_ANSWER_BYTES="0") as fresh,
        peers_over(address, tell) as peers,
    ):
        organisation = await load(server.url, sizes, tell)
        driver = Driver(address, sizes.clients)
        try:
            async with works_over((server.url, fresh.url), organisation, sizes, driver, peers) as works:
                await works.compare()
                tell(f"measuring {len(works.all())} kinds of work in {sizes.rounds} rounds")
                samples: Samples = await measure_in_turns(works.all(), sizes.rounds, sizes.seconds)
            tell(f"importing {sizes.imported:,} accounts")
            made = await measure(server.url, sizes.imported, sizes.imported // 5)
        finally:
            await driver.close()
    figures = {CREATED_SINGLY: made.single, CREATED_AT_ONCE: made.crowd, IMPORTED: made.imported}
    samples |= {name: [Sample(rate, 1000 / rate)] for name, rate in figures.items()}
    command = "make bench" if engine == "neo4j" else f'make bench ARGS="--engine {engine}"'
    return Run(address, sizes, samples, before, datetime.now(UTC).date().isoformat(), command, peers)


def tell(line: str) -> None:
    """A line for the person who waits."""
    click.echo(line, err=True)


def _first(failures: BaseExceptionGroup[BaseException]) -> str:
    failure: BaseException = failures
    while isinstance(failure, BaseExceptionGroup):
        failure = failure.exceptions[0]
    return str(failure)


@click.command()
@click.option("--engine", type=click.Choice(["neo4j", "arcadedb"]), default="neo4j", show_default=True)
@click.option("--rounds", type=click.IntRange(LEAST_ROUNDS), default=Sizes().rounds, show_default=True)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help=f"Write it to this file, and the plot beside it; on Neo4j to {DOCUMENT} where none is named.",
)
def main(engine: str, rounds: int, output: Path | None) -> None:
    """Measures, prints a table, and writes it down, with a plot, the machine and how it was done."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        try:
            with asyncio.Runner(loop_factory=new_event_loop) as runner:
                done = runner.run(run(Path(folder), engine, Sizes(rounds=rounds)))
        except* (BenchFailed, StartFailed) as failures:
            raise click.ClickException(_first(failures)) from None
    click.echo(table(done))
    for line in machine(done):
        click.echo(line)
    file = output or (DOCUMENT if engine == "neo4j" else None)
    if file:
        file.write_text(document(done, file.with_suffix(".svg").name), encoding="utf-8")
        file.with_suffix(".svg").write_text(plot(done.samples, done.peers), encoding="utf-8")


if __name__ == "__main__":
    main()
