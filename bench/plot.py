"""The rates of each kind of read as bars of SVG, one panel for a kind and one bar for who answers."""

from collections.abc import Iterator, Sequence
from html import escape

from bench import works
from bench.measuring import Samples, rates
from bench.peers.servers import Peer
from bench.peers.works import nested_by, point_by, wide_by

WIDTH, LABELS, FIGURES = 720, 170, 70
BAR, STEP, HEAD = 18, 24, 34
PRODUCT, OTHER = "#1f6feb", "#8b949e"
KEPT = "AccountGraph, unchanged"
_PANELS = (
    ("point read of an account", works.POINT_RATE, None, works.POINT_DRIVER, point_by),
    ("nested read: groups x accounts", works.NESTED_RATE, works.NESTED_KEPT, works.NESTED_DRIVER, nested_by),
    ("wide read: groups x groups x accounts", works.WIDE_RATE, works.WIDE_KEPT, works.WIDE_DRIVER, wide_by),
)


def plot(samples: Samples, peers: Sequence[Peer]) -> str:
    """The whole text of the picture: median rates, with a line from the smallest to the largest round."""
    drawn: list[str] = []
    height = 0
    for title, product, kept, driver, named in _PANELS:
        unchanged = [(KEPT, kept)] if kept else []
        bars = [
            ("AccountGraph", product),
            *unchanged,
            *((peer.name, named(peer.name)) for peer in peers),
            ("driver alone", driver),
        ]
        drawn.extend(_panel(height, f"{title}, in a second", bars, samples))
        height += HEAD + STEP * len(bars)
    size = f'width="{WIDTH}" height="{height + 8}" viewBox="0 0 {WIDTH} {height + 8}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="13">'
    return "\n".join((head, '<rect width="100%" height="100%" fill="#ffffff"/>', *drawn, "</svg>", ""))


def _panel(top: int, title: str, bars: Sequence[tuple[str, str]], samples: Samples) -> Iterator[str]:
    """A panel whose longest bar takes the whole width."""
    yield f'<text x="8" y="{top + 22}" font-weight="bold">{escape(title)}</text>'
    largest = max(rates(samples, work).most for _, work in bars)
    scale = (WIDTH - LABELS - FIGURES) / largest
    for number, (label, work) in enumerate(bars):
        y = top + HEAD + STEP * number
        value = rates(samples, work)
        least, middle, most = (LABELS + scale * each for each in (value.least, value.middle, value.most))
        colour = PRODUCT if label.startswith("AccountGraph") else OTHER
        yield f'<text x="{LABELS - 8}" y="{y + 14}" text-anchor="end">{escape(label)}</text>'
        yield f'<rect x="{LABELS}" y="{y}" width="{middle - LABELS:.1f}" height="{BAR}" fill="{colour}"/>'
        yield f'<path d="M{least:.1f} {y + BAR // 2}H{most:.1f}" stroke="#24292f"/>'
        yield f'<text x="{most + 6:.1f}" y="{y + 14}">{value.middle:,.0f}</text>'
