"""Sends a recorded order to the market while its caller waits."""

from graph import orders
from graph.database import Row
from services.desk import Desk
from services.market.port import MarketNotTaken, MarketUnavailable, MarketUnknown, OrderReport
from services.orders.claims import Claim
from services.orders.proving import prove, settle_or_leave
from services.orders.quoting import market_gone
from services.orders.settling import rejection
from services.orders.simulated import fill_at_quotes
from services.orders.terms import RECORDED, market_order
from services.orders.withdrawing import withdraw
from services.problems import Refused


async def pursue(desk: Desk, operation: str, claim: Claim) -> None:
    """Brings the operation's order as far as the market brings it now.

    Raises Refused, and has removed the order, where the market proves to its caller that nothing came of it:
    MARKET_REJECTED, or UNAVAILABLE where it was certainly not taken.
    """
    order = await orders.of_operation(desk.database, operation)
    if order is None or not order["open"]:
        return
    if order["status"] != RECORDED or not claim.is_first(order):
        await settle_or_leave(desk, order, await prove(desk, order))
        return
    claim.used = True
    try:
        report = await _first(desk, order)
    except (MarketUnavailable, MarketNotTaken) as error:
        if await withdraw(desk, order, claim):
            raise market_gone() from error
        report = None
    except MarketUnknown:
        report = await prove(desk, order)
    if report is not None and report.status.final and not report.filled_scaled and await withdraw(desk, order, claim):
        raise Refused(rejection(report))
    await settle_or_leave(desk, order, report)


async def _first(desk: Desk, order: Row) -> OrderReport:
    if order["simulated"]:
        return await fill_at_quotes(desk, order)
    return await desk.market.execute(market_order(order))
