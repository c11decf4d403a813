"""Sums and their two versions, and what a record tells of them."""

import orjson
import pytest

from graph.effects import Branched, Carried, Changed, Opened, effects
from graph.ids import Kind, new_id
from graph.totals import (
    NOTHING,
    PARTS,
    Cursor,
    Kept,
    add,
    cash_key,
    held_key,
    is_cash,
    is_whole,
    part_key,
    whole_key,
)

ACCOUNT, GROUP = new_id(Kind.ACCOUNT), new_id(Kind.GROUP)


def told(kind: str, nodes: list[str], before: object, after: object) -> list[object]:
    """What a record with this payload did."""
    payload = orjson.dumps({"before": before, "after": after}).decode()
    return [*effects({"kind": kind, "nodes": nodes, "payload": payload})]


def test_a_sum_is_told_after_its_last_two_turns_and_no_earlier() -> None:
    kept = NOTHING.plus({"cash": 5, "accounts": 1}, 3).plus({"cash": -5}, 7)
    assert Kept.read(kept.text) == kept
    assert [kept.after(turn) for turn in (9, 7)] == [{"accounts": 1}] * 2
    assert [kept.after(turn) for turn in (6, 3)] == [{"accounts": 1, "cash": 5}] * 2
    assert kept.after(2) is None
    assert NOTHING.plus({"cash": 1}, 3).after(2) == {}


def test_a_sum_changes_once_in_a_turn() -> None:
    with pytest.raises(AssertionError):
        NOTHING.plus({"cash": 1}, 3).plus({"cash": 1}, 3)


def test_sums_beyond_64_bits_are_kept() -> None:
    kept = NOTHING.plus({"cash": 2**70}, 1)
    assert Kept.read(kept.text).now == {"cash": 2**70}


def test_what_is_added_can_be_taken_away() -> None:
    sums = {"c:USD": {"cash": 1}}
    add(sums, {"c:USD": {"cash": 2}, "h:USD:AAPL": {"5": 1}})
    add(sums, {"c:USD": {"cash": 3}}, -1)
    assert sums == {"c:USD": {"cash": 0}, "h:USD:AAPL": {"5": 1}}


def test_each_quantity_of_a_parted_sum_is_in_one_part_of_it() -> None:
    key = held_key("USD", "BRK:B")
    parts = {part_key(key, str(quantity)) for quantity in range(2_000)}
    assert len(parts) == PARTS
    assert {whole_key(part) for part in parts} == {key} == {whole_key(key)}
    assert not any(is_whole(part) or is_cash(part) for part in parts)
    assert whole_key(cash_key("USD")) == cash_key("USD")


def test_cursors_are_in_the_order_of_their_turns() -> None:
    assert min(Cursor(2, 90, 80), Cursor(1, 99, 99)) == Cursor(1, 99, 99)


def test_records_of_the_tree_tell_where_what_stands() -> None:
    assert told("GROUP_CREATED", [GROUP], None, {"parent": None}) == [Branched(GROUP, None, new=True)]
    assert told("MOVED", [GROUP, "a", "b"], {"parent": "a"}, {"parent": "b"}) == [Branched(GROUP, "b", new=False)]
    after = {"parent": "b", "cash": 5, "positions": [["AAPL", 7]]}
    assert told("MOVED", [ACCOUNT, "a", "b"], {"parent": "a"}, after) == [Carried(ACCOUNT, "b", 5, [("AAPL", 7)])]
    silent = Carried(ACCOUNT, "b", None, [])
    assert told("MOVED", [ACCOUNT, "a", "b"], {"parent": "a"}, {"parent": "b"}) == [silent]


@pytest.mark.parametrize(
    ("other", "counted"),
    [({}, True), ({"kind": "COMPOSITE"}, False), ({"simulated": True}, False), ({"status": "CLOSED"}, False)],
)
def test_what_is_a_sum_itself_or_paper_or_closed_does_not_count(other: dict[str, object], counted: bool) -> None:
    row = {"parent": GROUP, "kind": "STRATEGY", "simulated": False, "status": "ACTIVE", "currency": "EUR", "cash": 0}
    assert told("ACCOUNT_CREATED", [ACCOUNT], None, row | other) == [Opened(ACCOUNT, GROUP, "EUR", counted, 0)]


def test_records_of_money_tell_what_came_and_went() -> None:
    before = {ACCOUNT: {"cash": 5, "held": 0}, "pos_1": None, "pos_2": {"symbol": "B", "quantity": 3}}
    after = {
        "accounts": {ACCOUNT: {"cash": 3, "held": 0}},
        "positions": {"pos_1": {"symbol": "A", "quantity": 2}, "pos_2": {"symbol": "B", "quantity": 0}},
    }
    bought, sold = Changed(ACCOUNT, come=(("A", 2),)), Changed(ACCOUNT, gone=(("B", 3),))
    assert told("POSTED", [ACCOUNT], before, after) == [Changed(ACCOUNT, cash=-2), bought, sold]


def test_what_is_held_back_changes_no_total() -> None:
    before = {ACCOUNT: {"cash": 5, "held": 0}, "pos_1": {"held": 0}}
    after = {"accounts": {ACCOUNT: {"cash": 5, "held": 5}}, "positions": {"pos_1": {"held": 1}}}
    assert told("ORDER_PLACED", [ACCOUNT], before, after) == []


def test_only_closing_an_account_and_opening_it_again_change_its_count() -> None:
    def changed(before: str, after: str) -> list[object]:
        return told("STATUS_CHANGED", [ACCOUNT], {"status": before}, {"status": after})

    assert changed("ACTIVE", "CLOSED") == [Changed(ACCOUNT, opened=-1)]
    assert changed("CLOSED", "ACTIVE") == [Changed(ACCOUNT, opened=1)]
    assert changed("ACTIVE", "SUSPENDED") == []
    assert told("CONFIGURED", [ACCOUNT], {}, {"accounts": {}}) == []
