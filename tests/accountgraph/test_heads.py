"""What goes over the wire of a connection: heads of any kind, bodies beside an offer to upgrade, and whole answers."""

import asyncio
import json
import select
import socket
import threading
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

import pytest
from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, HTTPScope, Scope

from accountgraph import heads, serve
from accountgraph.heads import MOST_BYTES
from tests.support.small_server import SmallServer, listening, serving

pytestmark = pytest.mark.anyio

BODY = b'{"query": "{ hello }"}'
HEAD = b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer a-good-token\r\n"
OFFER = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
SIZED = b"Content-Length: %d\r\n\r\n" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def connection(server: SmallServer) -> AsyncGenerator[Streams]:
    """A connection to the server."""
    parts = urlsplit(server.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """The status and the body of the next answer."""
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if line)
    return int(head.split()[1]), await asyncio.wait_for(reader.readexactly(int(fields[b"content-length"])), 10)


async def refusal(streams: Streams, pieces: Iterable[bytes]) -> tuple[int, bytes, int]:
    """What the server says while pieces are still sent, and how many bytes of them it has taken until then."""
    reader, writer = streams
    answering, sent = asyncio.create_task(answer(reader)), 0
    for piece in pieces:
        writer.write(piece)
        sent += len(piece)
        await writer.drain()
        done, _ = await asyncio.wait({answering}, timeout=0.001)
        if done:
            break
    status, body = await answering
    assert await reader.read() == b""
    return status, body, sent


@pytest.mark.parametrize("framed", [SIZED + BODY, CHUNKED])
@pytest.mark.parametrize("offer", [b"", OFFER])
@pytest.mark.parametrize("step", [1 << 20, 7])
async def test_a_body_is_read_also_where_another_protocol_is_offered(framed: bytes, offer: bytes, step: int) -> None:
    request = HEAD + offer + framed
    async with serving() as server, connection(server) as (reader, writer):
        for _ in range(3):
            for start in range(0, len(request), step):
                writer.write(request[start : start + step])
                await asyncio.sleep(0)
            status, body = await answer(reader)
            assert (status, json.loads(body)) == (200, {"data": {"hello": "hello world"}})


async def test_requests_that_offer_another_protocol_may_follow_each_other_at_once() -> None:
    offers = [HEAD + OFFER + CHUNKED, b"GET /graphql HTTP/1.1\r\nHost: x\r\n" + OFFER + b"\r\n", HEAD + SIZED + BODY]
    async with serving() as server, connection(server) as (reader, writer):
        writer.write(b"".join(offers * 100))
        statuses = [(await answer(reader))[0] for _ in offers * 100]
    assert statuses == [200, 400, 200] * 100


@pytest.mark.parametrize("start", [b"GET /graphql?", HEAD, HEAD + b"X-Long: ", HEAD + CHUNKED[:-2] + b"X-Trailer: "])
async def test_a_head_or_a_trailer_without_an_end_is_refused(start: bytes) -> None:
    piece = b"X-More: 1\r\n" * 100 if start.endswith(b"\r\n") else b"x" * 1000
    async with serving() as server, connection(server) as streams:
        status, body, sent = await refusal(streams, [start, *[piece] * 2000])
    assert (status, body) == (400, b"The head of the request is too long.")
    assert MOST_BYTES < sent < 2 * MOST_BYTES


async def test_blanks_around_a_header_are_no_part_of_it() -> None:
    async with serving() as server, connection(server) as (reader, writer):
        writer.write(HEAD + b"X-Request-Id: \t mine-1 \t\r\n" + SIZED + BODY)
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
    assert b"\r\nx-request-id: mine-1\r\n" in head


async def test_a_body_in_many_small_pieces_is_no_head() -> None:
    padded = BODY + b" " * 30_000
    pieces = [b"%x\r\n%b\r\n" % (1, padded[at : at + 1]) for at in range(len(padded))]
    assert sum(map(len, pieces)) > 2 * MOST_BYTES
    async with serving() as server, connection(server) as (reader, writer):
        writer.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(pieces) + b"0\r\n\r\n")
        assert (await answer(reader))[0] == 200


