"""What is in force: equal to a plain reading of the order of precedence, one key at a time."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.settings.catalogue import CATALOGUE
from services.settings.key import TIERS
from services.settings.resolution import Effective, Level, SourceKind, Stored, apply_changes, resolve

AT = "2026-01-02T03:04:05.000006Z"
KEYS: tuple[str, ...] = (
    "limits.maxOrderValue",
    "approval.order",
    "fork.maxPerDay",
    "policy.symbols",
    "custom.a",
    "custom.b",
)

changes: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.sampled_from(KEYS), st.none() | st.integers(0, 9) | st.text(max_size=3)
)
stored = changes.map(lambda given: apply_changes({}, given, AT))
paths = st.lists(
    st.tuples(st.sampled_from([SourceKind.ACCOUNT, SourceKind.TEMPLATE, SourceKind.GROUP]), stored), max_size=6
)
tiers = st.sampled_from([None, *TIERS])


def levels_of(path: list[tuple[SourceKind, dict[str, Stored]]]) -> list[Level]:
    return [Level(f"n{index}", kind, values) for index, (kind, values) in enumerate(path)]


def naive(levels: list[Level], tier: str | None, key: str) -> Effective | None:
    for level in levels:
        if key in level.values:
            return Effective(level.values[key]["value"], level.node_id, level.kind)
    catalogued = CATALOGUE.get(key)
    if catalogued is None:
        return None
    if tier is not None and tier in catalogued.tiers:
        return Effective(catalogued.tiers[tier], None, SourceKind.TIER)
    return None if catalogued.default is None else Effective(catalogued.default, None, SourceKind.CATALOGUE)


@settings(deadline=None)
@given(paths, tiers)
def test_resolution_equals_the_order_of_precedence(path: Any, tier: str | None) -> None:
    levels = levels_of(path)
    found = resolve(levels, tier)
    for key in {*CATALOGUE, *KEYS}:
        assert found.get(key) == naive(levels, tier, key)


@settings(deadline=None)
@given(paths, tiers)
def test_the_list_is_sorted_and_holds_nothing_that_is_set_nowhere(path: Any, tier: str | None) -> None:
    levels = levels_of(path)
    found = resolve(levels, tier)
    assert list(found) == sorted(found)
    assert all(naive(levels, tier, key) for key in found)
    assert all((one.source_id is None) == one.is_default for one in found.values())


def test_own_over_template_over_ancestors_over_tier_over_catalogue() -> None:
    def at(value: str) -> dict[str, Stored]:
        return apply_changes({}, {"fork.surplusThreshold": value}, AT)

    levels = [
        Level("acc", SourceKind.ACCOUNT, at("1")),
        Level("tpl", SourceKind.TEMPLATE, at("2")),
        Level("near", SourceKind.GROUP, at("3")),
        Level("root", SourceKind.GROUP, at("4")),
    ]
    seen = [resolve(levels[start:], "GEN")["fork.surplusThreshold"] for start in range(5)]
    assert [one.value for one in seen] == ["1", "2", "3", "4", "50000"]
    assert [one.source_id for one in seen] == ["acc", "tpl", "near", "root", None]
    assert "fork.surplusThreshold" not in resolve([], None)


def test_resolving_does_not_change_the_defaults() -> None:
    before = resolve([], "REV")
    resolve([Level("a", SourceKind.ACCOUNT, apply_changes({}, {"approval.order": False}, AT))], "REV")
    assert resolve([], "REV") == before


@settings(deadline=None)
@given(stored, changes)
def test_changes_set_and_remove_and_leave_the_rest(own: dict[str, Stored], asked: Any) -> None:
    before = dict(own)
    after = apply_changes(own, asked, "later")
    assert own == before
    assert list(after) == sorted(after)
    for key in {*own, *asked}:
        if key not in asked:
            assert after[key] == own[key]
        elif asked[key] is None:
            assert key not in after
        else:
            assert after[key] == {"value": asked[key], "at": "later"}
