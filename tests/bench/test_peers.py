"""The peers: their answers and the product's are one set of facts, and one that cannot be installed says why."""

from pathlib import Path
from typing import Any

import pytest

from bench.peers.asking import facts, facts_of
from bench.peers.node import install
from bench.wire import BenchFailed

pytestmark = pytest.mark.anyio


def account(cash: Any) -> dict[str, Any]:
    """An account as some server answers it."""
    return {"id": "acc_1", "kind": "COMPOSITE", "version": 3, "cash": cash}


def test_the_same_facts_are_equal_however_a_server_says_them() -> None:
    row = {"id": "grp_1", "groups": [{"id": "grp_2", "accounts": [account(123456)]}]}
    told = account({"amount": "1234.56", "currency": "USD"}) | {"tier": None}
    product = {"id": "grp_1", "groups": {"nodes": [{"id": "grp_2", "accounts": {"nodes": [told]}}]}}
    peer = {"id": "grp_1", "groups": [{"id": "grp_2", "accounts": [account("123456")]}]}
    assert facts(product) == facts(row) == facts_of({"groups": [peer]}) == facts_of({"group": peer})


@pytest.mark.parametrize("other", [{"cash": "123457"}, {"version": 4}, {"tier": "GOLD"}, {"kind": "INDIVIDUAL"}])
def test_another_fact_is_no_equal_answer(other: dict[str, Any]) -> None:
    assert facts(account("123456") | other) != facts(account(123456))


def test_the_order_counts_and_nothing_found_is_no_node() -> None:
    first, second = {"id": "a"}, {"id": "b"}
    assert facts({"accounts": [first, second]}) != facts({"accounts": [second, first]})
    assert facts_of({"accounts": []}) is None
    assert facts_of({"account": None}) is None


async def test_without_npm_what_is_not_installed_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "package-lock.json").write_text("{}")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BenchFailed, match="there is no npm here"):
        await install(tmp_path)
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / ".package-lock.json").write_text("{}")
    await install(tmp_path)
