"""Halts of the market, recorded before they are made, and made once: repeated, at once, by a server that dies."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from typing import Any

import orjson
import pytest

from graph.database import Row
from services.market.http import HttpMarket
from services.market.paper import PaperBroker
from services.market.port import MarketUnavailable, OrderReport
from services.market.prices import shipped_prices
from services.market.store import MemoryStore
from services.market_control import HaltSymbol, ResumeSymbol, SymbolCommand, go_on
from services.pipeline import Pipeline
from services.prices import PriceBook
from services.problems import ProblemCode
from services.worker import Worker
from tests.support.house import House, op
from tests.support.trading import JOURNAL, an_account, operation_of, place, refusal

pytestmark = pytest.mark.anyio


class Halts(PaperBroker):
    """The embedded market, which tells what it did with symbols, and can be gone when it is to change."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.made: list[tuple[str, bool]] = []
        self.gone = False

    async def halt(self, symbol: str) -> None:
        self._note(symbol, halted=True)
        await super().halt(symbol)

    async def resume(self, symbol: str) -> list[OrderReport]:
        self._note(symbol, halted=False)
        return await super().resume(symbol)

    def _note(self, symbol: str, *, halted: bool) -> None:
        if self.gone:
            raise MarketUnavailable("gone for this test")
        self.made.append((symbol, halted))


@dataclass
class Trading:
    house: House
    market: Halts

    async def state(self, operation: str) -> str:
        """The state that an operation is in."""
        return (await operation_of(self.house, operation))["state"]

    async def records(self, *asked: str) -> list[Row]:
        """What the installation's feed says of these operations, in its order."""
        rows = await self.house.desk.database.run(JOURNAL, feed=self.house.desk.installation)
        return [row["record"] for row in rows if row["record"]["operation"] in asked]

    async def died(self, command: SymbolCommand) -> str:
        """The operation of a command that a process recorded before it died."""
        made = list(self.market.made)
        dying = DyingHalt if isinstance(command, HaltSymbol) else DyingResume
        operation = (await self.house.do(dying.model_validate(command.model_dump()))).operation
        assert self.market.made == made
        assert await self.state(operation) == "RUNNING"
        return operation


class DyingHalt(HaltSymbol):
    """Recorded by a process that dies before the market changes."""

    async def after(self, desk: Any, operation: str) -> None:
        del desk, operation


class DyingResume(ResumeSymbol):
    """Recorded by a process that dies before the market changes."""

    async def after(self, desk: Any, operation: str) -> None:
        del desk, operation


@pytest.fixture
async def trading(house: House) -> AsyncGenerator[Trading]:
    """The house with a market of its own."""
    store = MemoryStore()
    await PaperBroker.open(store, shipped_prices())
    market = Halts(store, shipped_prices())
    desk = replace(house.desk, market=market, prices=PriceBook(market, house.desk.database))
    yield Trading(House(desk, Pipeline(desk), house.admin, market, house.root), market)
    await desk.prices.aclose()


def halt(symbol: str = "AAPL") -> HaltSymbol:
    return HaltSymbol(operation_id=op(), symbol=symbol)


def resume(symbol: str = "AAPL") -> ResumeSymbol:
    return ResumeSymbol(operation_id=op(), symbol=symbol)


async def test_a_halt_is_recorded_and_made_once(trading: Trading) -> None:
    command = halt()
    outcomes = await asyncio.gather(*(trading.house.do(command) for _ in range(5)))
    assert len({outcome.operation for outcome in outcomes}) == 1
    assert trading.market.made == [("AAPL", True)]
    operation = outcomes[0].operation
    assert await trading.state(operation) == "SUCCEEDED"
    assert [record["kind"] for record in await trading.records(operation)] == ["MARKET_CHANGED", "OPERATION_CHANGED"]


