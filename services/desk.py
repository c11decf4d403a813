"""What the services work with: the graph, the protocol engine, the market, and the installation's own facts."""

from dataclasses import dataclass

from graph.database import Database, Reader
from services.market.port import Market
from services.prices import PriceBook
from services.protocol.port import ProtocolPort


@dataclass(frozen=True, slots=True)
class Desk:
    """The ports of one running application."""

    database: Database
    protocol: ProtocolPort
    market: Market
    prices: PriceBook
    installation: str
    """The id of the Installation node, which is also the id of its feed."""
    reader: Reader | None = None
    """What a command that is judged with others reads from, where that is not the database itself."""

    @property
    def reads(self) -> Reader:
        """Where a command reads what it is judged by, outside of its transaction."""
        return self.reader or self.database
