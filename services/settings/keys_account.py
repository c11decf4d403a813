"""Keys of benchmark, reporting and integration: they decide nothing, so they are no policy."""

from decimal import Decimal

from services.settings.key import Key, ValueType, choice, share, whole

BENCHMARK: tuple[Key, ...] = (
    Key(
        name="benchmark.symbol",
        type=ValueType.STRING,
        description="The instrument that the account's return is compared with.",
        length=20,
        policy=False,
    ),
    share(
        "benchmark.riskFreeRate",
        "The yearly return without risk, for ratios such as Sharpe's.",
        minimum=Decimal(-1),
        default=0,
        unit="share a year",
        policy=False,
    ),
    share(
        "benchmark.maxTrackingError",
        "The yearly tracking error above which the account is reported; needs benchmark.symbol.",
        unit="share a year",
        policy=False,
    ),
)

REPORTING: tuple[Key, ...] = (
    Key(
        name="reporting.currency",
        type=ValueType.CURRENCY,
        description="The currency of reports; without it, the account's own.",
        policy=False,
    ),
    choice(
        "reporting.frequency",
        "How often reports are made.",
        *("DAILY", "WEEKLY", "MONTHLY", "QUARTERLY", "YEARLY"),
        default="MONTHLY",
        policy=False,
    ),
    whole("reporting.yearStartMonth", "The month in which the reporting year starts.", 1, 12, default=1, policy=False),
    Key(
        name="reporting.inceptionDate",
        type=ValueType.DATE,
        description="The date from which performance is reported; without it, the first funding.",
        policy=False,
    ),
    choice(
        "reporting.costBasis",
        "Which lots a sale takes first.",
        *("FIFO", "LIFO", "HIGHEST_COST"),
        default="FIFO",
        policy=False,
    ),
)

INTEGRATION: tuple[Key, ...] = (
    choice(
        "integration.timeInForce",
        "How long an order stands at the market where it does not say.",
        *("DAY", "GTC", "IOC", "FOK"),
        default="DAY",
        policy=False,
    ),
    Key(
        name="integration.externalReference",
        type=ValueType.STRING,
        description="The account's name in another system.",
        policy=False,
    ),
)
