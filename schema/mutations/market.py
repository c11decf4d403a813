"""advanceMarketDate, haltSymbol and resumeSymbol."""

from typing import Annotated, TypeAlias

import strawberry

from graph.database import Row
from resolvers import markets
from resolvers.context import Context
from schema.fields import Info
from schema.mutations import objects
from schema.mutations.answers import Given, OperationInput, UsualProblem, answer
from schema.scalars import Date
from schema.types.market import Market, market
from schema.types.operation import Operation
from services.market_control import AdvanceMarketDate, HaltSymbol, ResumeSymbol


@strawberry.input(description="A later date for the embedded market.")
class AdvanceMarketDateInput(OperationInput):
    """advanceMarketDate's input."""

    date: Date = strawberry.field(description="The new date, which never lies before the present one.")


@strawberry.input(description="A symbol of the embedded market.")
class SymbolInput(OperationInput):
    """haltSymbol's and resumeSymbol's input."""

    symbol: str = strawberry.field(description="The symbol.")


@strawberry.type(description="The market after the change.")
class MarketPayload:
    """The payload of every change of the market."""

    market: Market = strawberry.field(description="The market as it is now.")
    operation: Operation = strawberry.field(description="The operation that changed it.")


MarketResult: TypeAlias = Annotated[
    MarketPayload | UsualProblem,
    strawberry.union("MarketResult", description="The changed market, or what stands in the way."),
]


@strawberry.type
class MarketMutations:
    """The mutations of the embedded market, for the installation's administrator alone."""

    @strawberry.mutation(
        description="Moves the embedded market's date on; orders that rest are filled or expire on the way. The"
        " installation's administrator alone may."
    )
    async def advance_market_date(self, info: Info, given: Given[AdvanceMarketDateInput]) -> MarketResult:
        """Moves the market's date on."""
        return await answer(info.context, AdvanceMarketDate, given, _payload)

    @strawberry.mutation(
        description="Stops trading in a symbol of the embedded market. The installation's administrator alone may."
    )
    async def halt_symbol(self, info: Info, given: Given[SymbolInput]) -> MarketResult:
        """Stops trading in a symbol."""
        return await answer(info.context, HaltSymbol, given, _payload)

    @strawberry.mutation(
        description="Trades a symbol of the embedded market again. The installation's administrator alone may."
    )
    async def resume_symbol(self, info: Info, given: Given[SymbolInput]) -> MarketResult:
        """Lets a symbol be traded again."""
        return await answer(info.context, ResumeSymbol, given, _payload)


async def _payload(context: Context, operation: Row) -> MarketPayload:
    shown = market(await markets.today(context), embedded=markets.is_embedded(context))
    return MarketPayload(market=shown, operation=objects.operation(operation))
