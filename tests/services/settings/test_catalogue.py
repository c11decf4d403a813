"""The catalogue: the fixed keys with their types, the default policy, and its digest."""

import re
from decimal import Decimal

import pytest

from services.settings import catalogue
from services.settings.catalogue import CATALOGUE, KEYS, catalogue_digest, default_values, key_of
from services.settings.json_limits import Json
from services.settings.key import TIERS, Stricter, ValueType
from services.settings.resolution import defaults
from services.settings.rules import RULE_KEYS, check_effective
from services.settings.value_checks import accepts

FIXED = {
    "limits.maxPositionShare": ValueType.SHARE,
    "limits.minCashShare": ValueType.SHARE,
    "limits.maxOrderValue": ValueType.DECIMAL,
    "fork.surplusThreshold": ValueType.DECIMAL,
    "fork.minimumRemaining": ValueType.DECIMAL,
    "fork.initialBalance": ValueType.DECIMAL,
    "fork.cooldownHours": ValueType.INT,
    "fork.maxPerDay": ValueType.INT,
    "fork.automatic": ValueType.ENUM,
    "merge.branchThreshold": ValueType.DECIMAL,
    "merge.comAccount": ValueType.ID,
    "approval.order": ValueType.BOOLEAN,
    "approval.fork": ValueType.BOOLEAN,
    "approval.merge": ValueType.BOOLEAN,
}


def test_the_fixed_keys_have_their_types() -> None:
    assert {name: CATALOGUE[name].type for name in FIXED} == FIXED
    assert CATALOGUE["fork.automatic"].choices == ("OFF", "PROPOSE", "PERFORM")


def test_every_key_is_named_once_in_a_known_group_and_described() -> None:
    groups = "limits risk benchmark reporting integration approval fork merge reinvest policy".split()
    assert len(CATALOGUE) == len(KEYS)
    assert {key.name.split(".")[0] for key in KEYS} == set(groups)
    for key in KEYS:
        assert re.fullmatch(r"[a-z]+\.[a-z][A-Za-z]+", key.name)
        assert key.description.endswith(".")
        assert key.policy == (key.name.split(".")[0] not in {"benchmark", "reporting", "integration"})


@pytest.mark.parametrize("tier", [None, *TIERS])
def test_every_default_is_a_value_that_a_caller_could_set(tier: str | None) -> None:
    for name, value in default_values(tier).items():
        assert accepts(CATALOGUE[name], value), name


@pytest.mark.parametrize("tier", [None, *TIERS])
def test_the_defaults_keep_every_rule_and_limits_have_none(tier: str | None) -> None:
    assert check_effective(defaults(tier)) == []
    assert not [name for name in default_values(tier) if name.startswith("limits.")]


def test_an_account_without_a_tier_has_no_tier_policy() -> None:
    bare = default_values(None)
    absent = "fork.surplusThreshold fork.cooldownHours fork.minimumRemaining fork.maxPerDay policy.symbols "
    absent += "policy.entryDays policy.withdrawals policy.minimumInvestment risk.minimumConfidence"
    assert not set(absent.split()) & bare.keys()
    assert (bare["approval.order"], bare["approval.merge"], bare["approval.fork"]) == (False, True, False)
    assert bare["fork.automatic"] == "OFF"


@pytest.mark.parametrize(
    ("tier", "expected"),
    [
        (
            "GEN",
            {
                "policy.optionDeltaMin": 40,
                "policy.weeklyTarget": 0.015,
                "policy.maxDrawdown": 0.15,
                "policy.entryDays": ["THU"],
                "policy.symbols": ["TSLA", "NVDA", "AMD", "AAPL"],
                "policy.positionShareMax": 0.15,
                "reinvest.minimum": None,
            },
        ),
        (
            "REV",
            {
                "policy.optionDeltaMax": 40,
                "policy.entryDays": ["MON", "TUE", "WED"],
                "policy.withdrawals": True,
                "reinvest.minimum": "10000",
                "reinvest.months": ["MAR", "JUN", "SEP", "DEC"],
            },
        ),
        (
            "COM",
            {
                "policy.optionDeltaMin": 20,
                "policy.entryDays": None,
                "policy.deploymentMin": None,
                "policy.withdrawals": False,
                "reinvest.maximum": "1000000",
            },
        ),
    ],
)
def test_the_default_policy_of_each_tier(tier: str, expected: dict[str, Json]) -> None:
    found = default_values(tier)
    assert {key: found.get(key) for key in expected} == expected
    assert found["approval.order"] is True
    assert (found["fork.surplusThreshold"], found["fork.cooldownHours"], found["fork.maxPerDay"]) == ("50000", 24, 5)


def test_a_direction_of_strictness_fits_the_type() -> None:
    numbers = {ValueType.DECIMAL, ValueType.SHARE, ValueType.INT, ValueType.ENUM}
    fits = {
        Stricter.LOWER: numbers,
        Stricter.HIGHER: numbers,
        Stricter.TRUE: {ValueType.BOOLEAN},
        Stricter.FALSE: {ValueType.BOOLEAN},
        Stricter.SUBSET: {ValueType.STRING_LIST},
    }
    assert all(key.type in fits[key.stricter] for key in KEYS if key.stricter is not Stricter.NONE)
    assert CATALOGUE["limits.minCashShare"].stricter is Stricter.HIGHER
    assert CATALOGUE["limits.maxOrderValue"].stricter is Stricter.LOWER


def test_numbers_have_bounds() -> None:
    numbers = [key for key in KEYS if key.type in {ValueType.DECIMAL, ValueType.SHARE, ValueType.INT}]
    assert all(key.minimum is not None and key.maximum is not None for key in numbers)
    assert (CATALOGUE["limits.minCashShare"].minimum, CATALOGUE["limits.minCashShare"].maximum) == (0, Decimal(1))


@pytest.mark.parametrize("name", ["custom.a", "custom.desk-4.x_1", "custom.größe", "custom." + "a" * 121])
def test_keys_of_the_callers_own(name: str) -> None:
    key = key_of(name)
    assert key is not None
    assert key.type is ValueType.JSON
    assert not key.policy


@pytest.mark.parametrize(
    "name",
    ["", "custom", "custom.", "custom..a", "custom.a b", "custom.a\n", "limits", "limits.", "Limits.maxOrderValue"]
    + ["limits.maxOrderValue ", "custom." + "a" * 122, "__class__"],
)
def test_other_names_are_no_keys(name: str) -> None:
    assert key_of(name) is None


def test_rules_are_about_keys_of_the_catalogue() -> None:
    assert CATALOGUE.keys() >= RULE_KEYS


def test_the_digest_names_the_content(monkeypatch: pytest.MonkeyPatch) -> None:
    before = catalogue_digest()
    assert re.fullmatch(r"[0-9a-f]{64}", before)
    catalogue_digest.cache_clear()
    assert catalogue_digest() == before
    catalogue_digest.cache_clear()
    monkeypatch.setattr(catalogue, "KEYS", KEYS[1:])
    assert catalogue_digest() != before
    catalogue_digest.cache_clear()
