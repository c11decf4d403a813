"""Sends the orders 0, 1, 2, … to the embedded broker of one file, and prints each number once it was answered.

python -m tests.support.ws4_hammer FILE COUNT
"""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from services.market.paper import PaperBroker
from services.market.paper_store import SqliteStore
from services.market.prices import shipped_prices
from tests.support.ws4_rigs import an_order

QUANTITY = 3


async def _run(file: Path, count: int) -> None:
    broker = await PaperBroker.open(await SqliteStore.open(file), shipped_prices())
    for number in range(count):
        order = an_order("AAPL", str(QUANTITY), order_id=f"ord_{number}", at=datetime.now(UTC))
        await broker.execute(order)
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()
    await broker.aclose()


if __name__ == "__main__":
    asyncio.run(_run(Path(sys.argv[1]), int(sys.argv[2])))
