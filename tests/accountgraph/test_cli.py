"""The command line: help, exit codes, and one plain line for each failure."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from accountgraph import cli
from accountgraph.cli import Status, run
from accountgraph.data_folder import StartFailed
from accountgraph.settings import Settings, SettingsError, variable
from graph.errors import EngineUnavailable

COMMANDS = ("serve", "migrate", "demo", "schema", "check", "admin", "doctor", "version")


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:  # pyright: ignore[reportUnusedFunction]
    for name in Settings.model_fields:
        monkeypatch.delenv(variable(name), raising=False)
    monkeypatch.setenv("ACCOUNTGRAPH_DATA_DIR", str(tmp_path / "data"))


def test_the_help_tells_the_commands_and_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == Status.OK
    told = capsys.readouterr().out
    assert all(f"  {command} " in told for command in COMMANDS)
    assert all(f"  {status.value}  " in told for status in Status)


@pytest.mark.parametrize("command", [*COMMANDS, "admin reset-password"])
def test_every_command_has_help_worth_reading(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*command.split(), "--help"]) == Status.OK
    assert len(capsys.readouterr().out) > 80


def test_the_help_of_serve_lists_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    run(["serve", "--help"])
    told = capsys.readouterr().out
    assert all(variable(field) in told for field in Settings.model_fields)


def test_help_loads_nothing_heavy() -> None:
    program = (
        "import sys; from accountgraph.cli import run; run(['--help']);"
        " print(sorted({'neo4j', 'strawberry', 'uvicorn', 'pydantic', 'graphql'} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout.endswith("\n[]\n")


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["version"]) == Status.OK
    assert capsys.readouterr().out.startswith("accountgraph ")


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["serve", "--port", "x"], ["schema", "--check", "/nowhere"], ["version", "extra"]]
)
def test_a_wrong_command_is_a_usage_error(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == Status.USAGE
    told = capsys.readouterr()
    assert told.out == ""
    assert "Error: " in told.err


@pytest.mark.parametrize("command", [["serve"], ["migrate"], ["demo"], ["check"], ["admin", "reset-password"]])
def test_a_wrong_setting_is_one_line(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ACCOUNTGRAPH_PORT", "abc")
    assert run(command) == Status.USAGE
    told = capsys.readouterr()
    assert told.err == "accountgraph: ACCOUNTGRAPH_PORT should be a port, 1 to 65535, not 'abc'\n"


@pytest.mark.parametrize(
    ("fault", "status", "line"),
    [
        (SettingsError("A should be B"), Status.USAGE, "A should be B"),
        (StartFailed("port 1 is taken"), Status.UNAVAILABLE, "port 1 is taken"),
        (EngineUnavailable("no\nanswer"), Status.UNAVAILABLE, "the graph engine does not answer: no answer"),
        (ValueError("two\n lines"), Status.FAULT, "a fault in this program: ValueError: two lines"),
        (KeyboardInterrupt(), Status.INTERRUPTED, None),
    ],
)
def test_each_failure_has_a_status_and_one_plain_line(
    fault: BaseException,
    status: Status,
    line: str | None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    @cli.click.command()
    def failing() -> None:
        raise fault

    monkeypatch.setitem(cli.accountgraph.commands, "failing", failing)
    assert run(["failing"]) == status
    assert capsys.readouterr().err.strip() == ("" if line is None else f"accountgraph: {line}")


def test_a_reader_who_goes_away_is_told_nothing() -> None:
    program = "import sys; from accountgraph.cli import main; sys.argv[1:] = ['serve', '--help']; main()"
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run(
        [sys.executable, "-c", program], stdout=writer, stderr=subprocess.PIPE, check=False, timeout=60
    )
    os.close(writer)
    assert ended.stderr == b""


def test_a_fault_shows_its_traceback_where_debug_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @cli.click.command()
    def failing() -> None:
        raise ValueError("inside")

    monkeypatch.setitem(cli.accountgraph.commands, "failing", failing)
    monkeypatch.setenv("ACCOUNTGRAPH_LOG_LEVEL", "debug")
    assert run(["failing"]) == Status.FAULT
    assert "Traceback" in capsys.readouterr().err


def test_the_doctors_findings_decide_its_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ACCOUNTGRAPH_NOTHING", "1")
    assert run(["doctor"]) == Status.CHECK_FAILED
    assert "FAIL  settings: ACCOUNTGRAPH_NOTHING: there is no such setting" in capsys.readouterr().out
