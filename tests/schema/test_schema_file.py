"""schema.graphql is the schema of this program, and keeps the rules of its changes."""

from pathlib import Path

from accountgraph.sdl import breaking_changes, current_sdl, poor_deprecations

FILE = Path(__file__).parents[2] / "schema.graphql"


def test_the_file_is_not_stale() -> None:
    stale = "schema.graphql is stale: write it anew with `make schema`, and commit it"
    assert FILE.read_text("utf-8") == current_sdl(), stale


def test_it_keeps_every_promise_of_the_contract() -> None:
    """What clients of the contract may ask is no breaking change away."""
    changes = breaking_changes((Path(__file__).parent / "core.graphql").read_text("utf-8"), current_sdl())
    later = ("Fork", "fork", "merge", "Merge", "Lineage", "lineage", "Change", "Audit", "audit", "Subscription")
    later += ("Direction", "PositionPolicy", "ReconcileRule")
    assert [change for change in changes if not any(word in change for word in later)] == []


def test_every_deprecation_tells_its_end_and_its_reason() -> None:
    assert poor_deprecations(current_sdl()) == []
