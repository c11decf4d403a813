"""The report and the plot of given figures, with the peers and without those that did not run."""

import re
from xml.etree import ElementTree

from accountgraph.engine import EngineAddress
from bench import works
from bench.measuring import Sample
from bench.organisation import Sizes
from bench.peers.asking import NEO4J_GRAPHQL, PLAIN_STRAWBERRY
from bench.peers.servers import LIBRARY, PLAIN, Peer, library_setup, plain_setup
from bench.peers.works import nested_by, point_by, wide_by
from bench.plot import plot
from bench.profile import Profile
from bench.report import Run, document

ADDRESS = EngineAddress("bolt://127.0.0.1:1", "neo4j", "", "neo4j", "Neo4j", "2026.09.0")
PEERS = (
    Peer(LIBRARY, "http://127.0.0.1:2", NEO4J_GRAPHQL, library_setup("22.11.0")),
    Peer(PLAIN, "http://127.0.0.1:3", PLAIN_STRAWBERRY, plain_setup()),
)
READS = (works.POINT_RATE, works.NESTED_RATE, works.WIDE_RATE, works.NESTED_KEPT, works.WIDE_KEPT)
BY_DRIVER = (works.POINT_DRIVER, works.NESTED_DRIVER, works.WIDE_DRIVER)
OTHERS = (
    works.CONSTANT_RATE,
    works.PAGE_RATE,
    works.ONE_BY_ONE,
    works.HOT_FEED,
    works.SPREAD_FEEDS,
    works.TWO_SERVERS,
    works.CREATED_SINGLY,
    works.CREATED_AT_ONCE,
    works.IMPORTED,
    works.POINT_LESS,
    works.POINT_LARGE,
    works.ROLLUP_LESS,
    works.ROLLUP_LARGE,
)


def made(*peers: Peer) -> Run:
    """A run of three rounds in which the product did 600 a second, the driver 1,200, and each peer 200."""
    rates = dict.fromkeys((*READS, *OTHERS), 600.0) | dict.fromkeys(BY_DRIVER, 1200.0)
    for peer in peers:
        rates |= {named(peer.name): 200.0 for named in (point_by, nested_by, wide_by)}
    samples = {name: [Sample(rate * part, 1) for part in (1, 0.5, 1.5)] for name, rate in rates.items()}
    told, parts = ("20 accounts imported",), (Profile("point read", 2.0, 0.5, {"reads.compiled": 1.0}),)
    return Run(ADDRESS, Sizes(rounds=3), samples, 0.0, "2026-01-31", "make bench", peers, told, parts)


def rows(text: str) -> dict[str, list[str]]:
    """The cells of each row of the ratios, by its title; the spread is the last."""
    ratios = text.partition("| done in a second")[0]
    cells = (re.split(r" *\| *", line.strip("| ")) for line in ratios.splitlines() if line.startswith("| "))
    return {title: figures for title, *figures in cells}


def test_the_report_has_each_ratio_and_how_each_side_was_set_up() -> None:
    text = document(made(*PEERS), "benchmarks.svg")
    found = rows(text)
    for peer in (LIBRARY, PLAIN):
        assert {found[f"{read} read to {peer}"][0] for read in ("point", "nested", "wide")} == {"3.00"}
    for kind, peer in ((kind, peer) for kind in ("nested", "wide") for peer in (LIBRARY, PLAIN)):
        assert found[f"{kind} read, unchanged since it was asked before, to {peer}"][0] == "3.00"
    assert found["transfers on many feeds: two servers to one"][0] == "1.00"
    assert {found[f"{read} read, API to driver"][0] for read in ("point", "nested", "wide")} == {"0.50"}
    assert "](benchmarks.svg)" in text
    assert "](profile.svg)" in text
    assert "| point read | 2.00 | 0.50 | 1.00 | 0.50 | reads.compiled 1.00 |" in text
    assert "2,110 nodes" in text
    assert "\n- 20 accounts imported\n" in text
    told = " ".join(text.split())
    assert [told.count(peer.setup) for peer in PEERS] == [1, 1]
    assert re.search(r"- the product: one process.* access checks, the journal and the ledger on", told)
    assert max(len(line) for line in text.splitlines()) <= 120


def test_a_peer_that_did_not_run_has_no_figures_and_is_named() -> None:
    text = document(made(PEERS[1]), "benchmarks.svg")
    assert [title for title in rows(text) if LIBRARY in title] == []
    assert f"- {LIBRARY}: it does not run where these figures were made" in text
    assert rows(text)[f"wide read to {PLAIN}"][0] == "3.00"


def test_the_plot_has_a_bar_for_each_side_as_long_as_its_rate() -> None:
    run = made(*PEERS)
    picture = ElementTree.fromstring(plot(run.samples, run.peers))  # noqa: S314 - made a line above
    texts = [each.text for each in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert [texts.count(label) for label in ("AccountGraph", LIBRARY, PLAIN, "driver alone")] == [3] * 4
    assert texts.count("AccountGraph, unchanged") == 2
    assert [texts.count(figure) for figure in ("600", "1,200", "200")] == [5, 3, 6]
    bars = [float(each.attrib["width"]) for each in list(picture.iter("{http://www.w3.org/2000/svg}rect"))[1:]]
    assert len(bars) == 14
    assert [round(bar / bars[3], 2) for bar in bars[:4]] == [0.5, 0.17, 0.17, 1.0]
