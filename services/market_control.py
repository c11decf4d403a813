"""What the installation's administrator does to the embedded market: its date, and halts of symbols."""

import datetime
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from graph.database import Reader, Row, Transaction
from graph.journal import Recorder
from services.commands import Act, Command, Effect, Target
from services.desk import Desk
from services.market.paper import PaperBroker
from services.market.port import MAX_SYMBOL_LENGTH, MarketUnavailable, is_symbol
from services.orders.recovery import settle_reports
from services.problems import Problem, ProblemCode, Refused, invalid, refuse, violation


@dataclass(frozen=True, slots=True)
class Controlled:
    """What was changed, as it was before and as it is."""

    before: Row
    after: Row


class MarketCommand(Command[Controlled]):
    """A change of the embedded market.

    The market keeps a record of its own, in which doing the same twice is doing it once. So the market changes first,
    and the journal tells; a repeated request finds the change made and records it.
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
            raise refuse(ProblemCode.UNAVAILABLE, "the market's record cannot be used now; try again") from error

    @abstractmethod
    async def control(self, desk: Desk, market: PaperBroker) -> Controlled:
        """Changes the market. Raises Refused for what it does not take."""

    async def plan(self, desk: Desk, reader: Reader, act: Act) -> Controlled:
        del desk, reader
        return act.facts

    async def apply(self, transaction: Transaction, recorder: Recorder, act: Act, plan: Controlled) -> Effect:
        del transaction, act
        recorder.add("MARKET_CHANGED", [recorder.feed], plan.before, plan.after)
        return Effect({})


class AdvanceMarketDate(MarketCommand):
    """Moves the market's date on. Orders that rest are filled or expire on the way, and are booked at once."""

    action: ClassVar[str] = "advanceMarketDate"
    date: datetime.date

    async def control(self, desk: Desk, market: PaperBroker) -> Controlled:
        before = await market.market_date()
        try:
            reports = await market.advance(self.date)
        except Refused as refused:
            raise Refused(*(replace(problem, path=("date",)) for problem in refused.problems)) from None
        await settle_reports(desk, reports)
        return Controlled({"date": before.isoformat()}, {"date": self.date.isoformat()})


class SymbolCommand(MarketCommand):
    """A symbol in which trading stops, or goes on."""

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
