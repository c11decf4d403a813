"""The facts that the embedded rules read, each typed; an absent or null fact is None and its rule does not apply."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
    model_validator,
)

from graph.money import parse_plain
from services.settings.catalogue import CATALOGUE
from services.settings.values import exact

MAX_LIST = 1_000
MAX_FACT_PROBLEMS = 20


def _exact(value: object) -> Decimal:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    number = parse_plain(text) if isinstance(text, str) else None
    if number is None:
        raise ValueError("give a decimal number as text, such as '1250.50'")
    return number


def _number(value: object) -> Decimal:
    number = exact(value) if isinstance(value, bool | int | float | str) else None
    if number is None:
        raise ValueError("give a number, such as 0.25")
    return number


_USUAL = {
    "min_confidence": "risk.minimumConfidence",
    "loss_share": "risk.recoveryLoss",
    "portfolio_risk": "risk.maxPortfolioRisk",
    "position_risk": "risk.maxPositionRisk",
}
"""The thresholds that ask for a person, and that a tier has where its policy does not name them, by their keys."""


def _day(value: object) -> date:
    if not isinstance(value, str) or len(value) != len("2026-01-02"):
        raise ValueError("give a date such as '2026-01-02'")
    day = date.fromisoformat(value)
    if day.isoformat() != value:
        raise ValueError("give a date such as '2026-01-02'")
    return day


def _none_is_empty(value: object) -> object:
    return {} if value is None else value


Exact = Annotated[Decimal, BeforeValidator(_exact)]
Number = Annotated[Decimal, BeforeValidator(_number)]
Day = Annotated[date, BeforeValidator(_day)]
Count = Annotated[StrictInt, Field(ge=0)]
Text = Annotated[StrictStr, Field(max_length=200)]
Weekday = Literal["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]
WEEKDAYS: tuple[Weekday, ...] = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")


class FactsPart(BaseModel):
    """A group of facts; what it does not name is left to other engines."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class AccountFacts(FactsPart):
    """The account as it stands. Amounts are in its currency; `orders` counts the earlier posted ones."""

    kind: Text | None = None
    tier: Literal["GEN", "REV", "COM"] | None = None
    status: Text | None = None
    currency: Text | None = None
    simulated: StrictBool | None = None
    trusted: StrictBool | None = None
    cash: Exact | None = None
    available: Exact | None = None
    total_value: Exact | None = Field(default=None, alias="totalValue")
    initial_balance: Exact | None = Field(default=None, alias="initialBalance")
    orders: Count | None = None


class OrderFacts(FactsPart):
    """The order that is asked for; `value` is quantity times price."""

    symbol: Text | None = None
    side: Literal["BUY", "SELL"] | None = None
    quantity: Exact | None = None
    price: Exact | None = None
    value: Exact | None = None


class ForkFacts(FactsPart):
    """The fork that is asked for.

    `surplus` is total value less initial balance, before the fork; `remaining` is what stays in the parent;
    `hoursSinceLast` is absent for a first fork; `today` counts the earlier forks of the market date; `childValue` is
    what the child starts with.
    """

    surplus: Exact | None = None
    remaining: Exact | None = None
    hours_since_last: Number | None = Field(default=None, alias="hoursSinceLast")
    today: Count | None = None
    child_value: Exact | None = Field(default=None, alias="childValue")
    simulated: StrictBool | None = None


class PolicyFacts(FactsPart):
    """Effective settings of the account by their keys, as they were set: a number is JSON's own or its text.

    An absent one has no default here: the services name the tier's and the catalogue's. See `Facts` for thresholds.
    """

    symbols: tuple[Text, ...] | None = Field(default=None, alias="policy.symbols", max_length=MAX_LIST)
    entry_days: tuple[Weekday, ...] | None = Field(default=None, alias="policy.entryDays", max_length=7)
    minimum_investment: Number | None = Field(default=None, alias="policy.minimumInvestment")
    withdrawals: StrictBool | None = Field(default=None, alias="policy.withdrawals")
    max_drawdown: Number | None = Field(default=None, alias="policy.maxDrawdown")
    approve_orders: StrictBool | None = Field(default=None, alias="approval.order")
    approve_deposits: StrictBool | None = Field(default=None, alias="approval.deposit")
    approve_withdrawals: StrictBool | None = Field(default=None, alias="approval.withdrawal")
    approve_transfers: StrictBool | None = Field(default=None, alias="approval.transfer")
    approve_forks: StrictBool | None = Field(default=None, alias="approval.fork")
    approve_merges: StrictBool | None = Field(default=None, alias="approval.merge")
    adjustment_amount: Number | None = Field(default=None, alias="approval.adjustmentAmount")
    min_confidence: Number | None = Field(default=None, alias="risk.minimumConfidence")
    loss_share: Number | None = Field(default=None, alias="risk.recoveryLoss")
    portfolio_risk: Number | None = Field(default=None, alias="risk.maxPortfolioRisk")
    position_risk: Number | None = Field(default=None, alias="risk.maxPositionRisk")
    surplus_threshold: Number | None = Field(default=None, alias="fork.surplusThreshold")
    minimum_remaining: Number | None = Field(default=None, alias="fork.minimumRemaining")
    cooldown_hours: Number | None = Field(default=None, alias="fork.cooldownHours")
    max_forks_per_day: Number | None = Field(default=None, alias="fork.maxPerDay")


class Facts(FactsPart):
    """All facts of one question. `confidence` lies between 0 and 1; losses and risks are fractions of one.

    For an account with a tier, a threshold that asks for a person and is absent has the tier's default; null is none.
    """

    account: Annotated[AccountFacts, BeforeValidator(_none_is_empty)] = AccountFacts()
    policy: Annotated[PolicyFacts, BeforeValidator(_none_is_empty)] = PolicyFacts()
    order: Annotated[OrderFacts, BeforeValidator(_none_is_empty)] = OrderFacts()
    fork: Annotated[ForkFacts, BeforeValidator(_none_is_empty)] = ForkFacts()
    market_date: Day | None = Field(default=None, alias="marketDate")
    amount: Exact | None = None
    currency: Text | None = None
    adjustment: StrictBool | None = None
    confidence: Annotated[Number, Field(ge=0, le=1)] | None = None
    loss_share: Number | None = Field(default=None, alias="lossShare")
    drawdown: Number | None = None
    portfolio_risk: Number | None = Field(default=None, alias="portfolioRisk")
    position_risk: Number | None = Field(default=None, alias="positionRisk")

    @model_validator(mode="after")
    def _tier_has_thresholds(self) -> "Facts":
        tier = self.account.tier
        if tier is None:
            return self
        absent = {name: key for name, key in _USUAL.items() if name not in self.policy.model_fields_set}
        usual = {name: exact(CATALOGUE[key].default_for(tier)) for name, key in absent.items()}
        return self.model_copy(update={"policy": self.policy.model_copy(update=usual)})


def malformed(fault: ValidationError) -> list[tuple[str, str]]:
    """The path and the plain words of each malformed fact, at most MAX_FACT_PROBLEMS of them."""
    errors = fault.errors(include_url=False, include_context=False, include_input=False)[:MAX_FACT_PROBLEMS]
    return [
        (".".join(str(step) for step in error["loc"]), error["msg"].removeprefix("Value error, ")) for error in errors
    ]
