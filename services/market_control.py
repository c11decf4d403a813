"""What the installation's administrator does to the embedded market: its date, and halts of symbols."""

import datetime
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import structlog

from graph import clock, operations
from graph.database import Reader, Row, Transaction
from graph.journal import Recorder
from services.commands import Act, Command, Effect, Outdated, Target
from services.desk import Desk
from services.market.paper import PaperBroker
from services.market.port import MAX_SYMBOL_LENGTH, MarketError, MarketUnavailable, OrderReport, is_symbol
from services.operations import FIRST_DUE, RUNNING, end_operation
from services.orders.recovery import settle_reports
from services.problems import Problem, ProblemCode, Refused, invalid, refuse, violation

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Controlled:
    """What was changed, as it was before and as it is."""

    before: Row
    after: Row


class MarketCommand(Command[Controlled]):
    """A change of the embedded market, which keeps a record of its own beside the graph.

    The graph records what is asked before the market changes. Whoever goes on with the operation then makes the change,
    and ends it: its caller, the same request again, or the worker where that process died.
    """

    def targets(self) -> Sequence[Target]:
        return ()

    def administrative(self) -> bool:
        return True

    async def gather(self, desk: Desk, act: Act) -> Controlled:
        del act
        try:
            return await self.control(desk, embedded(desk))
        except MarketUnavailable as error:
            raise _unavailable() from error

    @abstractmethod
    async def control(self, desk: Desk, market: PaperBroker) -> Controlled:
        """What changes in the market. Raises Refused for what it does not take."""

    async def plan(self, desk: Desk, reader: Reader, act: Act) -> Controlled:
        del desk, reader
        return act.facts

    async def apply(self, transaction: Transaction, recorder: Recorder, act: Act, plan: Controlled) -> Effect:
        del transaction, act
        recorder.add("MARKET_CHANGED", [recorder.feed], plan.before, plan.after)
        due = clock.to_text(clock.now() + FIRST_DUE)
        return Effect(plan.after, state=RUNNING, changes={"dueAt": due})

    async def after(self, desk: Desk, operation: str) -> None:
        await go_on(desk, operation)


class AdvanceMarketDate(MarketCommand):
    """Moves the market's date on. Orders that rest are filled or expire on the way, and are booked at once.

    The market moves to the date that was asked for unless it is there or beyond: whoever goes on with the operation,
    it moves once.
    """

    action: ClassVar[str] = "advanceMarketDate"
    date: datetime.date

    async def control(self, desk: Desk, market: PaperBroker) -> Controlled:
        try:
            before = await market.check_advance(self.date)
        except Refused as refused:
            raise Refused(*(replace(problem, path=("date",)) for problem in refused.problems)) from None
        return Controlled({"date": before.isoformat()}, {"date": self.date.isoformat()})


class SymbolCommand(MarketCommand):
    """A symbol in which trading stops, or goes on.

    What was asked before is done before: one of these is recorded when no other is under way.
    """

    halts: ClassVar[bool]
    symbol: str

    def check(self) -> list[Problem]:
        if is_symbol(self.symbol):
            return []
        return [invalid(f"symbol must have 1 to {MAX_SYMBOL_LENGTH} printable characters", "symbol")]

    async def control(self, desk: Desk, market: PaperBroker) -> Controlled:
        market.check_symbol(self.symbol)
        earlier = await _under_way(desk.database, desk)
        for operation in earlier:
            await go_on(desk, operation)
        if not set(earlier).isdisjoint(await _under_way(desk.database, desk)):
            raise MarketUnavailable("what was asked before is not done yet")
        was = self.symbol in await market.halted()
        return Controlled({"symbol": self.symbol, "halted": was}, {"symbol": self.symbol, "halted": self.halts})

    async def plan(self, desk: Desk, reader: Reader, act: Act) -> Controlled:
        found: Controlled = act.facts
        try:
            halted = self.symbol in await embedded(desk).halted()
        except MarketUnavailable as error:
            raise _unavailable() from error
        if halted != found.before["halted"] or await _under_way(reader, desk):
            raise Outdated
        return found


class HaltSymbol(SymbolCommand):
    """Stops trading in a symbol: orders are rejected, and resting ones wait."""

    action: ClassVar[str] = "haltSymbol"
    halts: ClassVar[bool] = True


class ResumeSymbol(SymbolCommand):
    """Lets a symbol be traded again. What rests on it is filled where the price allows, and is booked at once."""

    action: ClassVar[str] = "resumeSymbol"
    halts: ClassVar[bool] = False


_SYMBOLS = (HaltSymbol.action, ResumeSymbol.action)
ACTIONS = frozenset({AdvanceMarketDate.action, *_SYMBOLS})
"""The operations that `go_on` goes on with."""


def _unavailable() -> Refused:
    return refuse(ProblemCode.UNAVAILABLE, "the market's record cannot be used now; try again")


async def _under_way(reader: Reader, desk: Desk) -> list[str]:
    return await operations.under_way(reader, desk.installation, RUNNING, _SYMBOLS)


async def go_on(desk: Desk, operation_id: str) -> None:
    """Changes the market as a running operation recorded, and ends the operation; again, it does nothing.

    Where the market's record cannot be used the operation stays due. Raises EngineUnavailable.
    """
    operation = (await operations.find(desk.database, [operation_id]))[operation_id]
    if operation["state"] != RUNNING:
        return
    try:
        market = embedded(desk)
    except Refused as refused:
        # The server runs with another market since.
        await end_operation(desk, operation, [RUNNING], "FAILED", refused.problems)
        return
    async with market.changing:
        await _change(desk, market, operation_id)


async def _change(desk: Desk, market: PaperBroker, operation_id: str) -> None:
    # Read once more, since whoever had the market before may have ended it.
    operation = (await operations.find(desk.database, [operation_id]))[operation_id]
    if operation["state"] != RUNNING:
        return
    try:
        reports = await _reports(market, operation["payload"])
    except MarketError:
        _log.warning("market_change_waits_for_the_market", operation=operation_id)
        return
    except Refused as refused:
        await end_operation(desk, operation, [RUNNING], "FAILED", refused.problems)
        return
    await settle_reports(desk, reports)
    await end_operation(desk, operation, [RUNNING], "SUCCEEDED", [])


async def _reports(market: PaperBroker, asked: Row) -> list[OrderReport]:
    """What a change leads to: a date that is reached, a symbol that is halted, or one that is traded again."""
    if "date" in asked:
        return await market.reach(datetime.date.fromisoformat(asked["date"]))
    if asked["halted"]:
        await market.halt(asked["symbol"])
        return []
    return await market.resume(asked["symbol"])


def embedded(desk: Desk) -> PaperBroker:
    """The embedded market. Raises RULE_VIOLATION where another one is used, which has its own administration."""
    if isinstance(desk.market, PaperBroker):
        return desk.market
    message = "only the embedded market is administered here"
    raise violation(message, rule="EMBEDDED_MARKET", current="another market", required="the embedded market")
