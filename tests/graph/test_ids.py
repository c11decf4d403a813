"""Ids and the kinds that they name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ulid import ULID

from graph.ids import Kind, following, kind_of, new_id


@pytest.mark.parametrize("kind", Kind)
def test_an_id_names_its_kind(kind: Kind) -> None:
    made = new_id(kind)
    assert kind_of(made) is kind
    assert len(made) == len(kind.value) + 27


def test_ids_differ_and_sort_by_the_instant_of_their_making() -> None:
    made = [new_id(Kind.GROUP) for _ in range(1_000)]
    assert len(set(made)) == 1_000
    instants = [each[4:14] for each in made]
    assert instants == sorted(instants)


@pytest.mark.parametrize(
    "text",
    ["", "_", "grp", "grp_", "grp_1", "xxx_01JD8Z3K5V9Q2W7X4Y6B8C0D1E", "grp_01JD8Z3K5V9Q2W7X4Y6B8C0D1E0"]
    + ["grp_01JD8Z3K5V9Q2W7X4Y6B8C0D1'", "grp_\u0660" + "1" * 25, "GRP_01JD8Z3K5V9Q2W7X4Y6B8C0D1E"],
)
def test_what_has_no_id_s_form_names_no_kind(text: str) -> None:
    assert kind_of(text) is None


@given(st.text())
def test_any_text_is_judged_without_a_fault(text: str) -> None:
    kind = kind_of(text)
    assert kind is None or text.startswith(f"{kind.value}_")


@given(st.integers(min_value=0, max_value=2_000_000))
def test_what_follows_an_id_is_told_by_its_number_alone(number: int) -> None:
    first = new_id(Kind.IMPORT)
    ulid = first.partition("_")[2]
    assert following(first, number) == str(ULID.from_int(int(ULID.from_str(ulid)) + number))
    assert following(first, number) >= ulid
