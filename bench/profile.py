"""Where a millisecond goes: of one request alone, how long HTTP, the database and the server's own work take."""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import httpx

from bench.measuring import Once

_METRIC = re.compile(r'accountgraph_query_seconds_(sum|count)\{query="([^"]+)"\} (\S+)')
_WIDTH, _LABELS, _BAR, _STEP, _HEAD = 720, 130, 22, 34, 40
_PARTS = (("HTTP and an empty answer", "#8b949e"), ("database", "#1f6feb"), ("the server's own work", "#d29922"))


@dataclass(frozen=True, slots=True)
class Profile:
    """One work alone, in milliseconds.

    The whole, what an empty request takes beside the database, and each statement by its name.
    """

    title: str
    whole: float
    empty: float
    statements: Mapping[str, float]

    @property
    def parts(self) -> tuple[float, float, float]:
        """HTTP, the database, and the rest."""
        database = sum(self.statements.values())
        return self.empty, database, max(0.0, self.whole - self.empty - database)


async def profiles(url: str, empty: Once, works: Mapping[str, Once], times: int) -> list[Profile]:
    """The works by their titles, each done so often by one client of the server there, and the empty request."""
    async with httpx.AsyncClient(trust_env=False) as client:

        async def taken_apart(once: Once) -> tuple[float, dict[str, float]]:
            await _each(once, max(1, times // 10))
            before = await _statements(client, url)
            whole = await _each(once, times)
            return whole, dict(_between(before, await _statements(client, url), times))

        nothing, asked = await taken_apart(empty)
        http = nothing - sum(asked.values())  # who holds the token is asked for an empty request too
        return [
            Profile(title, whole, http, told)
            for title, (whole, told) in [(title, await taken_apart(once)) for title, once in works.items()]
        ]


async def _each(once: Once, times: int) -> float:
    """The milliseconds that one takes."""
    began = time.perf_counter()
    for _ in range(times):
        await once(0)
    return (time.perf_counter() - began) * 1000 / times


async def _statements(client: httpx.AsyncClient, url: str) -> dict[tuple[str, str], float]:
    text = (await client.get(f"{url}/metrics")).text
    return {(name, kind): float(value) for kind, name, value in _METRIC.findall(text)}


def _between(
    before: Mapping[tuple[str, str], float], after: Mapping[tuple[str, str], float], times: int
) -> Iterator[tuple[str, float]]:
    """The milliseconds of each statement that every request ran; what the server does beside them is left out."""

    def gained(name: str, kind: str) -> float:
        return after.get((name, kind), 0.0) - before.get((name, kind), 0.0)

    for name in sorted({name for name, _ in after}):
        if gained(name, "count") >= times:
            yield name, gained(name, "sum") * 1000 / times


def profile_table(found: Sequence[Profile]) -> str:
    """The profiles as a table of Markdown."""
    lines = ["| alone, ms | whole | HTTP | database | own work | its statements |", "|---|--:|--:|--:|--:|---|"]
    for one in found:
        statements = ", ".join(f"{name} {value:.2f}" for name, value in one.statements.items())
        figures = " | ".join(f"{value:.2f}" for value in (one.whole, *one.parts))
        lines.append(f"| {one.title} | {figures} | {statements} |")
    return "\n".join(lines)


def profile_plot(found: Sequence[Profile]) -> str:
    """The profiles as bars of SVG, each as long as its time, in the colours of its parts."""
    scale = (_WIDTH - _LABELS - 80) / max(sum(one.parts) for one in found)
    height = _HEAD + _STEP * len(found) + 8
    drawn: list[str] = []
    left = 8
    for name, colour in _PARTS:
        drawn.append(f'<rect x="{left}" y="10" width="12" height="12" fill="{colour}"/>')
        drawn.append(f'<text x="{left + 18}" y="21">{escape(name)}</text>')
        left += 210
    for number, one in enumerate(found):
        drawn.extend(_bar(one, _HEAD + _STEP * number, scale))
    size = f'width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="13">'
    return "\n".join((head, '<rect width="100%" height="100%" fill="#ffffff"/>', *drawn, "</svg>", ""))


def _bar(one: Profile, top: int, scale: float) -> Iterator[str]:
    yield f'<text x="{_LABELS - 8}" y="{top + 16}" text-anchor="end">{escape(one.title)}</text>'
    left = float(_LABELS)
    for value, (_, colour) in zip(one.parts, _PARTS, strict=True):
        yield f'<rect x="{left:.1f}" y="{top}" width="{value * scale:.1f}" height="{_BAR}" fill="{colour}"/>'
        left += value * scale
    yield f'<text x="{left + 6:.1f}" y="{top + 16}">{one.whole:.2f} ms</text>'
