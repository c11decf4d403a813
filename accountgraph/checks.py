"""`accountgraph check`: proves that the books add up, beside a running server or without one."""

import asyncio

import click

from accountgraph.ports import open_market, open_protocol
from accountgraph.reaching import reached
from accountgraph.settings import Settings
from graph import installation
from services.checks import check
from services.desk import Desk
from services.findings import Report
from services.prices import PriceBook


def run(settings: Settings) -> int:
    """Prints each finding in a line; 0 where there is none, else 1. Raises StartFailed, or EngineUnavailable."""
    report = asyncio.run(_check(settings))
    for line in [*report.findings, *(f"note: {note}" for note in report.notes)]:
        click.echo(line)
    found = len(report.findings) + report.more
    looked = f"{report.accounts} accounts, {report.records} records, {report.orders} orders"
    click.echo(f"{looked}: {f'{found} findings' if found else 'everything adds up'}")
    return 1 if found else 0


async def _check(settings: Settings) -> Report:
    async with reached(settings) as database:
        home = await installation.find(database)
        if home is None:
            return Report()
        market = await open_market(settings)
        protocol = open_protocol(settings, market)
        try:
            return await check(Desk(database, protocol, market, PriceBook(market, database), home))
        finally:
            await protocol.aclose()
            await market.aclose()
