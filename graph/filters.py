"""Tests of accounts, entries and operations as Cypher: composed from names held here, every value bound.

Each test is true or false and never null, so that `not` keeps what has no value.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from graph.listing import Condition, Prelude
from graph.money import currencies_with

# An amount of any currency as whole units and a part of 1e-4: together they compare exactly, and neither overflows.
PART_DECIMALS = 4
PART = 10**PART_DECIMALS


def _unit(node: str) -> str:
    cases = "".join(
        f"WHEN {node}.currency IN {list(currencies_with(decimals))} THEN {10**decimals} " for decimals in (0, 3, 4)
    )
    return f"CASE {cases}ELSE 100 END"


CASH = Prelude(
    "CALL (n) { OPTIONAL MATCH (n)-[:AGGREGATES]->(c:Account) "
    f"WITH n.cash AS cash, {_unit('n')} AS unit, c "
    "WITH cash, unit, sum(c.cash / unit) AS high, sum(c.cash % unit) AS low "
    f"RETURN cash / unit + high + (cash % unit + low) / unit AS whole, "
    f"((cash % unit + low) % unit) * ({PART} / unit) AS part }}",
    "whole, part",
)
"""The cash of an account, a COMPOSITE one's summed over its components, as `whole` and `part`."""

AMOUNT = Prelude(
    f"WITH n, {_unit('n')} AS unit WITH n, n.amount / unit AS whole, (n.amount % unit) * ({PART} / unit) AS part",
    "whole, part",
)
"""The amount of an entry as `whole` and `part`."""


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount to compare with: whole units, and the rest in 1e-4; both have the amount's sign."""

    whole: int
    part: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountTest:
    """What an account must fulfil: every part that is not None, all of `all_of`, one of `any_of`, not `none_of`.

    `within` is the id of the group whose subtree the account must be in, or of the account that it must be.
    """

    kinds: tuple[str, ...] | None = None
    tiers: tuple[str, ...] | None = None
    statuses: tuple[str, ...] | None = None
    simulated: bool | None = None
    name_contains: str | None = None
    symbol: str | None = None
    min_cash: Amount | None = None
    max_cash: Amount | None = None
    within: str | None = None
    nothing: bool = False
    all_of: "tuple[AccountTest, ...]" = ()
    any_of: "tuple[AccountTest, ...] | None" = None
    none_of: "AccountTest | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryTest:
    """What an entry must fulfil: every part that is not None. Dates are value dates as ISO text, both inclusive."""

    kinds: tuple[str, ...] | None = None
    states: tuple[str, ...] | None = None
    symbol: str | None = None
    first_day: str | None = None
    last_day: str | None = None
    min_amount: Amount | None = None
    max_amount: Amount | None = None


class Binder:
    """Gives each value a parameter's name, in order, so that equal tests have equal text."""

    def __init__(self, prefix: str = "w") -> None:
        self._prefix = prefix
        self._values: list[tuple[str, Any]] = []

    def __call__(self, value: Any) -> str:
        """The parameter that stands for the value."""
        name = f"{self._prefix}{len(self._values)}"
        self._values.append((name, value))
        return f"${name}"

    @property
    def values(self) -> tuple[tuple[str, Any], ...]:
        """The names and values so far."""
        return tuple(self._values)


def accounts(test: AccountTest) -> Condition:
    """The condition of accounts that fulfil the test."""
    bind = Binder()
    text = " AND ".join(_account(test, bind))
    return Condition(text, bind.values, CASH if _asks_cash(test) else None)


def entries(test: EntryTest) -> Condition:
    """The condition of entries that fulfil the test."""
    bind = Binder()
    tests = [*_one_of("n.kind", test.kinds, bind), *_one_of("n.state", test.states, bind)]
    if test.symbol is not None:
        tests.append(f"coalesce(n.symbol, '') = {bind(test.symbol)}")
    if test.first_day is not None:
        tests.append(f"n.valueDate >= {bind(test.first_day)}")
    if test.last_day is not None:
        tests.append(f"n.valueDate <= {bind(test.last_day)}")
    amounts = _between(test.min_amount, test.max_amount, bind)
    return Condition(" AND ".join([*tests, *amounts]), bind.values, AMOUNT if amounts else None)


def _account(test: AccountTest, bind: Binder) -> list[str]:
    tests = [
        *_one_of("n.kind", test.kinds, bind),
        *_one_of("n.tier", test.tiers, bind),
        *_one_of("n.status", test.statuses, bind),
        *_text(test, bind),
        *_between(test.min_cash, test.max_cash, bind),
    ]
    if test.within is not None:
        tests.append(f"EXISTS {{ MATCH (n)<-[:CONTAINS*0..]-(s) WHERE s.id = {bind(test.within)} }}")
    if test.nothing:
        tests.append("false")
    if test.simulated is not None:
        tests.append(f"n.simulated = {bind(test.simulated)}")
    for part in test.all_of:
        tests += _account(part, bind)
    if test.any_of is not None:
        tests.append(f"({' OR '.join(_joined(part, bind) for part in test.any_of) or 'false'})")
    if test.none_of is not None:
        tests.append(f"NOT {_joined(test.none_of, bind)}")
    return tests


def _joined(test: AccountTest, bind: Binder) -> str:
    return f"({' AND '.join(_account(test, bind)) or 'true'})"


def _one_of(field: str, values: tuple[str, ...] | None, bind: Binder) -> list[str]:
    return [] if values is None else [f"coalesce({field} IN {bind(values)}, false)"]


def _text(test: AccountTest, bind: Binder) -> list[str]:
    tests: list[str] = []
    if test.name_contains is not None:
        tests.append(f"{_folded('n.name')} CONTAINS {_folded(bind(test.name_contains))}")
    if test.symbol is not None:
        tests.append(
            f"EXISTS {{ MATCH (n)-[:AGGREGATES*0..1]->()-[:HOLDS]->(p:Position) WHERE p.symbol = {bind(test.symbol)} }}"
        )
    return tests


def _folded(text: str) -> str:
    """Without case; a sigma is the same at a word's end, where lower case writes it otherwise."""
    return f"replace(toLower({text}), '\u03c2', '\u03c3')"


def _between(low: Amount | None, high: Amount | None, bind: Binder) -> list[str]:
    tests: list[str] = []
    for amount, sign in ((low, ">"), (high, "<")):
        if amount is not None:
            whole, part = bind(amount.whole), bind(amount.part)
            tests.append(f"(whole {sign} {whole} OR (whole = {whole} AND part {sign}= {part}))")
    return tests


def _asks_cash(test: AccountTest) -> bool:
    parts: Sequence[AccountTest] = [*test.all_of, *(test.any_of or ()), *([test.none_of] if test.none_of else [])]
    return test.min_cash is not None or test.max_cash is not None or any(_asks_cash(part) for part in parts)
