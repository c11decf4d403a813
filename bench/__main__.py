"""Measures the product against its peers, the driver by itself and its own constant, and writes the figures down.

python -m bench [--engine neo4j|arcadedb] [--accounts N] [--rounds N] [--output FILE]
"""

import asyncio
import os
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import click

from accountgraph.data_folder import StartFailed
from accountgraph.loops import new_event_loop
from bench.driver import Driver
from bench.imports import measure
from bench.measuring import LEAST_ROUNDS, Sample, Samples, measure_in_turns
from bench.organisation import Organisation, Sizes, load
from bench.peers.servers import peers_over
from bench.plot import plot
from bench.profile import profile_plot, profiles
from bench.report import PROFILE, Run, document, machine, table
from bench.running import HEAP, engine_at, forget_peak_memory, peak_memory, served
from bench.wire import BenchFailed
from bench.works import CREATED_AT_ONCE, CREATED_SINGLY, IMPORTED, works_over

MOST_IN_LITTLE, LARGE_HEAP = 100_000, "2g"
"""A run with more accounts than this gets the larger heap of Neo4j."""
DOCUMENT = Path("docs/benchmarks.md")


async def run(folder: Path, engine: str, sizes: Sizes) -> Run:
    """One run, with its data in the folder. Raises BenchFailed, and StartFailed where the engine does not run."""
    before, heap = os.getloadavg()[0], HEAP if sizes.accounts <= MOST_IN_LITTLE else LARGE_HEAP
    async with (
        engine_at(folder / "engine", engine, heap) as address,
        served(folder / "data", address) as server,
        served(folder / "fresh", address, KEPT_ANSWER_BYTES="0") as fresh,
        peers_over(address, tell) as peers,
    ):
        organisation = await load(server.url, sizes, tell)
        loading = peak_memory(server)
        forget_peak_memory(server)
        driver = Driver(address, sizes.clients)
        try:
            async with works_over((server.url, fresh.url), organisation, sizes, driver, peers) as works:
                await works.compare()
                tell(f"measuring {len(works.all())} kinds of work in {sizes.rounds} rounds")
                samples: Samples = await measure_in_turns(works.all(), sizes.rounds, sizes.seconds)
                parts = await profiles(fresh.url, works.empty(), works.profiled(), sizes.profiled)
            measuring = peak_memory(server)
            tell(f"importing {sizes.imported:,} accounts")
            made = await measure(server.url, sizes.imported, sizes.imported // 5)
        finally:
            await driver.close()
    figures = {CREATED_SINGLY: made.single, CREATED_AT_ONCE: made.crowd, IMPORTED: made.imported}
    samples |= {name: [Sample(rate, 1000 / rate)] for name, rate in figures.items()}
    command = _command({"engine": (engine, "neo4j"), "accounts": (sizes.accounts, Sizes().accounts)})
    facts = [*seen(organisation, (loading, measuring)), *([f"Neo4j had a heap of {heap}"] if engine == "neo4j" else [])]
    return Run(address, sizes, samples, before, datetime.now(UTC).date().isoformat(), command, peers, facts, parts)


def _command(options: Mapping[str, tuple[object, object]]) -> str:
    """What was called, with those of the options whose value is not the usual one."""
    given = " ".join(f"--{name} {value}" for name, (value, usual) in options.items() if value != usual)
    return f'make bench ARGS="{given}"' if given else "make bench"


def seen(organisation: Organisation, peaks: tuple[int | None, int | None]) -> Iterator[str]:
    """What the imports and the server's memory were: the most bytes while loading and while measuring."""
    for filled in (organisation.less, organisation.large):
        yield f"{filled.count:,} accounts imported in {filled.seconds:,.0f} s, {filled.rate:,.0f} a second"
    for doing, peak in zip(("the data were loaded", "the works were measured"), peaks, strict=True):
        if peak is not None:
            yield f"the server had at most {peak / 1e6:,.0f} MB in memory while {doing}"


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
@click.option("--accounts", type=click.IntRange(100, 1_000_000), default=Sizes().accounts, show_default=True)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help=f"Write it to this file, and the plot beside it; on Neo4j to {DOCUMENT} where none is named.",
)
def main(engine: str, rounds: int, accounts: int, output: Path | None) -> None:
    """Measures, prints a table, and writes it down, with a plot, the machine and how it was done."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        try:
            with asyncio.Runner(loop_factory=new_event_loop) as runner:
                done = runner.run(
                    run(Path(folder), engine, Sizes(rounds=rounds, accounts=accounts, less=min(accounts, Sizes().less)))
                )
        except* (BenchFailed, StartFailed) as failures:
            raise click.ClickException(_first(failures)) from None
    click.echo(table(done))
    for line in machine(done):
        click.echo(line)
    file = output or (DOCUMENT if engine == "neo4j" else None)
    if file:
        file.write_text(document(done, file.with_suffix(".svg").name), encoding="utf-8")
        file.with_suffix(".svg").write_text(plot(done.samples, done.peers), encoding="utf-8")
        file.with_name(PROFILE).write_text(profile_plot(done.profiles), encoding="utf-8")


if __name__ == "__main__":
    main()
