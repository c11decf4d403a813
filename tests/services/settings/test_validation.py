"""What a caller may set: each fault has its place and says what would be right; what is taken reads back equal."""

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.settings.catalogue import KEYS
from services.settings.key import Key, ValueType
from services.settings.resolution import Level, SourceKind, apply_changes, resolve
from services.settings.validation import MAX_CHANGES, check_changes, check_locks, check_own
from services.settings.values import exact

GOOD: list[tuple[str, Any]] = [
    ("limits.maxPositionShare", 0.25),
    ("limits.maxPositionShare", "0.25"),
    ("limits.maxPositionShare", 0),
    ("limits.minCashShare", 1),
    ("limits.minCashShare", 1.0),
    ("limits.maxPositionShare", 1e-05),
    ("limits.maxOrderValue", "50000"),
    ("limits.maxOrderValue", 50000),
    ("limits.maxOrderValue", "50000.1250"),
    ("limits.maxOrderValue", 0.5),
    ("fork.maxPerDay", 3),
    ("fork.maxPerDay", 3.0),
    ("fork.automatic", "PROPOSE"),
    ("approval.order", False),
    ("merge.comAccount", "acc_01JD8Z3K5V9Q2W7X4Y6B8C0D1E"),
    ("merge.comAccount", "names nothing"),
    ("policy.symbols", ["AAPL", "BRK.B"]),
    ("policy.symbols", []),
    ("policy.entryDays", ["MON", "FRI"]),
    ("reporting.currency", "EUR"),
    ("reporting.inceptionDate", "2024-02-29"),
    ("integration.externalReference", "Désk 4"),
    ("benchmark.riskFreeRate", -0.005),
    ("custom.any", {"a": [None, {"b": 1.5}], "": "x"}),
    ("custom.flag", False),
]
BAD: list[tuple[str, Any, str]] = [
    ("limits.maxPositionShare", 1.5, "from 0 to 1"),
    ("limits.maxPositionShare", -0.01, "from 0 to 1"),
    ("limits.maxPositionShare", True, "a number"),
    ("limits.maxPositionShare", "25%", "a number"),
    ("limits.maxPositionShare", float("nan"), "a number"),
    ("limits.maxPositionShare", [0.5], "a number"),
    ("limits.maxOrderValue", "-1", "from 0"),
    ("limits.maxOrderValue", "1e5", "a decimal"),
    ("limits.maxOrderValue", "1.00001", "4 decimals"),
    ("limits.maxOrderValue", "\u0665", "a decimal"),
    ("limits.maxOrderValue", 10**400, "a decimal"),
    ("limits.maxOrderValue", "10000000000000.0001", "to 10000000000000"),
    ("limits.maxOrderValue", float("inf"), "a decimal"),
    ("limits.maxOrderValue", {}, "a decimal"),
    ("fork.maxPerDay", "3", "a whole number"),
    ("fork.maxPerDay", 2.5, "a whole number"),
    ("fork.maxPerDay", -1, "from 0 to 1000"),
    ("fork.maxPerDay", True, "a whole number"),
    ("fork.automatic", "propose", "OFF, PROPOSE, PERFORM"),
    ("fork.automatic", 1, "OFF, PROPOSE, PERFORM"),
    ("approval.order", "true", "true or false"),
    ("approval.order", 1, "true or false"),
    ("merge.comAccount", "", "id of a node"),
    ("merge.comAccount", "a\x00", "id of a node"),
    ("policy.symbols", ["aapl"], "instrument symbols"),
    ("policy.symbols", ["AAPL", "AAPL"], "none twice"),
    ("policy.symbols", "AAPL", "a list"),
    ("policy.symbols", ["AAPL", 1], "a list"),
    ("policy.symbols", [f"S{index}" for index in range(501)], "at most 500"),
    ("policy.entryDays", ["SUNDAY"], "MON, TUE"),
    ("reporting.currency", "XXX", "ISO 4217"),
    ("reporting.inceptionDate", "2023-02-29", "a date"),
    ("reporting.inceptionDate", "20240101", "a date"),
    ("integration.externalReference", "a\nb", "control"),
    ("integration.externalReference", "x" * 201, "200 characters"),
    ("custom.deep", [[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]], "deeper than 16"),
    ("custom.large", "x" * 4096, "4096 bytes"),
    ("custom.nan", float("nan"), "finite"),
    ("nonsense.key", 1, "there is no setting nonsense.key"),
    ("nonsense.key", None, "there is no setting nonsense.key"),
    ("limits", {"maxOrderValue": 1}, "there is no setting limits"),
    ("custom.", 1, "there is no setting custom."),
]


@pytest.mark.parametrize(("key", "value"), GOOD)
def test_good_values_read_back_as_they_were_set(key: str, value: Any) -> None:
    clean, problems = check_changes({key: value})
    assert problems == []
    assert clean == {key: value}
    assert type(clean[key]) is type(value) or key == "fork.maxPerDay"


@pytest.mark.parametrize(("key", "value", "words"), BAD)
def test_bad_values_are_told_with_their_place(key: str, value: Any, words: str) -> None:
    clean, problems = check_changes({key: value})
    assert clean == {}
    assert problems[0].path[:2] == ("settings", key)
    assert words in problems[0].message


