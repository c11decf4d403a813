"""The port to the market (WS4): what the house asks of it, and every outcome as a value or an exception of its own.

All prices are in US dollars: WS4 names no currency.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from graph.money import MAX_QUANTITY, to_scaled

CURRENCY = "USD"
MAX_SYMBOLS = 10_000
MAX_SYMBOL_LENGTH = 32
MAX_ID_LENGTH = 64


class InstrumentType(StrEnum):
    """What is traded."""

    STOCK = "stock"
    ETF = "etf"
    OPTION = "option"


class OptionType(StrEnum):
    """The right that an option gives."""

    PUT = "put"
    CALL = "call"


class Side(StrEnum):
    """Which way an order trades."""

    BUY = "BUY"
    SELL = "SELL"


class OrderType(StrEnum):
    """Whether an order names the worst price that it takes."""

    MARKET = "market"
    LIMIT = "limit"


class TimeInForce(StrEnum):
    """How long an order stands: its market day; until cancelled; at once, also in part; at once, whole or not."""

    DAY = "DAY"
    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"


class OrderStatus(StrEnum):
    """Where the market says that an order is."""

    PENDING = "pending"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"

    @property
    def final(self) -> bool:
        """Whether nothing more can happen to the order."""
        return self in _FINAL


_FINAL = frozenset({OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.REJECTED, OrderStatus.EXPIRED})


@dataclass(frozen=True, slots=True)
class OptionTerms:
    """The terms of an option contract on an order's symbol."""

    expiration: date
    strike: Decimal
    option_type: OptionType
    multiplier: int = 100


@dataclass(frozen=True, slots=True)
class MarketOrder:
    """An order under our own id. Raises ValueError where its parts contradict each other or leave their bounds."""

    order_id: str
    account_id: str
    symbol: str
    side: Side
    quantity: Decimal
    at: datetime
    instrument_type: InstrumentType = InstrumentType.STOCK
    option: OptionTerms | None = None
    order_type: OrderType = OrderType.MARKET
    limit_price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.DAY

    def __post_init__(self) -> None:
        scaled = to_scaled(self.quantity)
        if scaled is None or not 0 < scaled <= MAX_QUANTITY:
            raise ValueError("the quantity is above 0, within its bound and has at most 8 decimals")
        if (self.order_type is OrderType.LIMIT) != (self.limit_price is not None):
            raise ValueError("a limit order, and no other, has a limit price")
        if self.limit_price is not None and self.limit_price <= 0:
            raise ValueError("the limit price is above 0")
        if (self.instrument_type is InstrumentType.OPTION) != (self.option is not None):
            raise ValueError("an option, and nothing else, has option terms")
        if not all(0 < len(name) <= MAX_ID_LENGTH for name in (self.order_id, self.account_id)):
            raise ValueError(f"an order's id and its account's have 1 to {MAX_ID_LENGTH} characters")
        if not is_symbol(self.symbol):
            raise ValueError(f"a symbol has 1 to {MAX_SYMBOL_LENGTH} printable characters")

    def same_terms(self, other: "MarketOrder") -> bool:
        """Whether the other is this order sent again, whenever it was sent."""
        return self == replace(other, at=self.at)

    def allows(self, price: Decimal) -> bool:
        """Whether the order may trade at that price."""
        if self.limit_price is None:
            return True
        return price <= self.limit_price if self.side is Side.BUY else price >= self.limit_price


@dataclass(frozen=True, slots=True)
class OrderReport:
    """An order as the market says that it stands; the figures are of all its fills together.

    The average price is exact and None where nothing was filled. The commission is in US dollars and not rounded.
    """

    order_id: str
    status: OrderStatus
    filled_quantity: Decimal = Decimal(0)
    avg_fill_price: Decimal | None = None
    commission: Decimal = Decimal(0)
    reason: str | None = None

    @property
    def filled_scaled(self) -> int:
        """The filled quantity in units of 1e-8. Raises ValueError where it has more than 8 decimals."""
        scaled = to_scaled(self.filled_quantity)
        if scaled is None:
            raise ValueError("a filled quantity has at most 8 decimals")
        return scaled


@dataclass(frozen=True, slots=True)
class NotKnown:
    """The market knows no such order; `final` where it also promises that it never will."""

    final: bool


@dataclass(frozen=True, slots=True)
class Quote:
    """The last price of a symbol, exact, in US dollars, and the instant that it is of."""

    symbol: str
    last: Decimal
    at: datetime
    halted: bool = False
    bid: Decimal | None = None
    ask: Decimal | None = None


class MarketError(Exception):
    """The market gave no answer that can be used."""


class MarketUnavailable(MarketError):
    """Nothing was sent, or a read failed: it had no effect and may be tried again."""


class MarketUnknown(MarketError):
    """The order may have reached the market: its outcome is unknown until the market proves it."""


class MarketNotTaken(MarketError):
    """The market did not take the order because it is busy: it had no effect and may be sent again."""


class LookupUnsupported(MarketError):
    """This market cannot look orders up: only the same order sent again under its id proves its outcome."""


class MarketCannotCancel(MarketError):
    """This market takes no cancellations."""


class Market(ABC):
    """The market as the house uses it. Every method but `healthy` may raise MarketUnavailable."""

    @abstractmethod
    async def quotes(self, symbols: Collection[str]) -> dict[str, Quote]:
        """The quote of each symbol, in one call; a symbol that the market does not know is left out.

        Raises ValueError for more than MAX_SYMBOLS symbols.
        """

    @abstractmethod
    async def execute(self, order: MarketOrder) -> OrderReport:
        """Sends the order once and returns it as it stands. The same order sent again never trades again.

        Raises MarketUnavailable and MarketNotTaken where it is certain that the order was not taken, and
        MarketUnknown where that is not certain.
        """

    @abstractmethod
    async def order(self, order_id: str) -> OrderReport | NotKnown:
        """The order as it stands; `checks.check_report` tells whether the answer fits the order that was sent.

        Raises LookupUnsupported, and MarketUnknown where the answer cannot be true of any order.
        """

    @abstractmethod
    async def cancel(self, order_id: str) -> OrderReport:
        """Ends what is still open of the order and returns it as it then stands, which its fills may have decided.

        An order that the market has not seen is cancelled too: should it arrive later, it does not trade. Raises
        MarketCannotCancel, and MarketUnknown where it may have been cancelled or not.
        """

    @abstractmethod
    async def positions(self, account_id: str) -> dict[str, Decimal]:
        """The sum of the account's own trades for each symbol that is not zero; below zero where more was sold."""

    @abstractmethod
    async def market_date(self) -> date:
        """The market's own date, which entries carry as their value date."""

    @abstractmethod
    async def healthy(self) -> bool:
        """Whether the market answers now. Never raises a MarketError."""

    @abstractmethod
    async def aclose(self) -> None:
        """Gives back what the market holds. It is not used afterwards."""


def is_symbol(text: str) -> bool:
    """Whether the text can be a symbol of any market: short, and printable (so it can be sent as UTF-8)."""
    return 0 < len(text) <= MAX_SYMBOL_LENGTH and text.isprintable()
