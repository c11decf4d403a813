"""HTTP/1.1 as uvicorn reads it through httptools, with a bound on heads, and bodies beside an offer to upgrade."""

import asyncio
from collections.abc import Sequence

import httptools
from typing_extensions import override
from uvicorn._types import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from accountgraph.joining import Joining

MOST_BYTES = 65_536
"""How much of a head, of a trailer or of a chunk's extension is read, beyond the piece that it begins in."""
HEAD_SECONDS = 30
"""How long a new connection may be silent, and a head may take: many that never end would use up all connections."""
STALLED_SECONDS = 60
LEAST_TAKEN = 16_384
"""What a client has to take of a long answer in so many seconds: what nobody takes is kept in memory."""
_FRAMING = (b"content-length", b"transfer-encoding")


class BoundedHeads(HttpToolsProtocol):
    """One connection.

    httptools keeps a head of any length, and drops the body of a request that offers another protocol, as some
    clients do with each first request to an address without TLS. The offer is not taken here, and the body is read.
    """

    _unfinished = 0
    """The bytes since a head or a piece of a body was complete."""
    _again = False
    """Whether the parser is told of a head that the request has begun with already."""
    _in_head = False
    """Whether a head has begun that is not complete."""
    _deadline: asyncio.TimerHandle | None = None
    """When the head that is awaited, or has begun, is given up."""
    _stalled: asyncio.TimerHandle | None = None
    """When a client that takes nothing is given up."""
    _refused = False
    """Whether what arrives is read no more."""

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:
        """The connection is there."""
        super().connection_made(Joining(transport, self.loop))
        self._set_deadline()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is no more."""
        self._unset_deadline()
        self._unwatch()
        super().connection_lost(exc)

    @override
    def pause_writing(self) -> None:
        """More is written than the client has taken."""
        super().pause_writing()
        self._watch()

    @override
    def resume_writing(self) -> None:
        """The client has taken what was written."""
        self._unwatch()
        super().resume_writing()

    def _watch(self) -> None:
        left = self.transport.get_write_buffer_size()
        self._stalled = self.loop.call_later(STALLED_SECONDS, self._look, left)

    def _unwatch(self) -> None:
        if self._stalled:
            self._stalled.cancel()
            self._stalled = None

    def _look(self, before: int) -> None:
        if self.transport.get_write_buffer_size() > before - LEAST_TAKEN:
            self.logger.warning("A client takes nothing of its answer.")
            self.transport.abort()
        else:
            self._watch()

    @override
    def eof_received(self) -> None:
        """The client sends no more: what is written already goes out before the connection closes."""
        self.transport.close()

    @override
    def data_received(self, data: bytes) -> None:
        """Reads what has arrived."""
        if self._refused:
            return
        self._unfinished += len(data)
        try:
            self._feed(data)
        except httptools.HttpParserError:
            self._refuse("Invalid HTTP request received.")
            return
        if self._unfinished > MOST_BYTES:
            self._refuse("The head of the request is too long.")
        elif self._in_head and not self._deadline:
            self._set_deadline()

    def _feed(self, data: bytes) -> None:
        while data:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as offer:
                data = data[offer.args[0] :]
                self._begin_again()
            else:
                return

    def _begin_again(self) -> None:
        """Reads on after the head of the present request, as if it offered no other protocol."""
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn has it
        self.cycle.more_body, self._again = True, True
        self.parser.feed_data(_framed(self.headers))
        self._again = False

    def _set_deadline(self) -> None:
        self._unset_deadline()
        self._deadline = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _unset_deadline(self) -> None:
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        # Behind a request that is still answered, a head may be one that is not read until then.
        if self._answering():
            self._set_deadline()
        else:
            self.transport.close()

    def _refuse(self, message: str) -> None:
        self.logger.warning(message)
        self._refused = True
        self._unset_deadline()
        if not self._answering():
            self.send_400_response(message)
        elif not self.cycle.more_body:
            # What is wrong came behind this request, whose answer is now the last.
            self.cycle.keep_alive = False
        elif self.pipeline:
            self.pipeline[0] = (self.cycle, _bad_request(message))
        elif self.cycle.response_started:
            self.transport.close()
        else:
            self.send_400_response(message)

    def _answering(self) -> bool:
        """Whether the newest request is still to be answered, or in part."""
        return self.cycle is not None and not self.cycle.response_complete  # pyright: ignore[reportUnnecessaryComparison]

    @override
    def on_response_complete(self) -> None:
        """An answer is complete."""
        super().on_response_complete()
        if self._deadline:
            self._set_deadline()

    @override
    def on_message_begin(self) -> None:
        """A request begins."""
        if not self._again:
            self._in_head = True
            self._unset_deadline()
            self._unset_keepalive_if_required()
            super().on_message_begin()

    @override
    def on_url(self, url: bytes) -> None:
        """A piece of the address."""
        if not self._again:
            super().on_url(url)

    @override
    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, with the blanks that may follow its value; or a trailer, which says nothing of the request."""
        if self._in_head:
            super().on_header(name, value.rstrip(b" \t"))

    @override
    def on_headers_complete(self) -> None:
        """The head is complete."""
        self._unfinished = 0
        self._in_head = False
        if not self._again:
            self._unset_deadline()
            # It was set anew if the request before was answered meanwhile.
            self._unset_keepalive_if_required()
            super().on_headers_complete()

    @override
    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._unfinished = 0
        super().on_body(body)
        if self.timeout_keep_alive_task:
            # The request is answered already, and what is left of its body makes the connection no idle one.
            self._unset_keepalive_if_required()
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    @override
    def on_message_complete(self) -> None:
        """The request is complete."""
        self._unfinished = 0
        super().on_message_complete()


def _framed(headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    """A head that says of the body what these headers say."""
    kept = b"".join(b"%b: %b\r\n" % (name, value) for name, value in headers if name in _FRAMING)
    return b"POST / HTTP/1.1\r\n%b\r\n" % kept


def _bad_request(message: str) -> ASGI3Application:
    """Answers that the request is wrong, and is the last to answer."""
    length = b"%d" % len(message)
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", length), (b"connection", b"close")]

    async def answer(_scope: Scope, _receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        await send({"type": "http.response.start", "status": 400, "headers": headers, "trailers": False})
        await send({"type": "http.response.body", "body": message.encode(), "more_body": False})

    return answer
