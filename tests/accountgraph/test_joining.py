"""What is written in one turn of the loop goes out as one piece, in order, and before the connection closes."""

import asyncio
from collections.abc import Iterable

import pytest
from starlette.applications import Starlette
from typing_extensions import override
from uvicorn.server import ServerState

from accountgraph.envelope import Envelope
from accountgraph.heads import BoundedHeads
from accountgraph.joining import MOST_BYTES, Joining
from accountgraph.serve import configured

pytestmark = pytest.mark.anyio


class Recorder(asyncio.Transport):
    """A transport that keeps what it is told to do."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []
        self.gone = False

    @override
    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.told.append(bytes(data).decode())

    @override
    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        self.write(b"+".join(bytes(each) for each in list_of_data))

    @override
    def close(self) -> None:
        self.gone = True
        self.told.append("closed")

    @override
    def abort(self) -> None:
        self.gone = True
        self.told.append("aborted")

    @override
    def is_closing(self) -> bool:
        return self.gone


def joining() -> tuple[Recorder, Joining]:
    """A recorder, and what joins in front of it."""
    recorder = Recorder()
    return recorder, Joining(recorder, asyncio.get_running_loop())


async def test_pieces_of_one_turn_go_together_and_those_of_the_next_by_themselves() -> None:
    recorder, transport = joining()
    transport.write(b"head")
    transport.write(b"body")
    assert recorder.told == []
    await asyncio.sleep(0)
    assert recorder.told == ["head+body"]
    transport.writelines([b"a", b"b"])
    await asyncio.sleep(0)
    transport.write(b"c")
    await asyncio.sleep(0)
    assert recorder.told == ["head+body", "a+b", "c"]


async def test_what_was_written_is_sent_before_the_connection_closes_and_once() -> None:
    recorder, transport = joining()
    transport.write(b"last")
    transport.close()
    await asyncio.sleep(0)
    assert recorder.told == ["last", "closed"]


async def test_much_does_not_wait_for_the_end_of_the_turn() -> None:
    recorder, transport = joining()
    for _ in range(3):
        transport.write(b"x" * MOST_BYTES)
    assert [len(each) for each in recorder.told] == [2 * MOST_BYTES + 1]
    transport.write(b"end")
    await asyncio.sleep(0)
    assert [each[-3:] for each in recorder.told] == ["xxx", "end"]
    await asyncio.sleep(0)
    assert len(recorder.told) == 2


async def test_an_aborted_connection_sends_nothing_more() -> None:
    recorder, transport = joining()
    transport.write(b"last")
    transport.abort()
    await asyncio.sleep(0)
    assert recorder.told == ["aborted"]


async def test_what_is_left_when_the_connection_is_lost_is_dropped() -> None:
    recorder, transport = joining()
    transport.write(b"first")
    recorder.gone = True
    await asyncio.sleep(0)
    transport.write(b"x" * (MOST_BYTES + 1))
    transport.write(b"last")
    transport.close()
    await asyncio.sleep(0)
    assert recorder.told == ["closed"]


async def test_what_was_written_is_sent_before_a_client_that_sends_no_more_is_left() -> None:
    recorder = Recorder()
    protocol = BoundedHeads(configured(Envelope(Starlette())), ServerState(), {})
    protocol.connection_made(recorder)
    protocol.transport.write(b"last")
    protocol.eof_received()
    await asyncio.sleep(0)
    assert recorder.told == ["last", "closed"]


async def test_a_piece_may_be_changed_once_it_is_written() -> None:
    recorder, transport = joining()
    buffer = bytearray(b"one")
    transport.write(buffer)
    buffer[:] = b"two"
    await asyncio.sleep(0)
    assert recorder.told == ["one"]
