"""A run's figures as a table, and as docs/benchmarks.md."""

import os
import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from textwrap import wrap

from accountgraph.engine import EngineAddress
from accountgraph.version import VERSION
from bench import works
from bench.measuring import Samples, Spread, rate_ratio, rates, time_ratio, times
from bench.organisation import Sizes
from bench.peers.servers import LIBRARY, PLAIN, Peer
from bench.peers.works import nested_by, point_by, wide_by
from bench.profile import Profile, profile_table

PROFILE = "profile.svg"
PACKAGES = ("neo4j", "neo4j-rust-ext", "strawberry-graphql", "graphql-core", "starlette", "uvicorn", "orjson")
UNCHANGED = "read, unchanged since it was asked before"
BUSY = 0.5
"""Processes that others ran for each processor before the run, from which on the figures are under load."""
_RATES = (
    (works.CONSTANT_RATE, "`{ __typename }`, the server's constant"),
    (works.POINT_RATE, "point read of an account"),
    (works.POINT_DRIVER, "the same by the driver alone"),
    *((point_by(peer), f"the same by {peer}") for peer in (LIBRARY, PLAIN)),
    (works.NESTED_RATE, "nested read: groups x accounts"),
    (works.NESTED_DRIVER, "the same by the driver alone"),
    *((nested_by(peer), f"the same by {peer}") for peer in (LIBRARY, PLAIN)),
    (works.NESTED_KEPT, f"nested {UNCHANGED}"),
    (works.WIDE_RATE, "wide read: groups x groups x accounts"),
    (works.WIDE_DRIVER, "the same by the driver alone"),
    *((wide_by(peer), f"the same by {peer}") for peer in (LIBRARY, PLAIN)),
    (works.WIDE_KEPT, f"wide {UNCHANGED}"),
    (works.PAGE_RATE, "page of 50 accounts, filtered and sorted by name"),
    (works.ONE_BY_ONE, "transfers, one client"),
    (works.HOT_FEED, "transfers, all clients on one feed"),
    (works.SPREAD_FEEDS, "transfers, each client on a feed of its own"),
    (works.TWO_SERVERS, "the same, half of the clients at either of two servers"),
    (works.CREATED_SINGLY, "accounts created one by one"),
    (works.CREATED_AT_ONCE, "accounts created by many clients at once"),
    (works.IMPORTED, "accounts by one import"),
)
_TIMES = (
    (works.ONE_BY_ONE, "transfer"),
    (works.POINT_LESS, "point read, lesser imported tenant"),
    (works.POINT_LARGE, "point read, larger imported tenant"),
    (works.ROLLUP_LESS, "root roll-up, lesser imported tenant"),
    (works.ROLLUP_LARGE, "root roll-up, larger imported tenant"),
)
_RATE_RATIOS = (
    (works.POINT_RATE, point_by(LIBRARY), f"point read to {LIBRARY}"),
    (works.NESTED_RATE, nested_by(LIBRARY), f"nested read to {LIBRARY}"),
    (works.WIDE_RATE, wide_by(LIBRARY), f"wide read to {LIBRARY}"),
    (works.POINT_RATE, point_by(PLAIN), f"point read to {PLAIN}"),
    (works.NESTED_RATE, nested_by(PLAIN), f"nested read to {PLAIN}"),
    (works.WIDE_RATE, wide_by(PLAIN), f"wide read to {PLAIN}"),
    *(
        (kept, named(peer), f"{kind} {UNCHANGED}, to {peer}")
        for kind, kept, named in (("nested", works.NESTED_KEPT, nested_by), ("wide", works.WIDE_KEPT, wide_by))
        for peer in (LIBRARY, PLAIN)
    ),
    (works.POINT_RATE, works.POINT_DRIVER, "point read, API to driver"),
    (works.NESTED_RATE, works.NESTED_DRIVER, "nested read, API to driver"),
    (works.WIDE_RATE, works.WIDE_DRIVER, "wide read, API to driver"),
    (works.POINT_RATE, works.CONSTANT_RATE, "point read to constant"),
    (works.NESTED_RATE, works.CONSTANT_RATE, "nested read to constant"),
    (works.PAGE_RATE, works.CONSTANT_RATE, "page to constant"),
    (works.HOT_FEED, works.ONE_BY_ONE, "transfers: one hot feed to one by one"),
    (works.HOT_FEED, works.SPREAD_FEEDS, "transfers: one hot feed to many feeds"),
    (works.TWO_SERVERS, works.SPREAD_FEEDS, "transfers on many feeds: two servers to one"),
    (works.IMPORTED, works.CREATED_SINGLY, "accounts: an import to one by one"),
    (works.IMPORTED, works.CREATED_AT_ONCE, "accounts: an import to many clients at once"),
)
_TIME_RATIOS = (
    (works.POINT_LARGE, works.POINT_LESS, "point read, time: larger tenant to lesser"),
    (works.ROLLUP_LARGE, works.ROLLUP_LESS, "root roll-up, time: larger tenant to lesser"),
)


