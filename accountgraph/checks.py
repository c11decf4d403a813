"""The command `check`: proves that the books add up, and prints what does not."""

import asyncio

import click

from accountgraph.beside import open_installation
from accountgraph.ports import open_market, open_protocol
from accountgraph.settings import Settings
from services.checks import check
from services.desk import Desk
from services.findings import Report
from services.prices import PriceBook

CLEAN, FOUND, UNPROVED = 0, 1, 3


def run(settings: Settings) -> int:
    """Prints each finding and note; 0 where all adds up, 1 where not, 3 where the market could not be asked.

    Raises StartFailed, GraphError.
    """
    report = asyncio.run(_report(settings))
    for line in (*report.findings, *(f"note: {note}" for note in report.notes)):
        click.echo(line)
    if report.more:
        click.echo(f"and {report.more:,} more")
    looked = f"{report.accounts:,} accounts, {report.records:,} records, {report.orders:,} orders"
    if not report.clean:
        click.echo(f"{len(report.findings) + report.more:,} findings in {looked}")
        return FOUND
    click.echo(f"Everything adds up: {looked}")
    return CLEAN if report.market_answers else UNPROVED


async def _report(settings: Settings) -> Report:
    async with open_installation(settings) as (database, installation):
        market = await open_market(settings, database)
        protocol = open_protocol(settings, market)
        prices = PriceBook(market, database)
        try:
            return await check(Desk(database, protocol, market, prices, installation))
        finally:
            await prices.aclose()
            await protocol.aclose()
            await market.aclose()
