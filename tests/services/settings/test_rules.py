"""What must hold between settings in force: both keys are named, and defaults yield to a caller's own limit."""

from typing import Any

import pytest

from services.settings.key import TIERS
from services.settings.resolution import Level, SourceKind, apply_changes, resolve
from services.settings.rules import RULES, check_effective


def problems_of(tier: str | None, touched: tuple[str, ...] = (), **own: Any) -> list[tuple[tuple[str, ...], str]]:
    """What is wrong where a node sets these (with `__` for the dot)."""
    changes = {key.replace("__", "."): value for key, value in own.items()}
    level = Level("n", SourceKind.ACCOUNT, apply_changes({}, changes, "at"))
    found = check_effective(resolve([level], tier), ("settings",), touched)
    return [(problem.path, problem.message) for problem in found]


@pytest.mark.parametrize(
    ("tier", "own", "keys"),
    [
        ("GEN", {"policy__optionDeltaMin": 51}, ("policy.optionDeltaMin", "policy.optionDeltaMax")),
        ("REV", {"policy__deploymentMax": 0.5}, ("policy.deploymentMin", "policy.deploymentMax")),
        ("REV", {"policy__cashBuffer": "0.06"}, ("policy.cashBuffer", "policy.deploymentMax")),
        ("GEN", {"policy__positionShareMin": 0.2}, ("policy.positionShareMin", "policy.positionShareMax")),
        ("REV", {"reinvest__maximum": "9999.99"}, ("reinvest.minimum", "reinvest.maximum")),
        (None, {"reinvest__minimum": 2, "reinvest__maximum": "1.5"}, ("reinvest.minimum", "reinvest.maximum")),
        (None, {"reinvest__contractsShare": 0.7}, ("reinvest.contractsShare", "reinvest.leapsShare")),
        (None, {"fork__genShare": "1"}, ("fork.genShare", "fork.comShare")),
        ("COM", {"reinvest__months": []}, ("reinvest.triggers", "reinvest.months")),
        (None, {"benchmark__maxTrackingError": 0.1}, ("benchmark.maxTrackingError", "benchmark.symbol")),
        ("GEN", {"policy__atrAct": 0.9}, ("policy.atrConsider", "policy.atrAct")),
        ("GEN", {"risk__maxPositionRisk": 0.2}, ("risk.maxPositionRisk", "risk.maxPortfolioRisk")),
        (
            "GEN",
            {"limits__minCashShare": 0.2, "policy__deploymentMin": 0.85},
            ("limits.minCashShare", "policy.deploymentMin"),
        ),
        (
            None,
            {"limits__maxPositionShare": 0.05, "policy__positionShareMin": "0.06"},
            ("policy.positionShareMin", "limits.maxPositionShare"),
        ),
    ],
)
def test_a_broken_rule_names_both_keys(tier: str | None, own: dict[str, Any], keys: tuple[str, str]) -> None:
    ((path, message),) = problems_of(tier, **own)
    assert path == ("settings", keys[0])
    assert all(key in message for key in keys)
    touched = next(key.replace("__", ".") for key in own)
    assert problems_of(tier, (touched,), **own)[0][0] == ("settings", touched)


@pytest.mark.parametrize("tier", [None, *TIERS])
@pytest.mark.parametrize(
    "own",
    [
        {"limits__minCashShare": 0.9, "limits__maxPositionShare": 0.01, "limits__maxOrderValue": "1"},
        {"fork__initialBalance": "1000", "fork__minimumRemaining": "0", "fork__surplusThreshold": "1"},
        {"fork__automatic": "PERFORM", "merge__branchThreshold": "1000"},
        {"fork__genShare": 0.1, "fork__comShare": "0.9"},
        {"benchmark__maxTrackingError": 0.1, "benchmark__symbol": "MTUM"},
        {"reinvest__triggers": []},
        {"approval__order": False, "approval__merge": False},
    ],
)
def test_a_callers_own_limits_stand_with_every_tiers_defaults(tier: str | None, own: dict[str, Any]) -> None:
    assert problems_of(tier, **own) == []


def test_shares_are_added_exactly() -> None:
    assert problems_of(None, reinvest__contractsShare=0.1, reinvest__leapsShare=0.9) == []
    assert problems_of(None, reinvest__contractsShare=0.7, reinvest__leapsShare=0.3) == []
    assert len(problems_of(None, reinvest__contractsShare=0.7, reinvest__leapsShare="0.30000000000000004")) == 1


def test_all_broken_rules_are_told_at_once() -> None:
    assert len(problems_of("GEN", policy__optionDeltaMin=90, policy__deploymentMin=1, fork__comShare=1)) == 3


def test_every_rule_speaks_of_its_keys() -> None:
    assert all(key in rule.words for rule in RULES for key in rule.keys)