@dataclass(frozen=True, slots=True)
class Run:
    """What was run where, and its samples; `load` is the machine's load average before the run, over a minute."""

    engine: EngineAddress
    sizes: Sizes
    samples: Samples
    load: float
    day: str
    command: str
    peers: Sequence[Peer]
    facts: Sequence[str]
    """What was seen of the imports and of memory, a line each."""
    profiles: Sequence[Profile]


def table(run: Run) -> str:
    """The figures, as a table of Markdown for rates, for times and for ratios."""
    rate_rows = [(title, *_figures(rates(run.samples, name), 0)) for name, title in _RATES if name in run.samples]
    time_rows = [(title, *_figures(times(run.samples, name), 2)) for name, title in _TIMES]
    ratio_rows = [
        (title, *_figures(rate_ratio(run.samples, one, to), 2)) for one, to, title in _RATE_RATIOS if to in run.samples
    ]
    ratio_rows += [(title, *_figures(time_ratio(run.samples, one, to), 2)) for one, to, title in _TIME_RATIOS]
    return "\n\n".join(
        (
            _table("ratio, round by round", ratio_rows),
            _table("done in a second", rate_rows),
            _table("median time of one alone, ms", time_rows),
        )
    )


def document(run: Run, plotted: str) -> str:
    """The whole of docs/benchmarks.md; `plotted` is the name of the plot beside it."""
    sizes, each = run.sizes, run.sizes.groups
    wide = each + each * each + each * each * sizes.each
    return f"""# Benchmarks

Written by `{run.command}` on {run.day}.
Figures depend on the machine; the ratios, whose two sides took turns in one run, depend on it less. Each value is the
median of {sizes.rounds} rounds, with the smallest and the largest.
{_warning(run)}
{table(run)}

![Reads of each kind in a second, by who answers]({plotted})

## Where a millisecond goes

Each alone, by one client of the server that keeps no answers; means of {sizes.profiled} requests. What `/metrics` tells
of each statement is from the server's side: the round trip, and the driver's own work.

{profile_table(run.profiles)}

![HTTP, the database and the server's own work, of each]({PROFILE})

## The machine

{_listed(machine(run))}

## Imports and memory

{_listed(iter(run.facts))}

## How

- One run starts {run.engine.name}, two servers of the product and one of each peer over it, and this client, all on
  one machine; they share its processors, and one server is asked at a time, but for transfers over two servers.
- The product keeps a large answer while its tenant does not change. The nested and the wide read and the page are asked
  of a server that keeps nothing (`ACCOUNTGRAPH_KEPT_ANSWER_BYTES=0`): each is read from the graph. Those "unchanged
  since it was asked before" are the same reads of the other server, which is set up as it comes; the peers keep
  nothing.
- The data come through the public API: {each} groups of {sizes.each} accounts in the small tenant; {each} groups of
  {each} groups of {sizes.each} accounts, {wide:,} nodes, in the wide one; and accounts with money for transfers.
- By imports: {sizes.less:,} accounts in one tenant and {sizes.accounts:,} in another, 100 to a group and 100 groups to
  a group, one of 50 with an opening balance. Reads of them begin when their totals are folded; point reads are of some
  from all over the tenant.
- The readers are a user with the role VIEWER on four tenants, the payers one with OPERATOR on {sizes.payers + 1}.
- Before anything is measured, the answers of the product and of each peer are compared with the driver's: the same
  facts in the same order, each asked for in its own schema's words (`bench/peers/asking.py`).
- Rates are of {sizes.clients} clients, each with one connection, but for one client where it says so, {sizes.few}
  clients for the wide read, and {sizes.payers} for transfers.
- A measurement lasts {sizes.seconds:g} s. Works take turns, every second round backwards; a first round is not counted.
- The client speaks plain HTTP/1.1 and decodes every answer. The driver is set up as the product's is: the same event
  loop, a session for each statement, in auto-commit, one statement a call, rows decoded into dictionaries. Its pool is
  as large as there are clients. Its Cypher (`bench/driver.py`) has no access check and no money to format.

## How each was set up

{_listed(setups(run))}

## What they say

- A roll-up reads totals that are folded from the journal, so its time should not grow with the tenant; the last ratio
  tells whether it does, for {sizes.accounts / sizes.less:.3g} times the accounts.
- Transfers on one feed commit one after the other, because order in the feed is the order of commits. More clients on
  it gain what lies outside of that.
"""


