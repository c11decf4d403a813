"""A transport that sends what is written to it within one turn of the loop as one piece."""

import asyncio
from collections.abc import Iterable
from typing import Any

from typing_extensions import override

MOST_BYTES = 65_536
"""What waits for the end of the turn at most: more is passed on, so that who writes much is told to wait."""


class Joining(asyncio.Transport):
    """Passes on to another transport. An answer's head and body go in one call to the system, and in one segment."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._transport = transport
        self._loop = loop
        self._written: list[bytes] = []
        self._size = 0

    @override
    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Sends the data at the end of this turn at the latest, after what was written before."""
        if not self._written:
            self._loop.call_soon(self._flush)
        self._written.append(bytes(data))
        self._size += len(data)
        if self._size > MOST_BYTES:
            self._flush()

    @override
    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        """As `write` for each piece."""
        for data in list_of_data:
            self.write(data)

    def _taken(self) -> list[bytes]:
        written, self._written, self._size = self._written, [], 0
        return written

    def _flush(self) -> None:
        written = self._taken()
        # Closed not by `close`, which sends first, but as the client has gone: uvloop would raise.
        if self._transport.is_closing():
            return
        if len(written) == 1:
            self._transport.write(written[0])
        elif written:
            self._transport.writelines(written)

    @override
    def close(self) -> None:
        """Closes the connection once everything is sent."""
        self._flush()
        self._transport.close()

    @override
    def abort(self) -> None:
        """Closes the connection at once."""
        self._taken()
        self._transport.abort()

    @override
    def is_closing(self) -> bool:
        """Whether the connection is closed, or about to be."""
        return self._transport.is_closing()

    @override
    def get_write_buffer_size(self) -> int:
        """The bytes that are written and not sent."""
        return self._size + self._transport.get_write_buffer_size()

    @override
    def pause_reading(self) -> None:
        """Lets what arrives wait."""
        self._transport.pause_reading()

    @override
    def resume_reading(self) -> None:
        """Takes what arrives again."""
        self._transport.resume_reading()

    @override
    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """What the other transport says of itself."""
        return self._transport.get_extra_info(name, default)
