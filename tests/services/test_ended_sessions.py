"""A session that ends while a mutation waits its turn: the mutation has no effect."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from pydantic import SecretStr

from graph import structure
from graph.database import Transaction
from services import access
from services.guard import Guard
from services.ledger import Deposit
from services.permissions import Role, Viewer
from services.pipeline import Pipeline
from services.problems import ProblemCode, Refused
from services.protocol.embedded import EmbeddedProtocol
from services.protocol.port import Question
from services.protocol.verdict import Verdict
from services.signing_in import sign_in, sign_out
from services.users import ChangePassword, SetUserDisabled
from tests.support.house import House, op
from tests.support.trading import a_viewer, an_account, books

pytestmark = pytest.mark.anyio

PASSWORD = "a password for tests"
End = Callable[[House, Viewer], Awaitable[object]]


class Telling(EmbeddedProtocol):
    """The embedded engine, which tells that it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()

    async def validate(self, question: Question) -> Verdict:
        self.asked.set()
        return await super().validate(question)


async def session_of(house: House, username: str) -> Viewer:
    """The user in a new session."""
    session = await sign_in(house.desk, Guard(), username, PASSWORD, "127.0.0.1")
    viewer = await access.viewer_of_token(house.desk.database, session.token)
    assert viewer is not None
    return viewer


async def signs_out(house: House, viewer: Viewer) -> None:
    await sign_out(house.desk, viewer)


async def is_disabled(house: House, viewer: Viewer) -> None:
    await house.do(SetUserDisabled(operation_id=op(), username=viewer.username, disabled=True))


async def is_disabled_and_enabled_again(house: House, viewer: Viewer) -> None:
    await is_disabled(house, viewer)
    await house.do(SetUserDisabled(operation_id=op(), username=viewer.username, disabled=False))


async def changes_the_password_elsewhere(house: House, viewer: Viewer) -> None:
    old, new = SecretStr(PASSWORD), SecretStr("another password")
    command = ChangePassword(operation_id=op(), current_password=old, new_password=new)
    await house.do(command, await session_of(house, viewer.username))


async def changes_the_password_here(house: House, viewer: Viewer) -> None:
    old, new = SecretStr(PASSWORD), SecretStr("another password")
    await house.do(ChangePassword(operation_id=op(), current_password=old, new_password=new), viewer)


async def ends_another_session(house: House, viewer: Viewer) -> None:
    await sign_out(house.desk, await session_of(house, viewer.username))


async def deposit_while(house: House, end: End) -> tuple[str, Deposit, Viewer]:
    """Starts a deposit that waits for the account's lock and the tenant's turn, and lets it go on after `end`."""
    account = await an_account(house, None)
    viewer = await session_of(house, (await a_viewer(house, account, Role.OPERATOR)).username)
    telling, held, release = Telling(), asyncio.Event(), asyncio.Event()
    pipeline = Pipeline(replace(house.desk, protocol=telling))

    async def hold(transaction: Transaction) -> None:
        await structure.lock_accounts(transaction, [account], "test")
        held.set()
        await release.wait()

    command = Deposit(operation_id=op(), account_id=account, amount="5")
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        tasks.create_task(house.desk.database.write(hold, queue=house.root))
        await held.wait()
        waiting = tasks.create_task(outcome_of(pipeline, viewer, command))
        await telling.asked.wait()
        await end(house, viewer)
        assert not waiting.done()
        release.set()
    return waiting.result(), command, viewer


async def outcome_of(pipeline: Pipeline, viewer: Viewer, command: Deposit) -> str:
    """DONE, or the code that the command is refused with."""
    try:
        await pipeline.perform(viewer, command)
    except Refused as refused:
        return refused.problems[0].code.value
    return "DONE"


@pytest.mark.parametrize("end", [signs_out, is_disabled, is_disabled_and_enabled_again, changes_the_password_elsewhere])
async def test_nothing_commits_after_its_session_ended(house: House, end: End) -> None:
    outcome, command, _ = await deposit_while(house, end)
    assert outcome == ProblemCode.UNAUTHENTICATED.value
    after = await books(house, command.account_id)
    assert (after.account["cash"], after.entries) == (0, [])


@pytest.mark.parametrize("end", [changes_the_password_here, ends_another_session])
async def test_what_ends_other_sessions_stops_nothing(house: House, end: End) -> None:
    outcome, command, viewer = await deposit_while(house, end)
    assert outcome == "DONE"
    assert (await books(house, command.account_id)).account["cash"] == 500
    assert await access.viewer_now(house.desk.database, viewer) == viewer


async def test_an_operation_that_took_effect_is_told_in_a_later_session_too(house: House) -> None:
    account = await an_account(house, None)
    viewer = await session_of(house, (await a_viewer(house, account, Role.OPERATOR)).username)
    command = Deposit(operation_id=op(), account_id=account, amount="5")
    first = await house.do(command, viewer)
    await sign_out(house.desk, viewer)
    assert await house.do(command, await session_of(house, viewer.username)) == first