def setups(run: Run) -> Iterator[str]:
    """How each side was set up, one after the other, and which peer was left out."""
    yield (
        "the product: one process, as `accountgraph serve` starts it, and where it says so two; access checks, the "
        "journal and the ledger on, as always; each client is signed in"
    )
    yield from (peer.setup for peer in run.peers)
    there = {peer.name for peer in run.peers}
    yield from (
        f"{name}: it does not run where these figures were made" for name in (LIBRARY, PLAIN) if name not in there
    )


def machine(run: Run) -> Iterator[str]:
    """What the figures were made on, a line each; whether others worked there at the same time, too."""
    processors = os.cpu_count() or 1
    yield f"{processors} processors ({_processor()}), {platform.system()} {platform.machine()}"
    yield f"AccountGraph {VERSION}, Python {platform.python_version()}, {run.engine.name} {run.engine.version}"
    yield ", ".join(f"{package} {version(package)}" for package in PACKAGES)
    yield f"load average before the run: {run.load:.1f} ({'busy' if _is_busy(run) else 'quiet'})"


def _is_busy(run: Run) -> bool:
    return run.load >= BUSY * (os.cpu_count() or 1)


def _warning(run: Run) -> str:
    if not _is_busy(run):
        return ""
    return f"""
**Other work ran on the machine at the same time (load average {run.load:.1f} before the run).** All figures are worse
than those of a quiet machine, and the server's ratios may be too: it is one process more that waits for its turn.
"""


def _processor() -> str:
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text().splitlines() if facts.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or "unknown")


def _listed(lines: Iterator[str]) -> str:
    wrapped = (wrap(line, 118, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False) for line in lines)
    return "\n".join(line for lines in wrapped for line in lines)


def _figures(values: Spread, decimals: int) -> tuple[str, str]:
    return f"{values.middle:,.{decimals}f}", f"{values.least:,.{decimals}f} - {values.most:,.{decimals}f}"


def _table(title: str, rows: Sequence[tuple[str, str, str]]) -> str:
    widths = [max(len(row[column]) for row in ((title, "median", "spread"), *rows)) for column in range(3)]
    head, rule = (
        _row((title, "median", "spread"), widths),
        f"|{'-' * (widths[0] + 2)}|{'-' * (widths[1] + 1)}:|{'-' * (widths[2] + 1)}:|",
    )
    return "\n".join((head, rule, *(_row(row, widths) for row in rows)))


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, second, third = cells
    return f"| {first:<{widths[0]}} | {second:>{widths[1]}} | {third:>{widths[2]}} |"
