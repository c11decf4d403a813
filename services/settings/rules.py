"""What must hold between the settings in force: pairs in order, parts that make a whole, keys that need another."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from services.problems import Problem, invalid
from services.settings.json_limits import Json, Path
from services.settings.resolution import Effective
from services.settings.values import exact


@dataclass(frozen=True, slots=True)
class Rule:
    """A statement over the values of its keys; `holds` gets them in the order of `keys`, None where one is not set.

    With `between_limits` it binds only values that somebody set: a limit of the caller's own needs no agreement with
    a tier's default, which yields to it.
    """

    keys: tuple[str, ...]
    words: str
    holds: Callable[[tuple[Json, ...]], bool]
    between_limits: bool = False


def _numbers(values: tuple[Json, ...]) -> list[Decimal] | None:
    found = [exact(value) for value in values]
    present = [value for value in found if value is not None]
    return present if len(present) == len(found) else None


def _in_order(*keys: str, between_limits: bool = False) -> Rule:
    def holds(values: tuple[Json, ...]) -> bool:
        numbers = _numbers(values)
        return numbers is None or numbers == sorted(numbers)

    return Rule(keys, f"{keys[0]} must not be above {keys[1]}", holds, between_limits)


def _make_one(*keys: str) -> Rule:
    def holds(values: tuple[Json, ...]) -> bool:
        numbers = _numbers(values)
        return numbers is None or sum(numbers) == 1

    return Rule(keys, f"{' and '.join(keys)} must add up to 1", holds)


def _at_most_one(*keys: str, between_limits: bool = False) -> Rule:
    def holds(values: tuple[Json, ...]) -> bool:
        numbers = _numbers(values)
        return numbers is None or sum(numbers) <= 1

    return Rule(keys, f"{' and '.join(keys)} must not add up to more than 1", holds, between_limits)


def _needs(key: str, other: str) -> Rule:
    return Rule(
        (key, other), f"{key} needs {other} to be set", lambda values: values[0] is None or values[1] is not None
    )


def _trigger_needs(trigger: str, other: str) -> Rule:
    key = "reinvest.triggers"

    def holds(values: tuple[Json, ...]) -> bool:
        triggers, needed = values
        return not isinstance(triggers, list) or trigger not in triggers or needed not in (None, [])

    return Rule((key, other), f"{key} with {trigger} needs {other}, not empty", holds)


RULES: tuple[Rule, ...] = (
    _in_order("policy.optionDeltaMin", "policy.optionDeltaMax"),
    _in_order("policy.deploymentMin", "policy.deploymentMax"),
    _in_order("policy.positionShareMin", "policy.positionShareMax"),
    _in_order("policy.redSizeMin", "policy.redSizeMax"),
    _in_order("policy.chopSizeMin", "policy.chopSizeMax"),
    _in_order("policy.atrMonitor", "policy.atrConsider"),
    _in_order("policy.atrConsider", "policy.atrAct"),
    _in_order("policy.weekNear", "policy.weekFar"),
    _in_order("policy.weekFar", "policy.weekDeep"),
    _in_order("risk.maxPositionRisk", "risk.maxPortfolioRisk"),
    _in_order("reinvest.minimum", "reinvest.maximum"),
    _in_order("policy.positionShareMin", "limits.maxPositionShare", between_limits=True),
    _at_most_one("policy.cashBuffer", "policy.deploymentMax"),
    _at_most_one("limits.minCashShare", "policy.deploymentMin", between_limits=True),
    _make_one("fork.genShare", "fork.comShare"),
    _make_one("reinvest.contractsShare", "reinvest.leapsShare"),
    _trigger_needs("SCHEDULE", "reinvest.months"),
    _trigger_needs("PROFIT", "reinvest.profitShare"),
    _needs("benchmark.maxTrackingError", "benchmark.symbol"),
)
RULE_KEYS: frozenset[str] = frozenset(key for rule in RULES for key in rule.keys)


def check_effective(
    effective: Mapping[str, Effective], path: Path = ("settings",), touched: Collection[str] = ()
) -> list[Problem]:
    """Every rule that the settings in force break; each problem names both keys.

    Its path ends with the key that the request touched (`touched`), or the rule's first.
    """
    return [
        invalid(rule.words, *path, next((key for key in rule.keys if key in touched), rule.keys[0]))
        for rule in _broken(effective)
    ]


def _broken(effective: Mapping[str, Effective]) -> Iterator[Rule]:
    for rule in RULES:
        found = [effective.get(key) for key in rule.keys]
        if rule.between_limits and any(one is None or one.is_default for one in found):
            continue
        if not rule.holds(tuple(None if one is None else one.value for one in found)):
            yield rule
