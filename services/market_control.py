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
from services.commands import Act, Command, Effect, Target
from services.desk import Desk
from services.market.paper import PaperBroker
from services.market.port import MAX_SYMBOL_LENGTH, MarketError, MarketUnavailable, is_symbol
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
    """A change of the embedded market, which keeps a record of its own beside the graph."""

    def targets(self) -> Sequence[Target]:
        return ()

    def administrative(self) -> bool:
        return True

    async def gather(self, desk: Desk, act: Act) -> Controlled:
        del act
        try:
            return await self.control(desk, embedded(desk))
        except MarketUnavailable as error:
            raise refuse(ProblemCode.UNAVAILABLE, "the market's record cannot be used now; try again") from error

    @abstractmethod
    async def control(self, desk: Desk, market: PaperBroker) -> Controlled:
        """What changes in the market. Raises Refused for what it does not take."""

    async def plan(self, desk: Desk, reader: Reader, act: Act) -> Controlled:
        del desk, reader
        return act.facts

    async def apply(self, transaction: Transaction, recorder: Recorder, act: Act, plan: Controlled) -> Effect:
        del transaction, act
        recorder.add("MARKET_CHANGED", [recorder.feed], plan.before, plan.after)
        return Effect({})


class AdvanceMarketDate(MarketCommand):
    """Moves the market's date on. Orders that rest are filled or expire on the way, and are booked at once.

    The graph records what is asked before the market moves, and the market then moves to that date unless it is there
    or beyond: whoever goes on with the operation, it moves once.
    """

    action: ClassVar[str] = "advanceMarketDate"
    date: datetime.date

    async def control(self, desk: Desk, market: PaperBroker) -> Controlled:
        try:
            before = await market.check_advance(self.date)
        except Refused as refused:
            raise Refused(*(replace(problem, path=("date",)) for problem in refused.problems)) from None
        return Controlled({"date": before.isoformat()}, {"date": self.date.isoformat()})

    async def apply(self, transaction: Transaction, recorder: Recorder, act: Act, plan: Controlled) -> Effect:
        await super().apply(transaction, recorder, act, plan)
        due = clock.to_text(clock.now() + FIRST_DUE)
        return Effect({"date": self.date.isoformat()}, state=RUNNING, changes={"dueAt": due})

    async def after(self, desk: Desk, operation: str) -> None:
        await go_on(desk, operation)


async def go_on(desk: Desk, operation_id: str) -> None:
    """Moves the market to the date that a running operation recorded, and ends the operation; again, it does nothing.

    Where the market's record cannot be used the operation stays due. Raises EngineUnavailable.
    """
    operation = (await operations.find(desk.database, [operation_id]))[operation_id]
    if operation["state"] != RUNNING:
        return
    try:
        reports = await embedded(desk).reach(datetime.date.fromisoformat(operation["payload"]["date"]))
    except MarketError:
        _log.warning("market_date_waits_for_the_market", operation=operation_id)
        return
    except Refused as refused:
        # The server runs with another market since.
        await end_operation(desk, operation, [RUNNING], "FAILED", refused.problems)
        return
    await settle_reports(desk, reports)
    await end_operation(desk, operation, [RUNNING], "SUCCEEDED", [])


class SymbolCommand(MarketCommand):
    """A symbol in which trading stops, or goes on.

    Doing the same twice is doing it once. So the market changes first, and the journal tells; a repeated request finds
    the change made and records it.
    """

    halts: ClassVar[bool]
    symbol: str

    def check(self) -> list[Problem]:
        if is_symbol(self.symbol):
            return []
        return [invalid(f"symbol must have 1 to {MAX_SYMBOL_LENGTH} printable characters", "symbol")]

    async def control(self, desk: Desk, market: PaperBroker) -> Controlled:
        was = self.symbol in await market.halted()
        if self.halts:
            await market.halt(self.symbol)
        else:
            await settle_reports(desk, await market.resume(self.symbol))
        return Controlled({"symbol": self.symbol, "halted": was}, {"symbol": self.symbol, "halted": self.halts})


class HaltSymbol(SymbolCommand):
    """Stops trading in a symbol: orders are rejected, and resting ones wait."""

    action: ClassVar[str] = "haltSymbol"
    halts: ClassVar[bool] = True


class ResumeSymbol(SymbolCommand):
    """Lets a symbol be traded again. What rests on it is filled where the price allows, and is booked at once."""

    action: ClassVar[str] = "resumeSymbol"
    halts: ClassVar[bool] = False


def embedded(desk: Desk) -> PaperBroker:
    """The embedded market. Raises RULE_VIOLATION where another one is used, which has its own administration."""
    if isinstance(desk.market, PaperBroker):
        return desk.market
    message = "only the embedded market is administered here"
    raise violation(message, rule="EMBEDDED_MARKET", current="another market", required="the embedded market")
