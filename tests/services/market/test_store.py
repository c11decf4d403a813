"""The embedded broker's record, in memory and in a file: one suite, and what only a file must withstand."""

import asyncio
import sqlite3
import sys
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from services.market.paper_store import FORMAT, SqliteStore, StoreUnusable
from services.market.port import (
    InstrumentType,
    MarketUnavailable,
    MarketUnknown,
    OptionTerms,
    OptionType,
    OrderReport,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
)
from services.market.store import Book, BrokerOrder, BrokerStore, MemoryStore
from tests.support.ws4_hammer import QUANTITY
from tests.support.ws4_rigs import an_order

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parent.parent.parent.parent


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[BrokerStore]:
    made = MemoryStore() if request.param == "memory" else await SqliteStore.open(tmp_path / "market.sqlite")
    yield made
    await made.aclose()


def _filled(quantity: str = "10", side: Side = Side.BUY, symbol: str = "AAPL", account: str = "acc_1") -> BrokerOrder:
    order = an_order(symbol, quantity, side, account_id=account)
    report = OrderReport(order.order_id, OrderStatus.FILLED, order.quantity, Decimal("1.5"), Decimal("0.05"))
    return BrokerOrder(report, order)


def _open() -> BrokerOrder:
    order = an_order("AAPL", order_type=OrderType.LIMIT, limit_price=Decimal("1.25"), time_in_force=TimeInForce.GTC)
    return BrokerOrder(OrderReport(order.order_id, OrderStatus.ACCEPTED), order)


async def _put(store: BrokerStore, *orders: BrokerOrder) -> None:
    def put_all(book: Book) -> None:
        for order in orders:
            book.put(order)

    await store.write(put_all)


async def test_a_new_record_is_empty(store: BrokerStore) -> None:
    assert await store.read(lambda book: (book.market_date(), book.halted(), book.orders())) == (
        None,
        frozenset(),
        [],
    )
    assert await store.read(lambda book: book.order("ord_none")) is None
    assert await store.read(lambda book: book.positions("acc_1")) == {}


async def test_what_was_put_is_read_back_whole_and_in_order(store: BrokerStore) -> None:
    option = an_order(
        "AAPL",
        "0.00000001",
        instrument_type=InstrumentType.OPTION,
        option=OptionTerms(date(2023, 1, 20), Decimal("130.50"), OptionType.PUT, 100),
        at=datetime(2022, 12, 28, 9, 30, 0, 123456, tzinfo=UTC),
    )
    rejected = BrokerOrder(OrderReport(option.order_id, OrderStatus.REJECTED, reason="No.\n日本"), option)
    without_terms = BrokerOrder(OrderReport("ord_unseen", OrderStatus.CANCELLED), None)
    orders = [_filled(), _open(), rejected, without_terms]
    await _put(store, *orders)
    assert await store.read(lambda book: book.orders()) == orders
    assert await store.read(lambda book: book.orders(open_only=True)) == [orders[1]]
    for order in orders:
        assert await store.read(lambda book, order=order: book.order(order.report.order_id)) == order


async def test_an_id_is_put_once_and_updated_only_where_it_is(store: BrokerStore) -> None:
    first = _filled()
    await _put(store, first)
    with pytest.raises(ValueError, match="recorded already"):
        await _put(store, replace(first, report=replace(first.report, status=OrderStatus.REJECTED)))
    with pytest.raises(ValueError, match="not recorded"):
        await store.write(lambda book: book.update(OrderReport("ord_none", OrderStatus.CANCELLED)))
    assert await store.read(lambda book: book.orders()) == [first]


async def test_an_update_changes_the_report_the_position_and_what_is_open(store: BrokerStore) -> None:
    resting = _open()
    await _put(store, resting)
    part = replace(
        resting.report,
        status=OrderStatus.PARTIALLY_FILLED,
        filled_quantity=Decimal("2.5"),
        avg_fill_price=Decimal("1.2"),
    )
    await store.write(lambda book: book.update(part))
    assert await store.read(lambda book: book.orders(open_only=True)) == [replace(resting, report=part)]
    assert await store.read(lambda book: book.positions("acc_1")) == {"AAPL": 250_000_000}
    ended = replace(part, status=OrderStatus.CANCELLED)
    await store.write(lambda book: book.update(ended))
    assert await store.read(lambda book: book.orders(open_only=True)) == []
    assert await store.read(lambda book: book.positions("acc_1")) == {"AAPL": 250_000_000}


async def test_positions_are_signed_sums_that_stay_exact(store: BrokerStore) -> None:
    orders = [
        _filled("0.1"),
        _filled("0.2"),
        _filled("0.3", Side.SELL, "KO"),
        _filled("5", symbol="XOM"),
        _filled("5", Side.SELL, "XOM"),
        _filled("7", account="acc_2"),
    ]
    await _put(store, *orders)
    assert await store.read(lambda book: book.positions("acc_1")) == {"AAPL": 30_000_000, "KO": -30_000_000}


async def test_positions_beyond_64_bits_stay_exact(store: BrokerStore) -> None:
    most = "99999999.99999999"
    await _put(store, *(_filled(most) for _ in range(1000)), *(_filled(most, Side.SELL, "KO") for _ in range(3)))
    positions = await store.read(lambda book: book.positions("acc_1"))
    assert positions == {"AAPL": (10**16 - 1) * 1000, "KO": -(10**16 - 1) * 3}


