"""Taking a request's time apart: what each statement takes of it, what HTTP does, and the picture of both."""

import asyncio
from xml.etree import ElementTree

import pytest

from bench.profile import Profile, profile_plot, profiles

pytestmark = pytest.mark.anyio
LINE = 'accountgraph_query_seconds_{kind}{{query="{name}"}} {value}\n'


async def test_statements_that_every_request_ran_are_told_and_no_others() -> None:
    done = 0

    async def once(_: int) -> None:
        nonlocal done
        done += 1

    def metrics() -> str:
        rows = {"reads.point": (done, done * 0.002), "operations.due": (done // 4, done * 0.001)}
        return "".join(
            LINE.format(name=name, kind="count", value=count) + LINE.format(name=name, kind="sum", value=seconds)
            for name, (count, seconds) in rows.items()
        )

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        text = metrics().encode()
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%b" % (len(text), text))
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        (found,) = await profiles(url, once, {"point": once}, 10)
    assert found.title == "point"
    assert list(found.statements) == ["reads.point"]
    assert found.statements["reads.point"] == pytest.approx(2.0)
    assert found.whole > 0


def test_a_bar_is_as_long_as_its_parts() -> None:
    found = [Profile("point", 4.0, 1.0, {"a": 1.5, "b": 0.5}), Profile("transfer", 8.0, 1.0, {"c": 9.0})]
    assert [one.parts for one in found] == [(1.0, 2.0, 1.0), (1.0, 9.0, 0.0)]
    picture = ElementTree.fromstring(profile_plot(found))  # noqa: S314 - made a line above
    bars = [float(each.attrib["width"]) for each in list(picture.iter("{http://www.w3.org/2000/svg}rect"))[4:]]
    assert len(bars) == 6
    assert bars[1] == pytest.approx(2 * bars[0], abs=0.2)
    assert bars[4] == pytest.approx(9 * bars[3], abs=1)
    texts = [each.text for each in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert {"point", "transfer", "4.00 ms", "8.00 ms", "database"} <= set(texts)
