"""The demo, twice, against a real server: the second time it changes nothing."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import httpx
import pytest

from accountgraph import demo
from accountgraph.cli import Status
from accountgraph.cli import run as run_command
from accountgraph.settings import Settings, load
from tests.support.api import Remote
from tests.support.house import ADMIN_PASSWORD
from tests.support.running import free_port, running

pytestmark = pytest.mark.anyio

SIGN_IN = "mutation($input: SignInInput!) { signIn(input: $input) { ... on SignInPayload { accessToken } } }"
LOOK = """{
  market { date }
  accounts(first: 50) { totalCount nodes {
    kind tier status template { name } positions { totalCount }
    transactions(first: 50, where: { kind: [TRADE] }) { nodes { symbol valueDate amount { amount } } }
  } }
  operations(first: 5, where: { state: [AWAITING_APPROVAL] }) { nodes { id kind actor expiresAt } }
  groups(first: 5) { nodes {
    name rollup { accountCount cash { amount currency } } groups(first: 5) { nodes { name } }
  } }
}"""


async def look(url: str) -> dict[str, Any]:
    """What the administrator sees of the demo."""
    async with httpx.AsyncClient(timeout=60, trust_env=False) as client:
        signed_in = await Remote(client, f"{url}/graphql").ask(
            SIGN_IN, input={"username": "admin", "password": ADMIN_PASSWORD}
        )
        return await Remote(client, f"{url}/graphql", signed_in["signIn"]["accessToken"]).ask(LOOK)


async def checked(folder: Path) -> tuple[int | None, str]:
    """The status and the words of `accountgraph check`."""
    environment = {**os.environ, "ACCOUNTGRAPH_DATA_DIR": str(folder)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "accountgraph", "check", stdout=PIPE, env=environment
    )
    told, _ = await process.communicate()
    return process.returncode, told.decode()


def filled(folder: Path, url: str, households: int) -> Any:
    settings: Settings = load(admin_password=ADMIN_PASSWORD, data_dir=folder)
    return asyncio.to_thread(demo.run, settings, url, households)


async def test_the_demo_fills_a_server_once_and_its_books_add_up(tmp_path: Path) -> None:
    async with running(tmp_path, {"MARKET_DATE": "2022-12-07"}) as url:
        assert await filled(tmp_path, url, 4) == 0
        seen, books = await look(url), await checked(tmp_path)
        assert books[0] == 0, books[1]
        assert "13 accounts" in books[1]
        assert await filled(tmp_path, url, 4) == 0
        assert (await look(url), await checked(tmp_path)) == (seen, books)

    assert seen["market"]["date"] == "2022-12-22", "two weeks, each up to its Thursday"
    accounts = seen["accounts"]["nodes"]
    assert [account["kind"] for account in accounts].count("COMPOSITE") == 1
    traded = {
        account["tier"]: {entry["valueDate"] for entry in account["transactions"]["nodes"]}
        for account in accounts
        if account["transactions"]["nodes"]
    }
    assert traded["GEN"] <= {"2022-12-15", "2022-12-22"}, "Thursdays"
    assert traded["REV"] | traded["COM"] <= {"2022-12-14", "2022-12-21"}, "Wednesdays"
    waiting = seen["operations"]["nodes"]
    assert [(each["kind"], each["actor"]) for each in waiting] == [("placeOrder", "demo.trader")]
    (root,) = seen["groups"]["nodes"]
    assert root["rollup"]["accountCount"] == 12
    assert sorted(group["name"] for group in root["groups"]["nodes"]) == sorted(demo.REGIONS)


async def test_where_the_date_stays_all_trades_are_of_one_day(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "WEEKS", 3)
    async with running(tmp_path) as url:
        assert await filled(tmp_path, url, 4) == 0
        seen = await look(url)

    assert "ACCOUNTGRAPH_MARKET_DATE=2021-12-28 make run" in capsys.readouterr().out
    assert seen["market"]["date"] == "2022-12-28"
    traded = [entry for account in seen["accounts"]["nodes"] for entry in account["transactions"]["nodes"]]
    assert len(traded) == 3 * 2 * 3
    assert {entry["valueDate"] for entry in traded} == {"2022-12-28"}


def test_without_a_server_the_demo_says_so_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACCOUNTGRAPH_ADMIN_PASSWORD", ADMIN_PASSWORD)
    monkeypatch.setenv("ACCOUNTGRAPH_DATA_DIR", str(tmp_path))
    url = f"http://127.0.0.1:{free_port()}"

    assert run_command(["demo", "--url", url]) == Status.UNAVAILABLE
    assert f"no server answers at {url}" in capsys.readouterr().err
