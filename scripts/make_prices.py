"""Makes services/market/prices.xz, the closes that the embedded market replays.

Source: the data files that ship inside the package skfolio (BSD-3-Clause, The skfolio developers), those which its
`load_sp500_dataset()` (20 stocks of the S&P 500, daily closes adjusted for splits and dividends, 1990-01-02 to
2022-12-28) and `load_factors_dataset()` (5 factor ETFs, from 2014-01-02) read. Its authors give them for tests and
examples only: they are stale, and no advice. Their licence is kept in services/market/prices-licence.txt.

The files are read as text, so that every close keeps its decimals and none of that package's dependencies is needed:

    python -m venv /tmp/skfolio
    /tmp/skfolio/bin/pip install --no-deps skfolio==1.12.2
    /tmp/skfolio/bin/python scripts/make_prices.py

The result is xz-compressed ASCII, fields parted by tabs: a line that says where it comes from; a line of the first
day and then the gaps in days to each later one; and a line for each symbol with its kind, the place of its first
day, and its closes in thousandths, the first whole and then the differences.
"""

import csv
import gzip
import io
import lzma
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from importlib.metadata import distribution
from itertools import pairwise
from pathlib import Path

TARGET = Path(__file__).parent.parent / "services" / "market" / "prices.xz"
FOLDER = "skfolio/datasets/data"
SOURCES = (("stock", "sp500_dataset.csv.gz"), ("etf", "factors_dataset.csv.gz"))
SCALE = 1000


def read(name: str) -> tuple[list[date], dict[str, list[int]]]:
    """The days of one data file, and each symbol's closes in thousandths."""
    packed = Path(str(distribution("skfolio").locate_file(f"{FOLDER}/{name}"))).read_bytes()
    header, *rows = csv.reader(io.StringIO(gzip.decompress(packed).decode("ascii")))
    closes = {symbol: [thousandths(row[i + 1]) for row in rows] for i, symbol in enumerate(header[1:])}
    return [date.fromisoformat(row[0]) for row in rows], closes


def thousandths(close: str) -> int:
    """The close as a whole number of thousandths. Raises ValueError where it has more decimals or is not above 0."""
    scaled = Decimal(close) * SCALE
    if scaled != int(scaled) or scaled <= 0:
        raise ValueError(f"not a positive price of three decimals: {close!r}")
    return int(scaled)


def differences(values: list[int]) -> str:
    """The first value and then each one's difference from the one before."""
    return " ".join(map(str, [values[0], *(after - before for before, after in pairwise(values))]))


def lines() -> Iterable[str]:
    """The lines of the price file. Raises ValueError where a later data file has a day that the first one lacks."""
    yield f"source\tskfolio {distribution('skfolio').version}: daily closes adjusted for splits and dividends"
    loaded = [(kind, *read(name)) for kind, name in SOURCES]
    days = loaded[0][1]
    gaps = " ".join(str((after - before).days) for before, after in pairwise(days))
    yield f"days\t{days[0].isoformat()}\t{gaps}"
    for kind, own_days, closes in loaded:
        first = days.index(own_days[0])
        if own_days != days[first : first + len(own_days)]:
            raise ValueError(f"the days of the {kind} data are not those of the first data file")
        for symbol, values in sorted(closes.items()):
            yield f"{symbol}\t{kind}\t{first}\t{differences(values)}"


if __name__ == "__main__":
    text = "".join(f"{line}\n" for line in lines())
    TARGET.write_bytes(lzma.compress(text.encode("ascii"), preset=9 | lzma.PRESET_EXTREME))
