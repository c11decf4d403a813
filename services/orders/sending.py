"""Sends a recorded order to the market while its caller waits."""

from graph import orders
from graph.database import Row
from services.commands import Outdated
from services.desk import Desk
from services.market.port import MarketNotTaken, MarketUnavailable, MarketUnknown, OrderReport
from services.orders.claims import Claim
from services.orders.outcomes import rejection
from services.orders.proving import prove, settle_or_leave
from services.orders.quoting import market_gone
from services.orders.simulated import fill_at_quotes
from services.orders.terms import RECORDED, market_order
from services.orders.withdrawing import withdraw
from services.problems import Refused


async def pursue(desk: Desk, operation: str, claim: Claim) -> None:
    """Brings the operation's order as far as the market brings it now.

    Raises Refused, and has removed the order, where the market proves to its caller that nothing came of it:
    MARKET_REJECTED, or UNAVAILABLE where it was certainly not taken. Raises Outdated where there is no order any more.
    """
    order = await orders.of_operation(desk.database, operation)
    # An order is gone where the process that recorded it has withdrawn it meanwhile: the request begins anew.
    if order is None or not await _pursue(desk, order, claim):
        raise Outdated


async def _pursue(desk: Desk, order: Row, claim: Claim) -> bool:
    if not order["open"]:
        return True
    if order["status"] != RECORDED or not claim.is_first(order):
        return await settle_or_leave(desk, order, await prove(desk, order))
    claim.used = True
    try:
        report = await _first(desk, order)
    except (MarketUnavailable, MarketNotTaken) as error:
        if await withdraw(desk, order, claim):
            raise market_gone() from error
        report = None
    except MarketUnknown:
        report = await prove(desk, order, claim)
    if report is not None and report.status.final and not report.filled_scaled and await withdraw(desk, order, claim):
        raise Refused(rejection(report))
    return await settle_or_leave(desk, order, report)


async def _first(desk: Desk, order: Row) -> OrderReport:
    if order["simulated"]:
        return await fill_at_quotes(desk, order)
    return await desk.market.execute(market_order(order))
