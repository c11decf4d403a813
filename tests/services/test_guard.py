"""Failed sign-ins: counted for every process alike, for unknown names too, bounded, and forgotten."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager
from datetime import timedelta
from uuid import uuid4

import pytest
from pydantic import SecretStr

from graph import clock, failed_sign_ins
from graph.database import Transaction
from graph.query import Query
from services import guard as guards
from services.guard import FREE_FAILURES, FREE_FAILURES_OF_ADDRESS, KEYS, Attempt, Guard, drop_ended
from services.pipeline import Pipeline
from services.problems import ProblemCode, Refused
from services.signing_in import Session, sign_in
from services.users import CreateUser
from services.worker import Worker
from tests.support.house import Address, House, op
from tests.support.tree import beside, counted

pytestmark = pytest.mark.anyio

PASSWORD, WRONG = "a password for tests", "a password of nobody"
COUNTED = Query("test.guard.counted", "UNWIND $keys AS key MATCH (f:FailedSignIns {id: key}) RETURN f.id AS key")


class Slowed(Guard):
    """A guard of one process, which tells whom it made wait instead of letting time pass."""

    def __init__(self) -> None:
        super().__init__()
        self.slow: list[str] = []

    async def _slow(self, key: str) -> None:
        self.slow.append(key.partition(":")[0])


@pytest.fixture
def address() -> str:
    return f"address of {uuid4()}"


@pytest.fixture
async def other(house: House, engine: Address) -> AsyncGenerator[House]:
    """The same installation in another process."""
    async with beside(house, engine) as opened:
        yield opened


async def a_name(house: House) -> str:
    name = f"u-{op()}"
    await house.do(CreateUser(operation_id=op(), username=name, password=SecretStr(PASSWORD)))
    return name


async def tried(house: House, guard: Guard, name: str, password: str, address: str) -> str:
    """SIGNED_IN, or the code of the refusal."""
    try:
        session = await sign_in(house.desk, guard, name, password, address)
    except Refused as refused:
        return refused.problems[0].code.value
    assert isinstance(session, Session)
    return "SIGNED_IN"


async def fail(house: House, guard: Guard, name: str, address: str, times: int) -> None:
    for _ in range(times):
        assert await tried(house, guard, name, WRONG, address) == "UNAUTHENTICATED"


def key(house: House, kind: str, value: str) -> str:
    return guards._key(kind, value, house.desk.installation)


@pytest.mark.parametrize("known", [True, False])
async def test_failures_in_one_process_slow_every_process(
    house: House, other: House, address: str, *, known: bool
) -> None:
    name = await a_name(house) if known else f"nobody-{op()}"
    here, there = Slowed(), Slowed()
    await fail(house, here, name, address, FREE_FAILURES - 1)
    await fail(other, there, name.upper(), f"another {address}", 1)
    assert (here.slow, there.slow) == ([], [])
    await fail(other, there, name, f"another {address}", 1)
    await fail(house, here, name, f"a third {address}", 1)
    assert (here.slow, there.slow) == (["name"], ["name"])


async def test_the_right_password_is_late_once_and_then_forgiven(house: House, other: House, address: str) -> None:
    name, slowed = await a_name(house), Slowed()
    await fail(house, Slowed(), name, address, FREE_FAILURES)
    assert await tried(other, slowed, name, PASSWORD, address) == "SIGNED_IN"
    assert slowed.slow == ["name"]
    assert await tried(house, slowed, name, PASSWORD, address) == "SIGNED_IN"
    assert slowed.slow == ["name"]


async def test_an_address_counts_by_itself(house: House, other: House, address: str) -> None:
    async def count(database: House, times: int) -> None:
        for _ in range(times):
            await Attempt(database.desk.database, key(house, "name", op()), key(house, "address", address)).failed()

    await asyncio.gather(count(house, FREE_FAILURES_OF_ADDRESS // 2), count(other, FREE_FAILURES_OF_ADDRESS // 2))
    slowed = Slowed()
    await fail(other, slowed, f"nobody-{op()}", address, 1)
    assert slowed.slow == ["address"]
    await fail(other, slowed, f"nobody-{op()}", f"another {address}", 1)
    assert slowed.slow == ["address"]


async def test_guesses_at_once_do_not_overtake_their_count(house: House, address: str) -> None:
    name, slowed = await a_name(house), Slowed()
    guesses = [tried(house, slowed, name, WRONG, address) for _ in range(2 * FREE_FAILURES + 2)]
    assert set(await asyncio.gather(*guesses)) == {"UNAUTHENTICATED"}
    assert len(slowed.slow) >= 3, "as many as go at once see each other's failures too late"
    assert slowed._queues == {}, "nothing is kept of those who left"


async def test_many_sessions_of_one_user_at_once_are_no_guesses(house: House, address: str) -> None:
    name, slowed = await a_name(house), Slowed()
    signed_in = await asyncio.gather(*(tried(house, slowed, name, PASSWORD, address) for _ in range(FREE_FAILURES + 2)))
    assert (set(signed_in), slowed.slow) == ({"SIGNED_IN"}, [])


async def test_a_known_and_an_unknown_name_run_the_same_statements(house: House, address: str) -> None:
    ran: list[list[str]] = []
    for name in (await a_name(house), f"nobody-{op()}"):
        with counted(house) as names:
            await fail(house, Slowed(), name, address, 2)
        ran.append(names)
    assert ran[0] == ran[1]


async def test_whatever_is_asked_for_falls_on_a_bounded_number_of_keys(house: House) -> None:
    salt = house.desk.installation
    names = ["", "x" * 100_000, "\ud800", "a\u0000b", *(op() for _ in range(1_000))]
    found = {guards._key("name", name, salt) for name in names}
    assert {each.partition(":")[0] for each in found} == {"name"}
    assert all(0 <= int(each.partition(":")[2]) < KEYS for each in found)
    assert guards._key("name", "ada", salt) != guards._key("name", "ada", "another installation")


@contextmanager
def later(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> Generator[None]:
    """The clock, moved on."""
    now = clock.now
    with monkeypatch.context() as patched:
        patched.setattr(clock, "now", lambda: now() + by)
        yield


async def test_a_count_ends_after_a_while_and_is_removed(
    house: House, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = await a_name(house)
    keys = [key(house, "name", name), key(house, "address", address)]
    await fail(house, Slowed(), name, address, FREE_FAILURES)
    await drop_ended(house.desk.database)
    assert len(await house.desk.database.run(COUNTED, keys=keys)) == 2
    with later(monkeypatch, guards.WINDOW + timedelta(seconds=1)):
        slowed = Slowed()
        await fail(house, slowed, name, f"another {address}", 1)
        assert slowed.slow == []
        worker = Worker(Pipeline(house.desk))
        await worker._tidy()
        left = [row["key"] for row in await house.desk.database.run(COUNTED, keys=keys)]
    assert left == [key(house, "name", name)], "the one that began anew"


async def test_processes_that_remove_ended_counts_at_once_do_not_disturb_each_other(
    house: House, other: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = [f"test:{op()}" for _ in range(200)]
    past = clock.to_text(clock.now() - timedelta(days=1))

    async def count(transaction: Transaction) -> None:
        await failed_sign_ins.count(transaction, ended, past, past)

    await house.desk.database.write(count, queue="test")
    monkeypatch.setattr(guards, "DROPPED_AT_ONCE", 50)

    async def sweep(each: House) -> None:
        while await drop_ended(each.desk.database):
            pass

    await asyncio.gather(sweep(house), sweep(other))
    assert await house.desk.database.run(COUNTED, keys=ended) == []


async def test_a_failure_is_not_told_while_it_cannot_be_counted(house: House, address: str) -> None:
    await house.desk.database.close()
    assert await tried(house, Slowed(), "anybody", WRONG, address) == ProblemCode.UNAVAILABLE.value


async def test_who_signs_in_several_times_at_once_after_failures_is_let_in(
    house: House, other: House, address: str
) -> None:
    name = await a_name(house)
    await fail(house, Slowed(), name, address, 2)
    both = (tried(each, Slowed(), name, PASSWORD, address) for each in (house, other, house, other))
    assert set(await asyncio.gather(*both)) == {"SIGNED_IN"}