async def test_the_date_and_the_halts(store: BrokerStore) -> None:
    for day in (date(2022, 12, 27), date(2022, 12, 28)):
        await store.write(lambda book, day=day: book.set_market_date(day))
    for _ in range(2):
        await store.write(lambda book: book.set_halted("AAPL", halted=True))
    await store.write(lambda book: book.set_halted("KO", halted=True))
    await store.write(lambda book: book.set_halted("KO", halted=False))
    await store.write(lambda book: book.set_halted("XOM", halted=False))
    assert await store.read(lambda book: (book.market_date(), book.halted())) == (date(2022, 12, 28), {"AAPL"})


async def test_work_that_raises_leaves_nothing(store: BrokerStore) -> None:
    first, second = _open(), _open()
    await _put(store, first)

    def half_done(book: Book) -> None:
        book.put(second)
        book.update(replace(first.report, status=OrderStatus.CANCELLED))
        book.set_market_date(date(2022, 1, 1))
        book.set_halted("AAPL", halted=True)
        raise LookupError("half-way")

    with pytest.raises(LookupError):
        await store.write(half_done)
    assert await store.read(lambda book: (book.orders(), book.market_date(), book.halted())) == ([first], None, set())
    await _put(store, second)


async def test_work_at_once_loses_nothing(store: BrokerStore) -> None:
    await store.write(lambda book: book.set_market_date(date(2000, 1, 1)))

    def next_year(book: Book) -> None:
        day = book.market_date()
        assert day is not None
        book.set_market_date(day.replace(year=day.year + 1))

    await asyncio.gather(*(store.write(next_year) for _ in range(50)))
    assert await store.read(lambda book: book.market_date()) == date(2050, 1, 1)


async def test_a_file_is_its_owner_s_alone_and_flushed_at_each_commit(tmp_path: Path) -> None:
    file = tmp_path / "market.sqlite"
    store = await SqliteStore.open(file)
    assert file.stat().st_mode & 0o777 == 0o600
    connection = store._writer._connection
    assert connection is not None
    modes = await store._writer.call(
        lambda: [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
    )
    assert modes == ["wal", 2]  # 2 is FULL
    await store.aclose()


async def test_a_file_of_another_version_or_kind_is_refused_in_one_line(tmp_path: Path) -> None:
    newer, foreign, garbage = tmp_path / "newer", tmp_path / "foreign", tmp_path / "garbage"
    with sqlite3.connect(newer) as connection:
        connection.execute(f"PRAGMA user_version = {FORMAT + 1}")
    connection.close()
    with sqlite3.connect(foreign) as connection:
        connection.execute("CREATE TABLE something (else_ TEXT)")
    connection.close()
    garbage.write_bytes(b"this is no database " * 400)
    folder = tmp_path / "folder"
    folder.mkdir()
    for file in (newer, foreign, garbage, folder):
        with pytest.raises(StoreUnusable) as refused:
            await SqliteStore.open(file)
        assert str(file) in str(refused.value)
        assert "\n" not in str(refused.value)
    assert garbage.read_bytes().startswith(b"this is no database")


async def test_many_processes_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    stores = await asyncio.gather(*(SqliteStore.open(tmp_path / "market.sqlite") for _ in range(8)))
    order = _filled()
    await _put(stores[0], order)
    for store in stores:
        assert await store.read(lambda book: book.orders()) == [order]
        await store.aclose()


async def test_a_record_that_cannot_be_written_is_an_unavailable_market(tmp_path: Path) -> None:
    file = tmp_path / "market.sqlite"
    store = await SqliteStore.open(file)
    damage = sqlite3.connect(file)
    damage.execute("DROP TABLE halts")
    damage.close()
    with pytest.raises(MarketUnavailable):
        await store.write(lambda book: book.set_halted("AAPL", halted=True))
    with pytest.raises(MarketUnavailable):
        await store.read(lambda book: book.halted())
    await _put(store, _filled())
    await store.aclose()


async def test_a_commit_that_fails_leaves_the_outcome_unknown(tmp_path: Path) -> None:
    store = await SqliteStore.open(tmp_path / "market.sqlite")
    connection = store._writer._connection
    assert connection is not None
    for statement in (
        "PRAGMA foreign_keys = ON",
        "CREATE TABLE parent (id INTEGER PRIMARY KEY)",
        "CREATE TABLE child (id INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)",
    ):
        await store._writer.call(lambda statement=statement: connection.execute(statement))

    def breaks_at_commit(book: Book) -> None:
        book.put(_filled())
        connection.execute("INSERT INTO child VALUES (1)")

    with pytest.raises(MarketUnknown):
        await store.write(breaks_at_commit)
    assert await store.read(lambda book: book.orders()) == []
    await _put(store, _filled())
    await store.aclose()


async def _hammer(file: Path, count: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.support.ws4_hammer", str(file), str(count)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )


async def test_two_processes_never_take_one_order_twice_and_a_kill_loses_nothing_answered(tmp_path: Path) -> None:
    file = tmp_path / "market.sqlite"
    killed, other = await asyncio.gather(_hammer(file, 100_000), _hammer(file, 60))
    assert killed.stdout is not None
    answered: list[int] = []
    while len(answered) < 40:
        answered.append(int(await killed.stdout.readline()))
    killed.kill()
    rest, _ = await killed.communicate()
    answered += [int(line) for line in rest.splitlines()]
    said, _ = await other.communicate()
    assert other.returncode == 0
    assert said.split()[-1] == b"59"
    store = await SqliteStore.open(file)
    taken = [order.report.order_id for order in await store.read(lambda book: book.orders())]
    assert len(taken) == len(set(taken))
    assert {f"ord_{number}" for number in [*answered, *range(60)]} <= set(taken)
    shares = (await store.read(lambda book: book.positions("acc_1")))["AAPL"]
    assert shares == QUANTITY * len(taken) * 10**8
    await store.aclose()