@pytest.mark.parametrize("text", [b"\x16\x03\x01\x02\x00\r\n\r\n", b"GET /graphql HTTP/9.9\r\n\r\n", b"GET\r\n\r\n"])
async def test_what_is_no_request_is_refused(text: bytes) -> None:
    async with serving() as server, connection(server) as streams:
        status, body, _ = await refusal(streams, [text])
    assert (status, body) == (400, b"Invalid HTTP request received.")


WRONG = b"\x01\x02\r\n\r\n"
STAY = b'{"query": "{ stay }"}'
STAYING = HEAD + b"Content-Length: %d\r\n\r\n%b" % (len(STAY), STAY)


@pytest.mark.parametrize(
    ("between", "wrong"),
    [(b"", WRONG), (HEAD + SIZED + BODY, WRONG), (b"", HEAD + b"X-Long: " + b"x" * MOST_BYTES)],
)
async def test_what_is_wrong_behind_requests_leaves_their_answers_whole_and_ends(between: bytes, wrong: bytes) -> None:
    async with serving() as server, connection(server) as (reader, writer):
        writer.write(STAYING)
        await asyncio.wait_for(server.house.entered.wait(), 10)
        writer.write(between + wrong)
        # The next connection's answer tells that the server has read what was sent on this one before.
        assert (await server.ask("{ hello }")).status_code == 200
        server.house.leave.set()
        answers = [await answer(reader) for _ in range(2 if between else 1)]
        assert await asyncio.wait_for(reader.read(), 10) == b""
    assert [status for status, _ in answers] == [200] * len(answers)
    assert json.loads(answers[0][1]) == {"data": {"stay": "done"}}


async def test_a_wrong_body_behind_a_request_is_refused_after_its_answer() -> None:
    async with serving() as server, connection(server) as (reader, writer):
        writer.write(STAYING)
        await asyncio.wait_for(server.house.entered.wait(), 10)
        writer.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + WRONG)
        assert (await server.ask("{ hello }")).status_code == 200
        server.house.leave.set()
        answers = [await answer(reader) for _ in range(2)]
        assert await asyncio.wait_for(reader.read(), 10) == b""
    assert [status for status, _ in answers] == [200, 400]
    assert answers[1][1] == b"Invalid HTTP request received."


async def test_a_wrong_body_of_a_request_that_is_answered_in_part_ends_the_connection() -> None:
    begun = asyncio.Event()

    async def begin(_scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [], "trailers": False})
        begun.set()
        while (await receive())["type"] != "http.disconnect":
            pass

    async with listening(begin) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(url).port)
        writer.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        await asyncio.wait_for(begun.wait(), 10)
        writer.write(WRONG)
        told = await asyncio.wait_for(reader.read(), 10)
        writer.close()
    assert told.startswith(b"HTTP/1.1 200")
    assert told.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("offer", [b"", OFFER])
async def test_trailers_are_no_headers_of_the_request(offer: bytes) -> None:
    trailed = CHUNKED[:-2] + b"Authorization: Bearer a-good-token\r\nX-Request-Id: mine-2\r\n\r\n"
    begin = b"POST /graphql HTTP/1.1\r\nHost: x\r\nX-Request-Id: mine-1\r\nContent-Type: application/json\r\n"
    seen: list[tuple[bytes, bytes]] = []

    async def look(scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        while (message := await receive())["type"] == "http.request" and message["more_body"]:
            pass
        seen.extend(scope["headers"])
        headers = [(b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 200, "headers": headers, "trailers": False})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async with listening(look) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(url).port)
        for _ in range(2):
            writer.write(begin + offer + trailed)
            assert await answer(reader) == (200, b"")
        writer.close()
    assert [value for name, value in seen if name == b"x-request-id"] == [b"mine-1"] * 2
    assert b"authorization" not in dict(seen)