def test_all_faults_are_told_at_once_and_good_ones_kept() -> None:
    asked: dict[str, Any] = {key: value for key, value, _ in BAD if key.startswith(("fork", "appr"))} | {"custom.x": 1}
    clean, problems = check_changes({**asked, "custom.gone": None}, ("input", "settings"))
    assert clean == {"custom.x": 1, "custom.gone": None}
    assert sorted(problem.path for problem in problems) == [
        ("input", "settings", "approval.order"),
        ("input", "settings", "fork.automatic"),
        ("input", "settings", "fork.maxPerDay"),
    ]


@pytest.mark.parametrize("settings", [None, [], "x", 1, True, [{"key": "custom.a"}]])
def test_settings_are_an_object(settings: Any) -> None:
    clean, problems = check_changes(settings)
    assert clean == {}
    assert [problem.path for problem in problems] == [("settings",)]


def test_the_number_and_length_of_keys_are_bounded() -> None:
    many: dict[str, Any] = {f"custom.k{index}": 1 for index in range(MAX_CHANGES + 1)}
    assert [problem.path for problem in check_changes(many)[1]] == [("settings",)]
    assert check_changes(dict(list(many.items())[:-1]))[1] == []
    for name in ("custom." + "a" * 200, "custom.\ud800", "a\x00"):
        clean, problems = check_changes({name: 1})
        assert clean == {}
        assert [problem.path for problem in problems] == [("settings",)]
        assert problems[0].message.isprintable()


def test_what_a_node_sets_in_all_is_bounded() -> None:
    few = apply_changes({}, {f"custom.k{index}": "x" * 100 for index in range(500)}, "at")
    assert len(check_own(few)) == 1
    assert check_own(apply_changes({}, {f"custom.k{index}": 1 for index in range(500)}, "at")) == []
    assert len(check_own(apply_changes({}, {f"custom.k{index}": 1 for index in range(501)}, "at"))) == 1


def test_locks_are_known_keys() -> None:
    assert check_locks(["limits.maxOrderValue", "custom.a"]) == ({"limits.maxOrderValue", "custom.a"}, [])
    asked: list[Any] = ["limits.maxOrderValue", "limits.maxOrderValue", "nothing", 3, "policy.symbols"]
    locked, problems = check_locks(asked)
    assert locked == {"limits.maxOrderValue", "policy.symbols"}
    assert [problem.path for problem in problems] == [("locks", "1"), ("locks", "2"), ("locks", "3")]
    assert [problem.path for problem in check_locks({"a": 1})[1]] == [("locks",)]
    many: list[Any] = [f"custom.k{index}" for index in range(201)]
    assert [problem.path for problem in check_locks(many)[1]] == [("locks",)]


numbers = st.integers() | st.floats() | st.decimals(allow_nan=False, allow_infinity=False, places=3).map(str)
leaves = st.none() | st.booleans() | numbers | st.text(max_size=8) | st.sampled_from(["AAPL", "THU", "EUR", "OFF"])
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2))


@settings(deadline=None)
@given(st.sampled_from(KEYS), values)
def test_what_is_taken_is_in_bounds_and_reads_back_equal(key: Key, value: Any) -> None:
    clean, problems = check_changes({key.name: value})
    if problems:
        assert clean == {}
        assert problems[0].path == ("settings", key.name)
        return
    own = orjson.loads(orjson.dumps(apply_changes({}, clean, "at")))
    found = resolve([Level("n", SourceKind.ACCOUNT, own)], None)
    if value is None:
        assert own == {}
    else:
        assert found[key.name].value == value
        assert found[key.name].source_id == "n"
    if value is not None and key.minimum is not None and key.maximum is not None:
        number = exact(value)
        assert number is not None
        assert key.minimum <= number <= key.maximum


def drawn(key: Key) -> st.SearchStrategy[Any]:
    """Values that a key of this type must take."""
    low, high = key.minimum or 0, key.maximum or 0
    by_type: dict[ValueType, st.SearchStrategy[Any]] = {
        ValueType.DECIMAL: st.decimals(low, high, places=key.decimals).map(lambda found: f"{found:f}"),
        ValueType.SHARE: st.floats(float(low), float(high)).map(lambda found: round(found, 9)),
        ValueType.INT: st.integers(int(low), int(high)),
        ValueType.BOOLEAN: st.booleans(),
        ValueType.ENUM: st.sampled_from(key.choices or ("",)),
        ValueType.STRING: st.text("abc é-", min_size=1, max_size=key.length),
        ValueType.ID: st.text("abc_", min_size=1, max_size=64),
        ValueType.STRING_LIST: st.lists(st.sampled_from(key.choices or ("AAPL", "BF.B", "X")), unique=True),
        ValueType.DATE: st.dates().map(str),
        ValueType.CURRENCY: st.sampled_from(["USD", "JPY", "KWD"]),
    }
    return by_type[key.type]


@settings(deadline=None)
@given(st.sampled_from(KEYS).flatmap(lambda key: st.tuples(st.just(key), drawn(key))))
def test_every_value_of_the_type_within_bounds_is_taken(case: tuple[Key, Any]) -> None:
    key, value = case
    assert check_changes({key.name: value}) == ({key.name: value}, [])
