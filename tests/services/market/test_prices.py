"""The price file, and how it is read."""

import lzma
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from services.market import prices as prices_module
from services.market.port import InstrumentType
from services.market.prices import Prices, shipped_prices

ENDING = """source\tmade for this test
days\t2020-01-02\t1 3 1
LIVE\tstock\t0\t1000 5 -10 1005
GONE\tstock\t0\t2000 100
LATE\tetf\t2\t500 25
"""


def test_the_shipped_file_has_25_symbols_from_1990_to_2022() -> None:
    prices = shipped_prices()
    assert len(prices.symbols) == 25
    assert {"AAPL", "MSFT"} <= set(prices.symbols)
    assert (prices.first_day, prices.last_day, len(prices.days)) == (date(1990, 1, 2), date(2022, 12, 28), 8313)
    assert all(before < after for before, after in pairwise(prices.days))
    assert [symbol for symbol in prices.symbols if prices.kind(symbol) is InstrumentType.ETF] == [
        "MTUM",
        "QUAL",
        "SIZE",
        "USMV",
        "VLUE",
    ]


def test_every_shipped_close_is_above_zero_and_every_series_reaches_the_last_day() -> None:
    prices = shipped_prices()
    for symbol in prices.symbols:
        closes = list(prices.closes(symbol, date.min, date.max))
        assert closes[-1][0] == prices.last_day
        assert all(close > 0 for _, close in closes)


@pytest.mark.parametrize(
    ("symbol", "day", "close"),
    [
        ("AAPL", date(1990, 1, 2), "0.264"),
        ("AMD", date(1990, 1, 3), "4"),
        ("AAPL", date(2022, 12, 28), "125.674"),
        ("MSFT", date(2022, 12, 28), "233.434"),
        ("XOM", date(2022, 12, 27), "108.408"),
        ("VLUE", date(2014, 1, 2), "47.054"),
        ("SIZE", date(2022, 12, 28), "111.121"),
    ],
)
def test_shipped_closes_are_the_data_set_s_own(symbol: str, day: date, close: str) -> None:
    found = shipped_prices().price_on(symbol, day)
    assert found is not None
    assert (found[0], str(found[1])) == (day, close)


def test_the_shipped_file_is_read_once() -> None:
    assert shipped_prices() is shipped_prices()


def test_a_day_without_closes_has_the_last_one_before_it() -> None:
    prices = Prices.parse(ENDING)
    assert prices.days == [date(2020, 1, 2), date(2020, 1, 3), date(2020, 1, 6), date(2020, 1, 7)]
    assert prices.price_on("LIVE", date(2020, 1, 5)) == (date(2020, 1, 3), Decimal("1.005"))
    assert prices.price_on("LIVE", date(2020, 1, 7)) == (date(2020, 1, 7), Decimal(2))
    assert prices.price_on("LIVE", date(2031, 1, 1)) == (date(2020, 1, 7), Decimal(2))


def test_a_symbol_has_no_price_before_it_begins_or_after_it_ended() -> None:
    prices = Prices.parse(ENDING)
    assert prices.price_on("LIVE", date(2020, 1, 1)) is None
    assert prices.price_on("LATE", date(2020, 1, 5)) is None
    assert prices.price_on("LATE", date(2020, 1, 6)) == (date(2020, 1, 6), Decimal("0.5"))
    assert prices.price_on("GONE", date(2020, 1, 5)) == (date(2020, 1, 3), Decimal("2.1"))
    assert prices.price_on("GONE", date(2020, 1, 6)) is None
    assert prices.price_on("NONE", date(2020, 1, 6)) is None


def test_closes_between_two_days_leave_out_the_first_and_keep_the_last() -> None:
    prices = Prices.parse(ENDING)
    assert [day.day for day, _ in prices.closes("LIVE", date(2020, 1, 2), date(2020, 1, 6))] == [3, 6]
    assert [day.day for day, _ in prices.closes("LATE", date(2020, 1, 2), date(2020, 2, 6))] == [6, 7]
    assert [day.day for day, _ in prices.closes("GONE", date(2019, 1, 2), date(2020, 2, 6))] == [2, 3]
    assert list(prices.closes("NONE", date(2020, 1, 2), date(2020, 1, 6))) == []
    assert list(prices.closes("LIVE", date(2020, 1, 6), date(2020, 1, 6))) == []


@pytest.mark.parametrize("text", ["", "source\tx\ndays\t2020-01-02\t1\n", ENDING.replace("days", "dates", 1)])
def test_what_is_no_price_file_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="lacks"):
        Prices.parse(text)


@pytest.mark.parametrize("content", [None, b"not packed", lzma.compress(b"neither source nor days")])
def test_an_installation_without_its_price_file_says_so(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if content is not None:
        (tmp_path / "prices.xz").write_bytes(content)
    monkeypatch.setattr(prices_module, "PRICES_FILE", tmp_path / "prices.xz")
    with pytest.raises(RuntimeError, match=r"prices\.xz of this installation"):
        shipped_prices.__wrapped__()
