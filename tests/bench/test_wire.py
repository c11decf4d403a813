"""The benchmark's client: it takes answers alone for answers, and survives a connection that rested."""

import asyncio

import pytest

from bench.wire import BenchFailed, Connection, payload
from tests.support.small_server import TOKEN, serving

pytestmark = pytest.mark.anyio
ANSWER = b'{"data": {"number": %d}}'


async def test_an_answer_is_its_data_and_anything_else_stops_the_run() -> None:
    async with serving() as small:
        connection = Connection(small.url, TOKEN)
        assert await connection.ask("query($name: String!) { hello(name: $name) }", name="Ada") == {
            "hello": "hello Ada"
        }
        for document, code in (("{ missing }", "NOT_FOUND"), ("{ nothing }", "INTERNAL"), ("{ no }", "VALIDATION")):
            with pytest.raises(BenchFailed, match=code):
                await connection.ask(document)
        await connection.close()
        stranger = Connection(small.url)
        with pytest.raises(BenchFailed, match="401"):
            await stranger.ask("{ hello }")
        await stranger.close()


async def test_a_connection_that_the_server_closed_is_made_anew() -> None:
    asked: list[bytes] = []
    left = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.append(await reader.read(100))
        content = ANSWER % len(asked)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(content), content))
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        left.set()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        connection = Connection(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        assert await connection.ask("{ number }") == {"number": 1}
        await left.wait()
        assert await connection.ask("{ number }") == {"number": 2}
        await connection.close()


def test_a_problem_is_no_payload() -> None:
    assert payload({"answer": {"username": "ada"}}) == {"username": "ada"}
    with pytest.raises(BenchFailed, match="NOT_FOUND: none"):
        payload({"answer": {"code": "NOT_FOUND", "message": "none"}})
