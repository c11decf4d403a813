"""A file's bytes as they arrive, as lines of bounded length: decompressed, split, and told from what is no text."""

import zlib
from collections.abc import Iterator

from services.problems import ProblemCode, Refused, invalid, refuse

LONGEST_LINE = 64 * 1024
MOST_LINE_ENDS = 8_000_000
"""How many lines a file may have, with the empty ones, which are left out."""
MOST_BYTES = 1024 * 1024 * 1024
"""How large a file may be, decompressed."""
_PIECE = 64 * 1024
_BOM = b"\xef\xbb\xbf"
TOO_LONG = ""
"""What stands for a line that is too long; None stands for one that is no UTF-8 text."""


class Gunzip:
    """Bytes of a gzip file, decompressed in small pieces, so that a small file never becomes large memory."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(wbits=31)
        self._begun = False

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The pieces that the chunk completes. Raises Refused for what is no gzip."""
        while chunk:
            if self._member.eof:
                self._member = zlib.decompressobj(wbits=31)
            self._begun = True
            try:
                piece = self._member.decompress(chunk, _PIECE)
            except zlib.error:
                raise Refused(invalid("the body must be gzip, as Content-Encoding says; it is damaged")) from None
            chunk = self._member.unconsumed_tail or self._member.unused_data
            if piece:
                yield piece
        yield from self._rest()

    def _rest(self) -> Iterator[bytes]:
        while not self._member.eof and (piece := self._member.decompress(b"", _PIECE)):
            yield piece

    def end(self) -> None:
        """Raises Refused where the file was cut off."""
        if not self._begun or not self._member.eof:
            raise Refused(invalid("the gzip data ends too early: the file was cut off"))


class Splitter:
    """Lines of a file; empty ones are left out."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._pending = bytearray()
        self._skipping = False
        self._first = True
        self._ends = 0
        self.bytes = 0

    def feed(self, piece: bytes) -> Iterator[str | None]:
        """The lines that the piece completes; TOO_LONG and None stand for what is none. Raises LIMIT_EXCEEDED."""
        self.bytes += len(piece)
        if self.bytes > self._most_bytes:
            message = f"the file is too large: at most {self._most_bytes:,} bytes are taken, decompressed"
            raise refuse(ProblemCode.LIMIT_EXCEEDED, message)
        *whole, rest = piece.split(b"\n")
        self._ends += len(whole)
        if self._ends > MOST_LINE_ENDS:
            raise refuse(ProblemCode.LIMIT_EXCEEDED, f"the file has more than {MOST_LINE_ENDS:,} lines, empty ones too")
        for part in whole:
            if not (part or self._pending or self._skipping or self._first):
                continue
            self._append(part)
            yield from self._line()
        self._append(rest)

    def end(self) -> Iterator[str | None]:
        """The last line, where the file does not end with a line end."""
        if self._pending or self._skipping:
            yield from self._line()

    def _append(self, part: bytes) -> None:
        if self._skipping:
            return
        self._pending += part
        if len(self._pending) > LONGEST_LINE:
            self._pending.clear()
            self._skipping = True

    def _line(self) -> Iterator[str | None]:
        raw, self._pending = bytes(self._pending), bytearray()
        if self._first:
            raw, self._first = raw.removeprefix(_BOM), False
        if self._skipping:
            self._skipping = False
            yield TOO_LONG
            return
        try:
            text = raw.decode().removesuffix("\r")
        except UnicodeDecodeError:
            yield None
            return
        if text.strip():
            yield text
