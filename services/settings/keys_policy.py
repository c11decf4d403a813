"""Keys of the tier policy: what an account of each tier trades, when, and how much."""

from decimal import Decimal
from typing import Any

from services.settings.json_limits import Json
from services.settings.key import BINDS_ALL, Key, Stricter, ValueType, every_tier, flag, listing, money, share, whole

LOWER, HIGHER, SUBSET = Stricter.LOWER, Stricter.HIGHER, Stricter.SUBSET


def _tiers(gen: Json, rev: Json, com: Json = None) -> dict[str, Json]:
    given = {"GEN": gen, "REV": rev, "COM": com}
    return {tier: value for tier, value in given.items() if value is not None}


def _atr(name: str, description: str, default: float, **more: Any) -> Key:
    # An adverse move in units of average true range may be more than 1, so it is no share.
    return Key(
        name=name,
        type=ValueType.DECIMAL,
        description=description,
        unit="average true range",
        minimum=Decimal(0),
        maximum=Decimal(100),
        decimals=4,
        default=default,
        stricter=LOWER,
        **more,
    )


TIER_POLICY: tuple[Key, ...] = (
    listing(
        "policy.symbols",
        f"The instruments that the account may buy; an empty list allows none. {BINDS_ALL}",
        items=500,
        tiers=_tiers(["TSLA", "NVDA", "AMD", "AAPL"], ["AAPL", "AMZN", "MSFT"], ["AAPL", "AMZN", "MSFT"]),
        stricter=SUBSET,
    ),
    listing(
        "policy.entryDays",
        f"The weekdays on which positions are opened; without it, any. {BINDS_ALL}",
        *("MON", "TUE", "WED", "THU", "FRI"),
        tiers=_tiers(["THU"], ["MON", "TUE", "WED"]),
        stricter=SUBSET,
    ),
    whole("policy.optionDeltaMin", "The lowest option delta.", 0, 100, tiers=_tiers(40, 30, 20), unit="delta of 100"),
    whole("policy.optionDeltaMax", "The highest option delta.", 0, 100, tiers=_tiers(50, 40, 30), unit="delta of 100"),
    share("policy.weeklyTarget", "The week's target return.", tiers=_tiers(0.015, 0.01, 0.005)),
    share("policy.initialSplit", "The share of the first capital that this tier gets.", tiers=_tiers(0.4, 0.3, 0.3)),
    share("policy.cashBuffer", "The share kept as a cash buffer.", tiers=every_tier(0.05), stricter=HIGHER),
    share(
        "policy.maxDrawdown",
        f"The largest fall from a peak. {BINDS_ALL}",
        tiers=_tiers(0.15, 0.1, 0.07),
        stricter=LOWER,
    ),
    flag(
        "policy.withdrawals",
        f"Cash may be withdrawn. {BINDS_ALL}",
        tiers=_tiers(gen=True, rev=True, com=False),
        stricter=Stricter.FALSE,
    ),
    share("policy.deploymentMin", "The smallest share of capital at work.", tiers=_tiers(0.9, 0.9)),
    share("policy.deploymentMax", "The largest share of capital at work.", tiers=_tiers(0.95, 0.95), stricter=LOWER),
    share("policy.positionShareMin", "The smallest share of one position.", tiers=_tiers(0.1, 0.05)),
    share("policy.positionShareMax", "The largest share of one position.", tiers=_tiers(0.15, 0.1), stricter=LOWER),
    money(
        "policy.minimumInvestment",
        f"Total value that the first order and a fork need. {BINDS_ALL}",
        tiers=every_tier("10000"),
        stricter=HIGHER,
    ),
)

MARKET_POLICY: tuple[Key, ...] = (
    whole("policy.redDeltaCut", "Delta taken off in a red market.", 0, 100, default=5, unit="delta of 100"),
    share("policy.redSizeMin", "The smallest size in a red market.", default=0.7, unit="share of the standard size"),
    share("policy.redSizeMax", "The largest size in a red market.", default=0.8, unit="share of the standard size"),
    whole("policy.chopDeltaCut", "Delta taken off in a choppy market.", 0, 100, default=10, unit="delta of 100"),
    share(
        "policy.chopSizeMin", "The smallest size in a choppy market.", default=0.5, unit="share of the standard size"
    ),
    share("policy.chopSizeMax", "The largest size in a choppy market.", default=0.6, unit="share of the standard size"),
    _atr("policy.atrMonitor", "An adverse move from here on is watched.", 0.5),
    _atr("policy.atrConsider", "An adverse move from here on asks for a decision.", 1.0),
    _atr("policy.atrAct", "An adverse move above this asks for action.", 1.5),
    share("policy.weekNear", "A week's move up to this is near the strike.", default=0.05),
    share("policy.weekFar", "A week's move up to this is far from the strike.", default=0.1),
    share("policy.weekDeep", "A week's fall above this is a deep drawdown.", default=0.15),
)