@pytest.mark.parametrize("goes_on", ["the caller", "the worker"])
@pytest.mark.parametrize("command", [halt(), resume()], ids=["halt", "resume"])
async def test_what_a_dead_process_recorded_is_done_once(
    trading: Trading, command: SymbolCommand, goes_on: str
) -> None:
    command = command.model_copy(update={"operation_id": op()})
    operation = await trading.died(command)
    if goes_on == "the caller":
        assert (await trading.house.do(command)).operation == operation
    else:
        await Worker(trading.house.pipeline)._one(await operation_of(trading.house, operation))
    assert await trading.state(operation) == "SUCCEEDED"
    await asyncio.gather(*(go_on(trading.house.desk, operation) for _ in range(3)), trading.house.do(command))
    assert trading.market.made == [("AAPL", command.halts)]
    assert len(await trading.records(operation)) == 2


async def test_a_halt_that_is_repeated_after_a_resume_halts_nothing(trading: Trading) -> None:
    command = halt()
    operation = (await trading.house.do(command)).operation
    await trading.house.do(resume())
    assert (await trading.house.do(command)).operation == operation
    assert await trading.market.halted() == frozenset()


async def test_what_was_asked_first_is_done_first(trading: Trading) -> None:
    first = await trading.died(halt())
    second = (await trading.house.do(resume())).operation
    assert trading.market.made == [("AAPL", True), ("AAPL", False)]
    assert {await trading.state(operation) for operation in (first, second)} == {"SUCCEEDED"}
    await go_on(trading.house.desk, first)
    assert await trading.market.halted() == frozenset()


async def test_the_records_tell_what_the_market_was_and_is(trading: Trading) -> None:
    commands = [command() for _ in range(4) for command in (halt, resume)]
    done = await asyncio.gather(*(trading.house.do(command) for command in commands))
    records = await trading.records(*(outcome.operation for outcome in done))
    changes = [orjson.loads(record["payload"]) for record in records if record["kind"] == "MARKET_CHANGED"]
    assert len(changes) == len(commands)
    was = False
    for change, made in zip(changes, trading.market.made, strict=True):
        assert change["before"] == {"symbol": "AAPL", "halted": was}
        was = change["after"]["halted"]
        assert made == ("AAPL", was)
    assert ("AAPL" in await trading.market.halted()) is was


async def test_a_market_that_is_gone_then_is_changed_when_it_is_back(trading: Trading) -> None:
    trading.market.gone = True
    operation = (await trading.house.do(halt())).operation
    assert await trading.state(operation) == "RUNNING"
    assert [problem.code for problem in await refusal(trading.house, resume())] == [ProblemCode.UNAVAILABLE]
    trading.market.gone = False
    await Worker(trading.house.pipeline)._one(await operation_of(trading.house, operation))
    assert await trading.state(operation) == "SUCCEEDED"
    assert await trading.market.halted() == {"AAPL"}


async def test_a_halt_of_a_market_that_is_another_since_fails(trading: Trading) -> None:
    operation = await trading.died(halt())
    other = HttpMarket("http://127.0.0.1:9")
    await go_on(replace(trading.house.desk, market=other), operation)
    await other.aclose()
    assert await trading.state(operation) == "FAILED"
    assert trading.market.made == []


async def test_an_unknown_symbol_is_refused_and_not_recorded(trading: Trading) -> None:
    command = halt("NOBODY")
    (problem,) = await refusal(trading.house, command)
    assert (problem.code, problem.path) == (ProblemCode.INVALID_INPUT, ("symbol",))
    assert trading.market.made == []
    known = command.model_copy(update={"symbol": "AAPL"})
    assert await trading.state((await trading.house.do(known)).operation) == "SUCCEEDED"


async def test_what_rests_is_booked_by_whoever_goes_on_with_a_resume(trading: Trading) -> None:
    account = await an_account(trading.house)
    close = (await trading.market.quotes(["AAPL"]))["AAPL"].last
    waits = await place(trading.house, account, "BUY", "1", limit_price=str(close - 1), time_in_force="GTC")
    await trading.house.do(halt())
    operation = await trading.died(resume())
    await Worker(trading.house.pipeline)._one(await operation_of(trading.house, operation))
    assert await trading.state(operation) == "SUCCEEDED"
    assert await trading.state(waits.operation) == "RUNNING", "its price is not reached"