@pytest.mark.parametrize("start", [b"", b"\r\n", b"GET /gra", HEAD])
@pytest.mark.parametrize("before", [0, 1])
async def test_a_head_that_never_ends_is_given_up(start: bytes, before: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "HEAD_SECONDS", 0.2)
    monkeypatch.setattr(serve, "KEEP_ALIVE_SECONDS", 0.2 if start in {b"", b"\r\n"} else 60)
    async with serving() as server, connection(server) as (reader, writer):
        for _ in range(before):
            writer.write(HEAD + SIZED + BODY)
            assert (await answer(reader))[0] == 200
        writer.write(start)
        assert await asyncio.wait_for(reader.read(), 10) == b""


async def test_a_head_behind_a_request_has_its_time_once_that_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "HEAD_SECONDS", 0.2)
    async with serving() as server, connection(server) as (reader, writer), connection(server) as (silent, _):
        writer.write(STAYING + HEAD)
        await asyncio.wait_for(server.house.entered.wait(), 10)
        assert await asyncio.wait_for(silent.read(), 10) == b""
        async with connection(server) as (later, _):
            assert await asyncio.wait_for(later.read(), 10) == b""
        server.house.leave.set()
        assert await answer(reader) == (200, b'{"data":{"stay":"done"}}')
        assert await asyncio.wait_for(reader.read(), 10) == b""


async def test_a_request_whose_head_is_complete_is_not_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "HEAD_SECONDS", 1)
    async with serving() as server, connection(server) as (reader, writer):
        writer.write(HEAD[:9])
        assert (await server.ask("{ hello }")).status_code == 200
        writer.write(HEAD[9:] + SIZED + BODY[:5])
        assert (await server.ask("{ hello }")).status_code == 200
        async with connection(server) as (silent, _):
            assert await asyncio.wait_for(silent.read(), 10) == b""
        writer.write(BODY[5:])
        assert (await answer(reader))[0] == 200
        async with connection(server) as (silent, _):
            assert await asyncio.wait_for(silent.read(), 10) == b""
        writer.write(HEAD + SIZED + BODY)
        assert (await answer(reader))[0] == 200


LONG = json.dumps({"query": "query($name: String!) { hello(name: $name) }", "variables": {"name": "x" * 200_000}})
FOLLOWING = 100


def asking(server: SmallServer) -> socket.socket:
    """A connection of small buffers, on which long answers are asked for, one after the other."""
    parts = urlsplit(server.url)
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    client.connect((parts.hostname, parts.port))
    asked = HEAD + b"Content-Length: %d\r\n\r\n%b" % (len(LONG), LONG.encode())
    threading.Thread(target=_send, args=(client, asked), daemon=True).start()
    return client


def _send(client: socket.socket, asked: bytes) -> None:
    with suppress(OSError):  # once the server has closed it
        for _ in range(FOLLOWING):
            client.sendall(asked)


def _taken(client: socket.socket) -> int:
    taken = 0
    while taken < FOLLOWING * 200_000 and (piece := client.recv(65_536)):
        taken += len(piece)
    return taken


def _gone(client: socket.socket) -> bool:
    poll = select.poll()
    poll.register(client, 0)  # of nothing but its end
    return bool(poll.poll(20_000))


async def test_a_client_that_takes_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "STALLED_SECONDS", 0.1)
    async with serving() as server:
        with asking(server) as client:
            assert await asyncio.to_thread(_gone, client)
        async with connection(server) as (reader, writer):
            writer.write(HEAD + SIZED + BODY)
            assert (await answer(reader))[0] == 200


async def test_a_client_that_takes_its_answers_has_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "STALLED_SECONDS", 1)
    async with serving() as server:
        with asking(server) as client:
            assert await asyncio.to_thread(_taken, client) >= FOLLOWING * 200_000
