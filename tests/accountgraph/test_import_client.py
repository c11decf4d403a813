"""`accountgraph import` against a real server: what it says, keeps and ends with."""

import csv
import gzip
from pathlib import Path

import httpx
import pytest

from accountgraph.cli import Status
from accountgraph.data_folder import StartFailed
from accountgraph.import_client import password_of
from accountgraph.settings import load
from tests.support.api import Remote
from tests.support.callers import SIGN_IN
from tests.support.house import ADMIN, ADMIN_PASSWORD, Address
from tests.support.importing import as_json_lines
from tests.support.running import Server, serving, settings_for

pytestmark = pytest.mark.anyio

NAMES = "query($id: ID!) { group(id: $id) { rollup { accountCount } accounts(first: 10) { nodes { name } } } }"


async def api_of(client: httpx.AsyncClient, server: Server) -> Remote:
    given = {"username": ADMIN, "password": ADMIN_PASSWORD}
    data = await Remote(client, f"{server.url}/graphql").ask(SIGN_IN, input=given)
    return Remote(client, f"{server.url}/graphql", data["signIn"]["accessToken"])


async def test_a_file_is_imported_by_the_command_line(tmp_path: Path, engine: Address) -> None:
    good, bad, table = tmp_path / "good.jsonl", tmp_path / "bad.jsonl", tmp_path / "more.csv.gz"
    good.write_bytes(as_json_lines([{"id": "a", "name": "One", "openingBalance": 5}, {"id": "b", "name": "Two"}]))
    bad.write_bytes(as_json_lines([{"id": "c", "name": "Three"}, {"id": "d", "name": ""}]))
    table.write_bytes(gzip.compress(b"id,name\ne,Five\nf,=cmd()\n"))
    kept = tmp_path / "kept.csv"
    async with serving(tmp_path / "data", settings_for(engine)) as server, httpx.AsyncClient(trust_env=False) as client:
        api = await api_of(client, server)
        group = (await api.done("createGroup", "group { id }", name="Tenant"))["group"]["id"]

        async def run(file: Path, *more: str) -> tuple[int, str]:
            return await server.command("import", str(file), "--group", group, *more)

        status, told = await run(good, "--dry-run")
        assert (status, "0 imported, 0 with problems, 2 unprocessed" in told) == (Status.OK, True), told
        status, told = await run(good)
        assert (status, "2 imported, 0 with problems, 0 unprocessed" in told) == (Status.OK, True), told
        status, told = await run(bad)
        assert status == Status.CHECK_FAILED
        assert "line 2 (d): name must not be empty" in told
        status, told = await run(table, "--skip-invalid", "--outcomes", str(kept))
        assert (status, "1 imported, 1 with problems" in told) == (Status.CHECK_FAILED, True), told
        with kept.open(newline="", encoding="utf-8") as content:
            assert [(row["id"], row["outcome"]) for row in csv.DictReader(content)] == [
                ("e", "SUCCEEDED"),
                ("f", "FAILED"),
            ]
        found = (await api.ask(NAMES, id=group))["group"]
        assert {each["name"] for each in found["accounts"]["nodes"]} == {"One", "Two", "Five"}
        assert found["rollup"]["accountCount"] == 3
        status, told = await server.command("import", str(good), "--group", "grp_01ARZ3NDEKTSV4RRFFQ69G5FAV")
        assert (status, "NOT_FOUND" in told) == (Status.UNAVAILABLE, True), told
        status, told = await run(tmp_path / "data" / "lock")
        assert (status, "must end with .jsonl or .csv" in told) == (Status.UNAVAILABLE, True), told


def test_the_password_is_given_or_known_or_asked_for(tmp_path: Path) -> None:
    settings = load(data_dir=tmp_path, admin_password=None)
    with pytest.raises(StartFailed, match="ACCOUNTGRAPH_IMPORT_PASSWORD"):
        password_of(settings, "admin", None)
    (tmp_path / "admin-password").write_text("kept in the file\n", encoding="utf-8")
    assert password_of(settings, "admin", None) == "kept in the file"
    assert password_of(settings, "admin", "given") == "given"
    assert password_of(load(data_dir=tmp_path, admin_password="a long password"), "admin", None) == "a long password"
    with pytest.raises(StartFailed, match="of somebody"):
        password_of(settings, "somebody", None)
