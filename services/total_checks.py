"""The totals of groups, as they are folded, compared with the accounts: each group with what is directly in it.

A group's totals are those of the accounts and of the groups in it. Where that holds for each group of a tree, all of
its totals are what a walk would find, and no account is read twice.
"""

import asyncio
from collections.abc import Sequence

from graph import checks, checks_totals, reads_totals
from graph.database import Database
from graph.effects import Unfoldable
from graph.errors import GraphError
from graph.ids import Kind, kind_of
from graph.stood import NotThereYet
from graph.totals import Sums, add
from services.findings import Report

TRIES = 10
TURNS = 20
PAUSE_SECONDS = 0.05


async def check_totals(database: Database, root: str, report: Report) -> None:
    """Adds to the report the groups of a tenant whose totals are not those of what is in them.

    Totals are folded up to now first. Raises EngineUnavailable.
    """
    if kind_of(root) is not Kind.GROUP:
        return
    try:
        caught_up = await _caught_up(database, root)
    except Unfoldable as error:
        report.add(f"feed {root}: record {error.number} does not say what it did, and totals end before it")
        return
    if not caught_up:
        report.add(f"tenant {root}: its totals cannot be folded from its journal")
        return
    async for page in checks_totals.groups_of(database, root):
        await _check_page(database, root, page, report)


async def _caught_up(database: Database, root: str) -> bool:
    failures = 0
    while failures < TRIES:
        try:
            if await reads_totals.catch_up(database, root, TURNS):
                return True
        except (NotThereYet, GraphError):
            failures += 1
            await asyncio.sleep(PAUSE_SECONDS)
    return False


async def _check_page(database: Database, root: str, page: Sequence[str], report: Report) -> None:
    """Compares the groups at a moment when nothing was added to the feed."""
    for _ in range(TRIES):
        before = await checks.head(database, root)
        found = await _wrong(database, page)
        if not found or await checks.head(database, root) == before:
            report.add(*found)
            return
        await asyncio.sleep(PAUSE_SECONDS)
    report.note(f"tenant {root}: it changes too often for the totals of {len(page)} groups to be checked now")


async def _wrong(database: Database, page: Sequence[str]) -> list[str]:
    inside = await checks_totals.own(database, page)
    every = sorted({*page, *(child for one in inside for child in one.groups)})
    totals: dict[str, Sums] = {}
    for start in range(0, len(every), checks_totals.PAGE):
        some = await reads_totals.read(database, every[start : start + checks_totals.PAGE], held=True)
        totals |= {group: checks_totals.sums_of(below) for group, below in some.items()}
    found: list[str] = []
    for one in inside:
        if not one.in_place:
            found.append(f"group {one.id}: its totals are counted to another group than the one that it is in")
        expected = {key: dict(counted) for key, counted in one.sums.items()}
        for child in one.groups:
            add(expected, totals[child])
        difference = {key: dict(counted) for key, counted in totals[one.id].items()}
        add(difference, expected, -1)
        wrong = sorted(key for key, counted in difference.items() if any(counted.values()))
        if wrong:
            found.append(f"group {one.id}: its totals of {', '.join(wrong[:3])} are not those of what is in it")
    return found
