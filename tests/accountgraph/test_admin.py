"""check, migrate and admin reset-password on an embedded engine of their own, beside its server and without one."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from accountgraph import admin, checks, migrate
from accountgraph.application import PASSWORD_FILE, UNPROVED_FILE, Application, Opening
from accountgraph.beside import open_installation
from accountgraph.cli import Status
from accountgraph.cli import run as run_command
from accountgraph.data_folder import StartFailed, hold_data_folder
from accountgraph.settings import Settings, load, variable
from graph import clock, installation, users
from graph.database import Database, Transaction
from graph.errors import EngineUnavailable
from graph.query import Query
from services.creating import CreateAccount
from services.groups import CreateGroup
from services.ledger import Deposit
from services.passwords import verify_password
from tests.support.house import op

T = TypeVar("T")
RECORDS = Query(
    "test.admin.records",
    "MATCH (c:Change) WHERE c.feed = $feed AND c.number > 0 RETURN c.action AS action, c.payload AS payload "
    "ORDER BY c.number",
)
SPOIL = Query("test.admin.spoil", "MATCH (a:Account {id: $id}) SET a.cash = a.cash + 1")
SESSION = "0" * 64


def quiet(_line: str) -> None:
    """Says nothing."""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in Settings.model_fields:
        monkeypatch.delenv(variable(name), raising=False)
    monkeypatch.setenv("ACCOUNTGRAPH_DATA_DIR", str(tmp_path / "data"))
    return load()


def with_server(settings: Settings, work: Callable[[Application], Awaitable[T]]) -> T:
    """What the work returns while an application runs on the data folder, as a server does."""

    async def opened() -> T:
        with hold_data_folder(settings.data_dir):
            async with Opening(settings, quiet) as application:
                return await work(application)

    return asyncio.run(opened())


async def sign_in(database: Database) -> None:
    """A session of the administrator."""
    user = await users.by_key(database, "admin")
    assert user is not None
    now = clock.now()
    session = {
        "id": "ses_1",
        "hash": SESSION,
        "user": user["id"],
        "at": clock.to_text(now),
        "until": clock.to_text(now + timedelta(hours=1)),
    }

    async def work(transaction: Transaction) -> None:
        await users.create_session(transaction, session)

    await database.write(work, queue="test")


async def signed_in(database: Database) -> bool:
    return await users.by_session(database, SESSION, clock.to_text(clock.now())) is not None


async def fits(database: Database, password: str) -> bool:
    user = await users.by_key(database, "admin")
    assert user is not None
    return await verify_password(user["password"], password)


def test_the_first_password_is_kept_wherever_the_start_dies(settings: Settings) -> None:
    kept, unproved = (settings.data_dir / name for name in (PASSWORD_FILE, UNPROVED_FILE))

    async def first(application: Application) -> str:
        password = kept.read_text().strip()
        assert not unproved.exists()
        assert await fits(application.desk.database, password)
        return password

    password = with_server(settings, first)
    kept.rename(unproved)

    async def died_before_it_was_told(application: Application) -> None:
        assert (kept.read_text().strip(), unproved.exists()) == (password, False)
        assert await fits(application.desk.database, password)

    with_server(settings, died_before_it_was_told)
    unproved.write_text("the password of a start that lost\n")

    async def another_was_faster(_: Application) -> None:
        assert (kept.read_text().strip(), unproved.exists()) == (password, False)

    with_server(settings, another_was_faster)


def test_the_first_password_is_written_before_it_holds(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    async def dies(*_: object) -> None:
        raise EngineUnavailable("gone")

    async def nothing(_: Application) -> None:
        raise AssertionError("it did not start")

    with monkeypatch.context() as patched:
        patched.setattr(installation, "create", dies)
        with pytest.raises(StartFailed):
            with_server(settings, nothing)
    unproved = settings.data_dir / UNPROVED_FILE
    early = unproved.read_text()
    assert unproved.stat().st_mode & 0o777 == 0o600

    async def again(application: Application) -> str:
        return (application.settings.data_dir / PASSWORD_FILE).read_text()

    assert with_server(settings, again) != early
    assert not unproved.exists()


def told_password(printed: str) -> str:
    found = re.fullmatch(r"The new password of admin, told this once: (\S{20,})\n", printed)
    assert found, printed
    return found.group(1)


def test_a_password_is_reset_while_the_server_runs_and_after_it(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    async def beside(application: Application) -> str:
        database = application.desk.database
        await sign_in(database)
        assert await signed_in(database)
        assert await asyncio.to_thread(admin.reset_password, settings, "Admin") == 0
        password = told_password(capsys.readouterr().out)
        assert await fits(database, password)
        assert not await signed_in(database), "every session has ended"
        records = await database.run(RECORDS, feed=application.desk.installation)
        assert records[-1]["action"] == "resetPassword"
        assert password not in str(records)
        return password

    first = with_server(settings, beside)
    assert not (settings.data_dir / PASSWORD_FILE).exists(), "the old one is not kept where nobody may use it"
    assert run_command(["admin", "reset-password"]) == Status.OK
    second = told_password(capsys.readouterr().out)

    async def without() -> tuple[bool, bool]:
        async with open_installation(settings) as (database, _):
            return await fits(database, first), await fits(database, second)

    assert asyncio.run(without()) == (False, True)
    assert run_command(["admin", "reset-password", "nobody"]) == Status.UNAVAILABLE
    assert capsys.readouterr().err == "accountgraph: there is no user 'nobody'\n"


def test_the_check_tells_what_does_not_add_up(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    async def fill(application: Application) -> tuple[str, str]:
        user = await users.by_key(application.desk.database, "admin")
        assert user is not None
        from services.access import viewer_of_user

        viewer = await viewer_of_user(application.desk.database, user["id"])
        assert viewer is not None
        perform = application.pipeline.perform
        root = (await perform(viewer, CreateGroup(operation_id=op(), name="Tenant"))).payload["group"]
        account = CreateAccount(operation_id=op(), name="A", parent_id=root)
        node = (await perform(viewer, account)).payload["account"]
        await perform(viewer, Deposit(operation_id=op(), account_id=node, amount="5"))
        assert await asyncio.to_thread(checks.run, settings) == checks.CLEAN
        return node, root

    node, root = with_server(settings, fill)
    assert "Everything adds up: 1 accounts, " in capsys.readouterr().out
    assert run_command(["check"]) == Status.OK
    capsys.readouterr()

    async def spoil() -> None:
        async def work(transaction: Transaction) -> None:
            await transaction.run(SPOIL, id=node)

        async with open_installation(settings) as (database, _):
            await database.write(work, queue="test")

    asyncio.run(spoil())
    assert run_command(["check"]) == Status.CHECK_FAILED
    told = capsys.readouterr().out.splitlines()
    assert told[0] == f"account {node}: its cash is 5.01 USD, its entries sum to 5.00 USD"
    assert told[1] == f"group {root}: its totals of c:USD are not those of what is in it"
    assert told[2].startswith("2 findings in 1 accounts, ")
    assert len(told) == 3


def test_migrate_says_what_it_applied_and_then_nothing(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["migrate"]) == Status.OK
    first = capsys.readouterr().out.splitlines()
    assert first[0] == "Applied 0001_base"
    assert migrate.run(settings) == 0
    assert capsys.readouterr().out == "The data is of this version.\n"
    with pytest.raises(StartFailed, match="no installation yet"):
        checks.run(settings)


@pytest.mark.parametrize("command", [["check"], ["admin", "reset-password"]])
def test_without_an_installation_nothing_is_made(
    command: list[str], settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(command) == Status.UNAVAILABLE
    assert "there is no installation yet" in capsys.readouterr().err
    assert not settings.data_dir.exists()


def test_a_folder_that_another_process_is_opening_is_left_alone(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    with hold_data_folder(settings.data_dir):
        assert run_command(["migrate"]) == Status.UNAVAILABLE
    assert "another process is running on the data folder" in capsys.readouterr().err


def test_a_neo4j_that_does_not_answer_is_one_line(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    del settings
    monkeypatch.setenv("ACCOUNTGRAPH_NEO4J_URI", "bolt://127.0.0.1:9")
    monkeypatch.setenv("ACCOUNTGRAPH_NEO4J_PASSWORD", "nobody listens")
    assert run_command(["check"]) == Status.UNAVAILABLE
    assert capsys.readouterr().err.startswith("accountgraph: no graph engine answers at bolt://127.0.0.1:9")
