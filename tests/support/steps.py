"""The steps of placing an order, and the instant between each two: what the order meets there, and what is held."""

import asyncio
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import TypeAlias

from tests.support.proxy import Cut, Proxy
from tests.support.ws4_server import MarketServer
from tests.support.ws4_venue import Fault, Route

# Below any price: the market ends such an order without a fill.
NEVER_FILLS = {"limitPrice": "1", "timeInForce": "IOC"}
Meeting: TypeAlias = tuple[Route, Fault]


@dataclass(frozen=True, slots=True)
class Step:
    """An instant: after these calls to the market met these faults, at this commit of the order's account.

    Where no commit is named, it is the market that holds its answer to the last call.
    """

    name: str
    meets: tuple[Meeting, ...] = ()
    commit: tuple[int, Cut] | None = None
    terms: dict[str, str] = field(default_factory=dict[str, str])


LOST: Meeting = (Route.EXECUTE, Fault.DROP_BEFORE)
TRADED: Meeting = (Route.EXECUTE, Fault.DROP_AFTER)
NO_WORD: Meeting = (Route.ORDER, Fault.ERROR_BEFORE)
HALF: Meeting = (Route.EXECUTE, Fault.PARTIAL)
PLACING = (
    Step("it is about to be recorded", commit=(1, Cut.BEFORE)),
    Step("it is recorded and not sent", commit=(1, Cut.AFTER)),
    Step("it is sent and not traded", ((Route.EXECUTE, Fault.SILENT_BEFORE),)),
    Step("it is sent and trades later", ((Route.EXECUTE, Fault.LATE),)),
    Step("it is traded and not answered", ((Route.EXECUTE, Fault.SILENT_AFTER),)),
    Step("half an answer has come", ((Route.EXECUTE, Fault.STALLED),)),
    Step("it is about to be settled", commit=(2, Cut.BEFORE)),
    Step("it is settled", commit=(2, Cut.AFTER)),
    Step("half of it is about to be booked", (HALF,), (2, Cut.BEFORE)),
    Step("half of it is booked", (HALF,), (2, Cut.AFTER)),
    Step("it is about to be withdrawn", (), (2, Cut.BEFORE), NEVER_FILLS),
    Step("it is withdrawn", (), (2, Cut.AFTER), NEVER_FILLS),
    Step("the market is asked about it", (TRADED, (Route.ORDER, Fault.SILENT_BEFORE))),
    Step("it is about to be UNKNOWN", (TRADED, NO_WORD), (2, Cut.BEFORE)),
    Step("it is UNKNOWN", (TRADED, NO_WORD), (2, Cut.AFTER)),
    Step("it is about to be sent again", (LOST,), (2, Cut.BEFORE)),
    Step("it is sent again and not traded", (LOST, (Route.EXECUTE, Fault.SILENT_BEFORE))),
    Step("it is sent again and traded", (LOST, (Route.EXECUTE, Fault.SILENT_AFTER))),
)
APPROVING = (
    Step("the decision is about to be recorded", commit=(1, Cut.BEFORE)),
    Step("it is approved and not begun", commit=(1, Cut.AFTER)),
    Step("approved, it is about to be recorded", commit=(2, Cut.BEFORE)),
    Step("approved, it is recorded and not sent", commit=(2, Cut.AFTER)),
    Step("approved, it is traded and not answered", ((Route.EXECUTE, Fault.SILENT_AFTER),)),
    Step("approved, it is about to be settled", commit=(3, Cut.BEFORE)),
)
UNHELD = Step("nothing holds it")
RECOVERING = (
    UNHELD,
    Step("the market is asked about it once more", ((Route.ORDER, Fault.SILENT_BEFORE),)),
    Step("what was found is about to be booked", commit=(1, Cut.BEFORE)),
    Step("what was found is booked", commit=(1, Cut.AFTER)),
)


class Stage:
    """Brings orders to their steps: it knows them by their accounts, each of which places one order."""

    def __init__(self, market: MarketServer, proxy: Proxy) -> None:
        self._venue, self._proxy = market.venue, proxy
        self._meets: defaultdict[str, deque[Meeting]] = defaultdict(deque)
        self._at_market: dict[str, asyncio.Event] = {}
        market.choose(self._choose)
        market.venue.hear = self._hear

    def hold(self, account: str, step: Step) -> asyncio.Event:
        """Lets the account's order come to the step and no further; the event is that it is there."""
        self._meets[account].extend(step.meets)
        if step.commit:
            return self._proxy.hold(account, *step.commit).reached
        return self._at_market.setdefault(account, asyncio.Event())

    def know(self, order: str, account: str) -> None:
        """Lets the market know an order that has never arrived by its account."""
        self._venue.accounts[order] = account

    def let_pass(self) -> None:
        """Holds nothing more, and lets nothing more fail."""
        self._meets.clear()
        self._at_market.clear()
        self._proxy.let_pass()

    def _choose(self, route: Route, name: str) -> Fault | None:
        meets = self._meets.get(self._venue.accounts.get(name, ""))
        return meets.popleft()[1] if meets and meets[0][0] is route else None

    def _hear(self, route: Route, name: str, fault: Fault) -> None:
        del route, fault
        account = self._venue.accounts.get(name, "")
        if account in self._at_market and not self._meets[account]:
            self._at_market[account].set()
